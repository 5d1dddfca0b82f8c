#include "crew.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <cerrno>
#include <new>
#include <poolproof/errors.hpp>
#include <system_error>

#include "control.hpp"
#include "forking.hpp"
#include "image.hpp"
#include "lifeline.hpp"
#include "null_device.hpp"
#include "reap.hpp"
#include "reexec.hpp"
#include "signals.hpp"
#include "supervisor.hpp"
#include "worker.hpp"

extern "C" {
#include <sys/pidfd.h>
}

namespace poolproof::detail {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

/// How many spawn commands may be unanswered: neither side's socket buffer may fill up with nobody
/// reading, and a supervisor that is starting workers must still take the command to end them.
constexpr std::size_t kHiresInFlight = 16;
constexpr milliseconds kFirstDelay{1};
constexpr milliseconds kLongestDelay{1000};
/// At most, from when the supervisor's socket is closed until its status is there.
constexpr int kEndTakesMs = 100;
/// Where main has to have a worker killed by it, and the socket is full of other commands.
constexpr int kSupervisorReadsWithinMs = 100;
/// After the supervisor's end, where main may not kill: the kernel has killed the worker by then,
/// unless a task of it has seen to it that it does not.
constexpr int kKernelKillsWithinMs = 1000;
/// A worker that cannot start, although there is a process for it, mostly ends within this.
constexpr milliseconds kEarlyDeathTakes{10};

/// As in multiprocessing, one series for all pools of a process.
std::uint64_t next_serial() {
  static std::atomic<std::uint64_t> last{0};
  return ++last;
}

std::array<Fd, 2> socket_pair(int type) {
  std::array<int, 2> ends{};
  if (::socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, ends.data()) != 0) {
    throw_errno("poolproof: socketpair");
  }
  Fd first(ends[0]);
  Fd second(ends[1]);
  return {off_stdio(std::move(first)), off_stdio(std::move(second))};
}

/// Whether it has got the signal, or is gone. False: main may not send it.
bool signal_by(const Fd& pidfd, int signal) {
  return ::pidfd_send_signal(pidfd.get(), signal, nullptr, 0) == 0 || errno == ESRCH;
}

bool is_open(int fd) {
  return ::fcntl(fd, F_GETFD) != -1;
}

[[noreturn]] void refuse_containment(int error) {
  throw ContainmentRefused(
      "the kernel refuses a PID namespace (" + std::system_category().message(error) +
      "): it takes root, or for other users user namespaces, which sysctl "
      "user.max_user_namespaces, "
      "AppArmor or a container may forbid; or ask for Containment::supervisor");
}

/// As multiprocessing names them.
std::string worker_name(StartMethod method, std::uint64_t serial) {
  const char* const kind = method == StartMethod::fork         ? "Fork"
                           : method == StartMethod::forkserver ? "ForkServer"
                                                               : "Spawn";
  return std::string(kind) + "PoolWorker-" + std::to_string(serial);
}

milliseconds delay_after(int failures) {
  const int doublings = std::min(failures - 1, 10);
  return std::min(kFirstDelay * (1 << doublings), kLongestDelay);
}

}  // namespace

Crew::Crew(std::size_t workers, StartMethod method, Containment containment)
    : owner_(::getpid()), method_(method), containment_(containment), beginning_(workers) {
  slots_.reserve(room_for(workers));  // a slot stays where it is
}

Crew::~Crew() {
  if (supervisor_ == 0) return;
  control_.reset();  // the supervisor takes it for main's end
  bury();
}

void Crew::abandon_in_child() {
  for (Slot& slot : slots_) {
    slot.channel.abandon();
    for (const Task& task : slot.in_hands) task.payload.abandon();
    slot.pidfd.reset();
  }
  control_.reset();
  supervisor_pidfd_.reset();
  supervisor_ = 0;
}

void Crew::start(bool force) {
  // The order: all that can fail for lack of descriptors or memory first;
  // then the supervisor.
  const Fd null = open_null_device();
  Fd main_pidfd = lifeline::open_on_this_process();
  auto [ours, theirs] = socket_pair(SOCK_SEQPACKET);
  control_ = std::move(ours);
  std::vector<SupervisorSetup::Worker> workers(room_for(beginning_));
  const bool contained = containment_ == Containment::pid_namespace;
  const SupervisorSetup setup{theirs.get(), main_pidfd.get(), null.get(), workers.data(),
                              beginning_,   method_,          contained};
  supervisor_ = method_ == StartMethod::fork ? fork_supervisor(setup, force)
                                             : reexec::start_supervisor(setup);
  supervisor_pidfd_ = off_stdio_or_none(Fd(open_pidfd(supervisor_)));
  theirs.reset();
  // Not before the fork: each worker would be forked with pages full of empty slots.
  grow(beginning_);
  if (method_ != StartMethod::fork || contained) await_supervisor(force);
  hire_all();
}

