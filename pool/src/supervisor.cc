#include "supervisor.hpp"

#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <iterator>
#include <poolproof/detail/event.hpp>

#include "children.hpp"
#include "control.hpp"
#include "descriptors.hpp"
#include "keeper.hpp"
#include "lifeline.hpp"
#include "orphans.hpp"
#include "output.hpp"
#include "reap.hpp"
#include "reexec.hpp"
#include "signals.hpp"
#include "threads.hpp"
#include "wire.hpp"
#include "worker.hpp"

extern "C" {
#include <sys/pidfd.h>
}

// No allocation, no exceptions, no stdio in this file: main may have had
// threads when it forked us.
namespace poolproof::detail {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

/// Where the kernel is short of something, and nothing tells when it no longer is.
constexpr int kTryAgainMs = 10;
/// Milliseconds until a second look at those that have just been killed.
constexpr int kOrphansMayTake = 2;

class Supervisor {
 public:
  explicit Supervisor(const SupervisorSetup& setup) : setup_(setup) {}
  [[noreturn]] void run();

 private:
  void settle();
  void report_ready();
  [[nodiscard]] int patience_left() const;
  void take_commands();
  void obey(const Command& command, const control::Descriptors& descriptors);
  void spawn(const Command& command, const control::Descriptors& descriptors);
  void stop(const Command& command);
  void kill_worker(std::int32_t slot);
  void collect_dead();
  void bury(const siginfo_t& child);
  void report(const Report& report, int descriptor = -1);
  [[nodiscard]] bool any_worker() const;
  void kill_when_overdue();
  [[noreturn]] void end_everything();