void Crew::await_supervisor(bool force) {
  std::array<pollfd, 2> answer{{{control_.get(), POLLIN, 0}, {supervisor_pidfd_.get(), POLLIN, 0}}};
  const Clock::time_point limit = Clock::now() + reexec::patience();
  milliseconds left = reexec::patience();
  while (::poll(answer.data(), answer.size(), static_cast<int>(left.count())) <= 0 &&
         left > milliseconds(0)) {
    left = std::max(std::chrono::ceil<milliseconds>(limit - Clock::now()), milliseconds(0));
  }
  Report report;
  if (!take_report(report, false)) supervisor_never_came(left > milliseconds(0));
  if (report.how == Report::kNotContained) refuse_containment(report.code);
  if (report.code != 0) {
    throw Error("poolproof: /proc/self/exe is another program than the one that runs here");
  }
  if (report.how == Report::kThreads && !force) {
    throw ThreadsPresent(
        "the fork server has threads, which static objects of the program have started: use start "
        "method spawn, or set force_fork_with_threads");
  }
}

std::string Crew::supervisor_fate() const {
  // Its socket closes a little before it has ended.
  pollfd end{supervisor_pidfd_.get(), POLLIN, 0};
  ::poll(&end, 1, supervisor_pidfd_.valid() ? kEndTakesMs : 0);
  const bool by_pidfd = supervisor_pidfd_.valid();
  const auto id = static_cast<id_t>(by_pidfd ? supervisor_pidfd_.get() : supervisor_);
  siginfo_t info{};
  const int options = WEXITED | WNOWAIT | WNOHANG;
  const std::string fate = "the pool's supervisor died";
  if (::waitid(by_pidfd ? P_PIDFD : P_PID, id, &info, options) != 0 || info.si_pid == 0) {
    return fate;
  }
  Report death;
  death.how = info.si_code;
  death.code = info.si_status;
  return fate + ": " + to_string(status_of(death));
}

void Crew::supervisor_never_came(bool in_time) {
  kill_supervisor();
  if (!in_time && method_ != StartMethod::fork) {  // it dies of us, which says nothing
    throw InitMissing(reexec::never_came() +
                      "; make `poolproof::init(argc, argv);` the first line of main");
  }
  siginfo_t end{};
  int waited = 0;
  do {
    waited = ::waitid(P_PID, static_cast<id_t>(supervisor_), &end, WEXITED | WNOWAIT);
  } while (waited != 0 && errno == EINTR);
  Report death;
  death.how = end.si_code;
  death.code = end.si_status;
  const std::string how = waited == 0 ? to_string(status_of(death))
                                      : "its status is gone: main reaps or ignores its children";
  if (method_ == StartMethod::fork) {
    throw std::system_error(ESRCH, std::system_category(), "poolproof: " + supervisor_fate());
  }
  throw InitMissing("a copy of this program did not come to poolproof::init (" + how +
                    "); make `poolproof::init(argc, argv);` the first line of main");
}

std::uint64_t Crew::name_of(Invoke function) const {
  return method_ == StartMethod::fork ? std::bit_cast<std::uint64_t>(function)
                                      : image::code_of(function);
}

void Crew::hire_all() {
  std::size_t asked = 0;
  std::size_t answered = 0;
  while (answered < size()) {
    while (asked < size() && asked - answered < kHiresInFlight) {
      if (const int error = send_spawn(asked++)) {
        throw std::system_error(error, std::system_category(), "poolproof: start a worker");
      }
    }
    Report report;
    if (!take_report(report, true)) {
      throw std::system_error(ESRCH, std::system_category(), "poolproof: " + supervisor_fate());
    }
    if (report.kind == Report::Kind::fork_failed) {
      throw std::system_error(report.code, std::system_category(), "poolproof: fork a worker");
    }
    if (report.kind == Report::Kind::started) {
      if (!slots_[static_cast<std::size_t>(report.slot)].pidfd.valid()) {
        throw std::system_error(EMFILE, std::system_category(), "poolproof: start a worker");
      }
      ++answered;
    } else {  // somebody has killed one already; the dispatcher replaces it
      vacate(static_cast<std::size_t>(report.slot), Vacancy::failed_start);
    }
  }
}

std::size_t Crew::hires_left() const {
  const auto asked =
      static_cast<std::size_t>(std::count_if(slots_.begin(), slots_.end(), [](const Slot& slot) {
        return slot.life == Slot::Life::starting;
      }));
  return kHiresInFlight - std::min(asked, kHiresInFlight);
}

void Crew::hire(std::size_t index) {
  if (slots_[index].failures > 0) next_try_ = kNever;  // until it is known what comes of this one
  if (send_spawn(index) != 0) vacate(index, Vacancy::failed_start);
}

Clock::time_point Crew::due(std::size_t index) const {
  const Slot& slot = slots_[index];
  return slot.failures == 0 ? slot.hire_at : std::max(slot.hire_at, next_try_);
}

/// Returns 0 or an errno.
int Crew::send_spawn(std::size_t index) {
  Slot& slot = slots_[index];
  std::array<Fd, 2> ends;
  Channel channel;
  Fd ring;
  try {
    ends = socket_pair(SOCK_SEQPACKET);
    channel = Channel(std::move(ends[0]), RingMemory::create(ring));
    slot.serial = next_serial();
    slot.name = worker_name(method_, slot.serial);
  } catch (const std::system_error& error) {
    return error.code().value();
  } catch (const std::bad_alloc&) {
    return ENOMEM;
  }

  Command command;
  command.slot = static_cast<std::int32_t>(index);
  command.serial = slot.serial;
  command.has_stdout = is_open(STDOUT_FILENO);
  command.has_stderr = is_open(STDERR_FILENO);
  control::Descriptors descriptors{ends[1].get(), ring.get(), -1, -1};
  std::size_t count = 2;
  if (command.has_stdout) descriptors[count++] = STDOUT_FILENO;
  if (command.has_stderr) descriptors[count++] = STDERR_FILENO;
  const Clock::time_point asked = Clock::now();  // the worker may be there before `send` returns
  const int error =
      control::send(control_.get(), &command, sizeof command, descriptors.data(), count);
  if (error != 0) return error;
  slot.channel = std::move(channel);
  slot.life = Slot::Life::starting;
  slot.never_came = false;
  slot.hired_at = asked;
  return 0;
}

void Slot::rouse_caller() const {
  if (caller_asleep) Waker::rouse(channel.memory()->ring().for_results);
}

bool Crew::take_report(Report& report, bool wait) {
  control::Descriptors descriptors{};
  for (;;) {
    const bool gone = supervisor_gone(0);  // before the look: all that it sent is there then
    const control::Received received =
        control::receive(control_.get(), &report, sizeof report, descriptors, false);
    if (received == control::Received::message) {
      if (report.kind == Report::Kind::started) welcome(report, descriptors[0]);
      return true;
    }
    const bool nothing = received == control::Received::nothing;
    if (received == control::Received::closed || (nothing && gone)) lost_ = true;
    if (!wait || !nothing || gone) return false;
    static_cast<void>(supervisor_gone(-1));
  }
}

/// Waits, at most so long, for that or for a report.
bool Crew::supervisor_gone(int wait_ms) const {
  std::array<pollfd, 2> watched{
      {{supervisor_pidfd_.get(), POLLIN, 0}, {wait_ms == 0 ? -1 : control_.get(), POLLIN, 0}}};
  return ::poll(watched.data(), watched.size(), wait_ms) > 0 && watched[0].revents != 0;
}

void Crew::welcome(const Report& report, int pidfd) {
  Slot& slot = slots_[static_cast<std::size_t>(report.slot)];
  slot.pid = report.pid;
  slot.pidfd = Fd(pidfd);
  slot.life = Slot::Life::alive;
  if (slot.failures > 0) next_try_ = Clock::now() + kEarlyDeathTakes;
}

/// Whoever sleeps for an answer of this worker finds out that there will be none.
void Crew::close_channel(Slot& slot) {
  slot.rouse_caller();
  slot.caller_asleep = false;
  slot.channel.close();
}

void Crew::vacate(std::size_t index, Vacancy why) {
  Slot& slot = slots_[index];
  add_departed(index);
  close_channel(slot);
  slot.pidfd.reset();
  slot.pid = 0;
  slot.life = Slot::Life::vacant;
  slot.given = 0;
  slot.initialising = false;
  slot.leaving = false;
  slot.hire_at = Clock::now();
  if (why == Vacancy::failed_start) return note_failure(slot);
  slot.failures = 0;
  last_departed_hire_ = std::max(last_departed_hire_, slot.hired_at);
  last_departure_ = slot.hire_at;
}