  SupervisorSetup setup_;
  pid_t self_ = 0;
  int deaths_ = -1;  // signalfd of SIGCHLD
  Keeper keeper_;
  bool orphans_left_ = false;  // with the keeper, which is not told of them
  bool stopping_ = false;
  bool ending_ = false;
  Clock::time_point overdue_{};
};

void Supervisor::run() {
  settle();
  if (setup_.method != StartMethod::fork || setup_.contained) report_ready();
  for (;;) {
    std::array<pollfd, 3> watched{
        {{setup_.control, POLLIN, 0}, {setup_.main_pidfd, POLLIN, 0}, {deaths_, POLLIN, 0}}};
    ::poll(watched.data(), watched.size(), patience_left());
    if (lifeline::main_is_gone(watched[0].revents, watched[1].revents)) {
      end_everything();
    }
    // The dead first: a slot must be empty before a command fills it again.
    if (watched[2].revents || deaths_ < 0) collect_dead();
    if (watched[0].revents & POLLIN) take_commands();
    if (orphans_left_) orphans_left_ = orphans::kill(setup_, keeper_);
    if (stopping_ && !any_worker()) end_everything();
    kill_when_overdue();
  }
}

void Supervisor::settle() {
  self_ = ::getpid();
  // A group of its own: Ctrl-C at the terminal is main's to handle.
  ::setpgid(0, 0);
  // Daemonised grandchildren come to us, wherever they try to escape to.
  ::prctl(PR_SET_CHILD_SUBREAPER, 1);
  ::prctl(PR_SET_NAME, "poolproof");
  reset_dispositions();
  ignore_requests_to_end();
  // A reader of main's output must not wait for us. Workers get main's
  // descriptors 1 and 2 anew with each command.
  for (const int fd : {0, 1, 2}) ::dup2(setup_.null, fd);
  std::array<int, 2> keep{setup_.control, setup_.main_pidfd};
  close_all_but(keep.data(), keep.size());
  // Now, since main may meet its limit of open files later, and we with it.
  setup_.children = children::open_list();
  if (setup_.forgets_output) forget_output();
  sigset_t child;
  ::sigemptyset(&child);
  ::sigaddset(&child, SIGCHLD);
  ::sigprocmask(SIG_SETMASK, &child, nullptr);
  // Without a descriptor to be had deaths are looked for now and then.
  deaths_ = ::signalfd(-1, &child, SFD_CLOEXEC | SFD_NONBLOCK);
}

/// What could turn out otherwise than main asked.
void Supervisor::report_ready() {
  Report ready;
  ready.kind = Report::Kind::ready;
  ready.code = setup_.same_program ? 0 : ENOEXEC;
  ready.how =
      setup_.method == StartMethod::forkserver && other_threads_present() ? Report::kThreads : 0;
  if (setup_.contained) {
    const int error = start_keeper(keeper_);
    if (error != 0) ready = {Report::Kind::ready, 0, 0, Report::kNotContained, error};
  }
  report(ready);
}

int Supervisor::patience_left() const {
  if (deaths_ < 0) return kTryAgainMs;
  if (orphans_left_) return kOrphansMayTake;
  if (!stopping_) return -1;
  const auto left = std::chrono::ceil<milliseconds>(overdue_ - Clock::now());
  if (left.count() <= 0) return 10;
  return static_cast<int>(std::min<std::int64_t>(left.count(), 60'000));
}

void Supervisor::take_commands() {
  Command command;
  control::Descriptors descriptors{};
  while (control::receive(setup_.control, &command, sizeof command, descriptors, false) ==
         control::Received::message) {
    obey(command, descriptors);
    for (const int fd : descriptors) {
      if (fd >= 0) ::close(fd);
    }
  }
}

void Supervisor::obey(const Command& command, const control::Descriptors& descriptors) {
  switch (command.kind) {
    case Command::Kind::spawn:
      return spawn(command, descriptors);
    case Command::Kind::drain:
    case Command::Kind::terminate:
      return stop(command);
    case Command::Kind::kill:
      return kill_worker(command.slot);
  }
}

void Supervisor::spawn(const Command& command, const control::Descriptors& descriptors) {
  WorkerSetup worker;
  // Who is in another namespace than its parent sees none.
  worker.supervisor = setup_.contained ? 0 : self_;
  worker.serial = command.serial;
  worker.channel = descriptors[0];
  worker.is_copy_of_main = setup_.method == StartMethod::fork;
  worker.ring = descriptors[1];
  std::size_t next = 2;
  if (command.has_stdout) worker.output = descriptors[next++];
  if (command.has_stderr) worker.error = descriptors[next];

  pid_t pid = -1;
  int error = EMFILE;  // descriptors were cut off
  if (worker.channel >= 0 && worker.ring >= 0) {
    // A SIGTERM sent while the worker still has our dispositions would be
    // ignored and lost; blocked, it stays pending until the worker is ready.
    const SignalsBlocked blocked;
    pid = setup_.method == StartMethod::spawn ? reexec::start_worker(worker) : ::fork();
    error = errno;
    if (pid == 0) run_worker(worker);
  }
  if (pid < 0) {
    return report({Report::Kind::fork_failed, command.slot, 0, 0, error});
  }
  setup_.slots =
      std::max(setup_.slots, static_cast<std::size_t>(command.slot) + 1);  // the pool has grown
  setup_.workers[command.slot].pid = pid;
  const int pidfd = open_pidfd(pid);  // ours to reap, so it is still there
  report({Report::Kind::started, command.slot, pid, 0, 0}, pidfd);
  if (pidfd >= 0) ::close(pidfd);
}

void Supervisor::stop(const Command& command) {
  stopping_ = true;
  overdue_ = deadline_after(milliseconds(command.patience_ms));
  if (command.kind == Command::Kind::drain) return;
  for (std::size_t slot = 0; slot < setup_.slots; ++slot) {
    const pid_t pid = setup_.workers[slot].pid;
    if (pid == 0) continue;
    ::kill(pid, SIGTERM);
    ::kill(pid, SIGCONT);  // a stopped worker would not see it
  }
}

/// Main may not do it itself. It fills the slot anew only after it has heard of the death, so this
/// is the worker that it means, or nobody.
void Supervisor::kill_worker(std::int32_t slot) {
  const pid_t pid = setup_.workers[slot].pid;
  if (pid != 0) ::kill(pid, SIGKILL);
}

void Supervisor::collect_dead() {
  // Before the look at the children, or a death in between goes unnoticed.
  signalfd_siginfo ignored[4];
  while (::read(deaths_, ignored, sizeof ignored) > 0) {
  }
  siginfo_t child{};
  bool anybody = false;
  while (reap::next_dead_child(child) == reap::Found::dead_child) {
    bury(child);
    anybody = true;
  }
  if (anybody) orphans_left_ = orphans::kill(setup_, keeper_);
}

void Supervisor::bury(const siginfo_t& child) {
  // Without its init nothing can be started in the namespace any more.
  if (child.si_pid == keeper_.pid && !ending_) end_everything();
  for (std::size_t slot = 0; slot < setup_.slots; ++slot) {
    if (setup_.workers[slot].pid != child.si_pid) continue;
    setup_.workers[slot].pid = 0;
    return report({Report::Kind::died, static_cast<std::int32_t>(slot), child.si_pid, child.si_code,
                   child.si_status});
  }
}

void Supervisor::report(const Report& report, int descriptor) {
  for (;;) {
    const int error =
        control::send(setup_.control, &report, sizeof report, &descriptor, descriptor >= 0 ? 1 : 0);
    if (error == 0 || ending_) return;
    // Main is behind, or the kernel short of memory for a moment: a report that is lost would be
    // waited for for ever. Main may also be dying: never wait for the socket alone.
    const bool behind = error == EAGAIN;
    std::array<pollfd, 2> watched{{{setup_.control, static_cast<short>(behind ? POLLOUT : 0), 0},
                                   {setup_.main_pidfd, POLLIN, 0}}};
    ::poll(watched.data(), watched.size(), behind ? -1 : kTryAgainMs);
    if (lifeline::main_is_gone(watched[0].revents, watched[1].revents)) {
      end_everything();
    }
  }
}

bool Supervisor::any_worker() const {
  for (std::size_t slot = 0; slot < setup_.slots; ++slot) {
    if (setup_.workers[slot].pid != 0) return true;
  }
  return false;
}

void Supervisor::kill_when_overdue() {
  if (!stopping_ || Clock::now() < overdue_) return;
  children::signal_all(setup_.children, SIGKILL);
}

/// Kills what is below us, generation by generation: the children of the
/// killed become ours, since we are their subreaper. So nothing can escape by
/// forking, and no walk over a changing tree is needed.
void Supervisor::end_everything() {
  ending_ = true;
  for (;;) {
    children::Signalled killed = children::signal_all(setup_.children, SIGKILL);
    for (std::size_t slot = 0; slot < setup_.slots; ++slot) {
      // In case there is no /proc to list children.
      if (setup_.workers[slot].pid == 0) continue;
      ++(::kill(setup_.workers[slot].pid, SIGKILL) == 0 ? killed.reached : killed.refused);
    }
    siginfo_t child{};
    reap::Found found = reap::Found::dead_child;
    while ((found = reap::next_dead_child(child)) == reap::Found::dead_child) {
      bury(child);
    }
    if (found == reap::Found::no_child_left) ::_exit(0);
    // Only children that took another user's identity are left: nothing more
    // that we may do about them.
    if (killed.reached == 0 && killed.refused > 0) ::_exit(0);
    pollfd death{deaths_, POLLIN, 0};
    ::poll(&death, 1, 10);
    signalfd_siginfo ignored[4];
    while (::read(deaths_, ignored, sizeof ignored) > 0) {
    }
  }
}

}  // namespace

void run_supervisor(const SupervisorSetup& setup) {
  Supervisor(setup).run();
}

}  // namespace poolproof::detail