void Crew::note_failure(Slot& slot) {
  if (slot.failures > 0 && any_ready_since(slot.failing_since)) slot.failures = 0;
  if (slot.failures++ == 0) slot.failing_since = slot.hire_at;
  slot.hire_at += delay_after(slot.failures);
  next_try_ = slot.hire_at;
}

bool Crew::deserted_for(Clock::duration time) const {
  return Clock::now() - last_departure_ >= time &&
         std::all_of(slots_.begin(), slots_.end(),
                     [](const Slot& slot) { return slot.life == Slot::Life::vacant; });
}

/// Whether a worker that was started after `time` has come as far as to take tasks.
bool Crew::any_ready_since(Clock::time_point time) const {
  if (last_departed_hire_ > time) return true;
  return std::any_of(slots_.begin(), slots_.end(), [&](const Slot& slot) {
    return slot.life == Slot::Life::alive && slot.hired_at > time && !slot.initialising &&
           slot.pidfd.valid() && slot.channel.ready();
  });
}

bool Crew::had_started(std::size_t index) {
  const Slot& slot = slots_[index];
  if (slot.in_hands.empty() || !slot.channel.open()) return false;
  const WorkerStatus& status = slot.channel.status();
  return status.started.load(std::memory_order_acquire) == slot.in_hands.front().number;
}

Clock::time_point Crew::began(std::size_t index) const {
  const WorkerStatus& status = slots_[index].channel.status();
  return Clock::time_point(
      std::chrono::nanoseconds(status.began_ns.load(std::memory_order_acquire)));
}

void Crew::stop(Command::Kind how, milliseconds patience) {
  // One that somebody has stopped could neither act nor be waited for.
  if (supervisor_pidfd_.valid()) {
    ::pidfd_send_signal(supervisor_pidfd_.get(), SIGCONT, nullptr, 0);
  }
  if (how == Command::Kind::drain) {
    for (std::size_t i = 0; i < size(); ++i) {
      if (slots_[i].channel.listening()) dismiss(i);
    }
  }
  Command command;
  command.kind = how;
  command.patience_ms = std::max<std::int64_t>(patience.count(), 0);
  if (control::send(control_.get(), &command, sizeof command) != 0) {
    kill_supervisor();  // it takes nothing any more, so it is of no use
  }
}

void Crew::dismiss(std::size_t index) {
  if (slots_[index].leaving) return;
  slots_[index].leaving = true;
  if (!slots_[index].channel.give_quit()) kill_worker(index);
}

void Crew::kill_worker(std::size_t index) {
  if (!slots_[index].pidfd.valid() || signal_by(slots_[index].pidfd, SIGKILL)) return;
  // Main has given up the identity with which it made the pool. The supervisor has it.
  Command command;
  command.kind = Command::Kind::kill;
  command.slot = static_cast<std::int32_t>(index);
  pollfd room{control_.get(), POLLOUT, 0};
  ::poll(&room, 1, kSupervisorReadsWithinMs);
  static_cast<void>(control::send(control_.get(), &command, sizeof command));
}

void Crew::kill_supervisor() {
  if (!supervisor_pidfd_.valid() || signal_by(supervisor_pidfd_, SIGKILL)) return;
  ::shutdown(control_.get(), SHUT_RDWR);  // what it takes for main's end
}

void Crew::bury() {
  // None is left in the ordinary way. If the supervisor was killed, the kernel has killed the
  // workers, save those that cleared their PDEATHSIG.
  bool may_kill = true;
  for (const Slot& slot : slots_) {
    if (slot.pidfd.valid()) may_kill = signal_by(slot.pidfd, SIGKILL) && may_kill;
  }
  // Before the workers: until it is reaped they may still be its children, not ours.
  reap::supervisor(supervisor_pidfd_.get(), supervisor_);
  for (std::size_t i = 0; i < size(); ++i) {
    Slot& slot = slots_[i];
    if (slot.pidfd.valid()) {
      pollfd death{slot.pidfd.get(), POLLIN, 0};
      while (::poll(&death, 1, may_kill ? -1 : kKernelKillsWithinMs) == -1 && errno == EINTR) {
      }
      reap::adopted(slot.pidfd.get());
    }
    add_departed(i);
    close_channel(slot);
    slot.in_hands.clear();  // nobody will say what became of them, and large ones are files
    slot.pidfd.reset();
    slot.life = Slot::Life::vacant;
  }
  supervisor_ = 0;
  supervisor_pidfd_.reset();
  control_.reset();
}

ExitStatus status_of(const Report& report) {
  if (report.how == CLD_EXITED) return Exited{report.code};
  return Killed{report.code, report.how == CLD_DUMPED};
}

}  // namespace poolproof::detail
