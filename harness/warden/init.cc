#include "harness/warden/init.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/prctl.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <filesystem>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "harness/sys/proc.h"
#include "harness/warden/child_signal.h"
#include "harness/warden/packet.h"
#include "harness/warden/place.h"
#include "harness/warden/subject.h"

extern "C" {  // glibc 2.36 forgets it
#include <sys/pidfd.h>
}

extern char** environ;

namespace poolproof::warden {
namespace {

std::int64_t inodes_used(const char* mount) {
  struct statvfs now {};
  if (::statvfs(mount, &now) != 0) return 0;
  return static_cast<std::int64_t>(now.f_files) - static_cast<std::int64_t>(now.f_ffree);
}

std::int64_t files_in(const std::string& folder) {
  std::int64_t count = 0;
  std::error_code error;
  for (std::filesystem::directory_iterator at(folder, error), end; !error && at != end;) {
    ++count;
    at.increment(error);
  }
  return count;
}

/// Objects of System V IPC in our namespace. Source: shmctl(2), semctl(2), msgctl(2) on their
/// *_INFO.
std::int64_t ipc_objects() {
  std::int64_t count = 0;
  shm_info segments{};
  if (::shmctl(0, SHM_INFO, reinterpret_cast<shmid_ds*>(&segments)) >= 0)
    count += segments.used_ids;
  seminfo sets{};
  if (::semctl(0, 0, SEM_INFO, &sets) >= 0) count += sets.semusz;
  msginfo queues{};
  if (::msgctl(0, MSG_INFO, reinterpret_cast<msqid_ds*>(&queues)) >= 0) count += queues.msgpool;
  return count;
}

/// What must not change of a file or folder that every case uses.
struct Identity {
  std::string path;
  dev_t device = 0;
  ino_t inode = 0;
  mode_t mode = 0;
  uid_t owner = 0;
  bool operator==(const Identity&) const = default;
};

Identity identity(const std::string& path) {
  struct stat now {};
  if (::stat(path.c_str(), &now) != 0) return {path};
  return {path, now.st_dev, now.st_ino, now.st_mode, now.st_uid};
}

class Init {
 public:
  explicit Init(InitPlan plan) : plan_(std::move(plan)) {}

  [[noreturn]] void run();

 private:
  bool contained() const { return plan_.rung == Rung::kNamespaces; }
  sys::Result<void> set_up();
  sys::Result<void> open_files();
  void note_beginning();
  bool altered();
  Remains remains();
  std::vector<sys::Fd> descendants();
  void serve();
  void start(Packet& order);
  void set_next_pid(const Packet& order);
  void clean();
  void reap_all_that_ended();
  bool kill_everything();
  [[noreturn]] void leave();

  InitPlan plan_;
  sys::Fd claims_;
  sys::Fd scenario_;
  ChildSignal children_;
  std::string queues_;
  sys::Fd mounts_;  // tells of changes to the mounts
  Remains before_;
  std::vector<Identity> identities_;
};

sys::Result<void> Init::open_files() {
  auto claims = sys::open_file(plan_.folder + "/claims", O_RDWR | O_CREAT, 0600);
  if (!claims) return claims.error();
  auto scenario = sys::open_file(plan_.folder + "/scenario.json", O_RDWR | O_CREAT, 0600);
  if (!scenario) return scenario.error();
  claims_ = std::move(*claims);
  scenario_ = std::move(*scenario);
  return {};
}

sys::Result<void> Init::set_up() {
  if (contained()) {
    // On the lower rungs the socket's end of file does this, since there somebody must clean up.
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    // The warden's answer says that it still lives (getppid() is 0 in here and tells nothing) and,
    // with a user namespace, that our ids are mapped.
    const auto mapped = receive_packet(plan_.control.get());
    if (!mapped || mapped->bytes.empty()) ::_exit(1);
    if (auto done = furnish(plan_.settings, plan_.shown, plan_.folder); !done) return done;
    queues_ = show_message_queues(plan_.folder);
  } else {
    ::setsid();
    if (::prctl(PR_SET_CHILD_SUBREAPER, 1) != 0) return sys::Error::from_errno("prctl subreaper");
    ::signal(SIGTERM, SIG_IGN);
    ::signal(SIGHUP, SIG_IGN);
  }
  return open_files();
}

/// The runner's pipes are the warden's alone: the runner must see their end when the warden dies.
void leave_runner_pipes() {
  const sys::Fd null(::open("/dev/null", O_RDWR | O_CLOEXEC));
  ::dup2(null.get(), STDIN_FILENO);
  ::dup2(null.get(), STDOUT_FILENO);
}

void Init::run() {
  ::prctl(PR_SET_NAME, "poolproof-init");
  leave_runner_pipes();
  if (auto ready = set_up(); !ready) {
    (void)send_packet(plan_.control.get(), ready.error().message());
    ::_exit(1);
  }
  note_beginning();
  (void)send_packet(plan_.control.get(), "ready", {claims_.get(), scenario_.get()});
  scenario_.reset();
  claims_.reset();
  serve();
  leave();
}

void Init::note_beginning() {
  for (const char* ours : {"/claims", "/scenario.json"}) {
    identities_.push_back(identity(plan_.folder + ours));
  }
  if (!contained()) return;
  for (const char* place : {"/tmp", "/dev/shm"}) identities_.push_back(identity(place));
  mounts_ = sys::Fd(::open("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC));
  before_ = remains();
}

bool Init::altered() {
  pollfd mounts{mounts_.get(), POLLPRI, 0};
  if (mounts_ && ::poll(&mounts, 1, 0) > 0) return true;
  return !std::all_of(identities_.begin(), identities_.end(),
                      [](const auto& one) { return identity(one.path) == one; });
}

void Init::serve() {
  std::array<pollfd, 2> wanted{pollfd{plan_.control.get(), POLLIN, 0},
                               pollfd{children_.get(), POLLIN, 0}};
  for (;;) {
    if (sys::retry_eintr([&] { return ::poll(wanted.data(), wanted.size(), -1); }) < 0) return;
    if (wanted[1].revents != 0) reap_all_that_ended();
    if (wanted[0].revents == 0) continue;
    auto order = receive_packet(plan_.control.get());
    if (!order || order->bytes.empty()) return;
    if (order->bytes[0] == static_cast<char>(Order::kStart)) start(*order);
    if (order->bytes[0] == static_cast<char>(Order::kNextPid)) set_next_pid(*order);
    if (order->bytes[0] == static_cast<char>(Order::kClean)) clean();
  }
}

/// Adopted orphans and main itself: nobody else waits for them. Without ptrace their zombies stay
/// until the clean-up, since they are all that tells the warden how they ended.
void Init::reap_all_that_ended() {
  children_.take();
  if (plan_.rung == Rung::kNoTrace) return;
  while (::waitpid(-1, nullptr, WNOHANG) > 0) {
  }
}

/// What systemd --user or a container's init is: the orphans below it become its children, and not
/// those of process 1. It holds nothing of the case's, and goes when nobody is left below it.
/// keeps_zombies: somebody else wants to see how they ended. Source:
/// PR_SET_CHILD_SUBREAPER(2const).
[[noreturn]] void reap_below(bool keeps_zombies) {
  ::prctl(PR_SET_NAME, "poolproof-reap");
  ::close_range(STDIN_FILENO, ~0U, 0);
  if (keeps_zombies) {
    for (;;) ::pause();
  }
  while (::waitpid(-1, nullptr, 0) > 0 || errno == EINTR) {
  }
  ::_exit(0);
}

void Init::start(Packet& order) {
  SubjectPlan subject;
  std::vector<std::string> words;
  for (std::size_t at = 1; at < order.bytes.size(); at += words.back().size() + 1)
    words.emplace_back(order.bytes.c_str() + at);
  const std::string sync_points = words.at(0);
  std::istringstream traced(words.at(1));
  for (long number = 0; traced >> number;) subject.traced.push_back(number);
  std::istringstream inherits(words.at(2));
  for (std::string name; inherits >> name;) {
    if (const auto inherited = harness::inherited_named(name)) subject.inherits.insert(*inherited);
  }
  subject.argv.assign(words.begin() + 3, words.end());
  subject.settings = plan_.settings;
  subject.watch_wakers = plan_.rung != Rung::kNoTrace;
  // Fewer came only if we have no descriptors left: the handshake then ends without a hello.
  if (order.descriptors.size() != 3) return;
  subject.output = std::move(order.descriptors[0]);
  subject.error = std::move(order.descriptors[1]);
  subject.handshake = std::move(order.descriptors[2]);
  // A failed fork is seen by the warden as a handshake that ends without a hello.
  if (::fork() != 0) return;
  if (subject.inherits.count(harness::Inherited::kSubreaper) > 0) {
    ::prctl(PR_SET_CHILD_SUBREAPER, 1);
    if (::fork() != 0) reap_below(plan_.rung == Rung::kNoTrace);
  }
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view text(*entry);
    const bool ours = text.rfind("POOLPROOF_TRACE=", 0) == 0 ||
                      text.rfind("POOLPROOF_SYNC=", 0) == 0 ||
                      (contained() && text.rfind("TMPDIR=", 0) == 0);
    if (!ours) subject.environment.emplace_back(text);
  }
  if (contained()) subject.environment.emplace_back("TMPDIR=/tmp");
  subject.environment.push_back("POOLPROOF_TRACE=" + plan_.folder + "/claims");
  subject.environment.push_back("POOLPROOF_SYNC=" + sync_points);
  become_subject(subject);
}

/// Who is born next in our namespace gets this pid, or the next one that is free; 0: only says
/// whether that can be had. We may write there where the subject may not: the file takes
/// CAP_SYS_ADMIN over the namespace. Source: ns_last_pid, proc_sys_kernel(5).
void Init::set_next_pid(const Packet& order) {
  const int pid = std::atoi(order.bytes.c_str() + 1);
  const sys::Fd last(::open("/proc/sys/kernel/ns_last_pid", O_WRONLY | O_CLOEXEC));
  const bool done =
      last && (pid == 0 || sys::write_all(last.get(), std::to_string(pid - 1)).has_value());
  (void)send_packet(plan_.control.get(), done ? "set" : "refused");
}

/// All below us, without signalling anybody who got the number of one that has just gone.
std::vector<sys::Fd> Init::descendants() {
  std::vector<sys::Fd> handles;
  std::vector<int> parents{::getpid()};
  for (std::size_t i = 0; i < parents.size(); ++i) {
    for (const int child : sys::children_of(parents[i])) {
      sys::Fd handle = sys::open_pidfd(child);
      const auto state = sys::process_state(child);
      if (!handle || !state || state->parent != parents[i]) continue;
      handles.push_back(std::move(handle));
      parents.push_back(child);
    }
  }
  return handles;
}

/// True when nothing is left. kill(-1) reaches everything but its caller in a PID namespace;
/// outside of one it would reach the whole machine, so there the descendants are walked.
bool Init::kill_everything() {
  for (int round = 0; round < 1000; ++round) {
    if (contained()) {
      ::kill(-1, SIGKILL);
      while (::waitpid(-1, nullptr, 0) > 0) {
      }
      if (errno == ECHILD) return true;
      continue;
    }
    for (const auto& handle : descendants()) {
      ::pidfd_send_signal(handle.get(), SIGKILL, nullptr, 0);
    }
    while (::waitpid(-1, nullptr, WNOHANG) > 0) {
    }
    if (::waitpid(-1, nullptr, WNOHANG) < 0 && errno == ECHILD) return true;
    ::poll(nullptr, 0, 1);
  }
  return false;
}

/// What of the subject's is there, less what was there before the first.
Remains Init::remains() {
  Remains now;
  now.altered = altered();
  if (!contained()) return now;
  now.tmp_inodes = inodes_used("/tmp") + inodes_used(plan_.folder.c_str()) - before_.tmp_inodes;
  now.shm_inodes = inodes_used("/dev/shm") - before_.shm_inodes;
  now.ipc_objects = ipc_objects() - before_.ipc_objects;
  now.message_queues = queues_.empty() ? 0 : files_in(queues_) - before_.message_queues;
  return now;
}

void Init::clean() {
  const bool killed = kill_everything();
  Remains found = remains();
  found.processes = !killed;
  (void)send_packet(plan_.control.get(),
                    std::string_view(reinterpret_cast<const char*>(&found), sizeof found));
}

void Init::leave() {
  if (!contained()) {
    kill_everything();
    ::unlink((plan_.folder + "/claims").c_str());
    ::unlink((plan_.folder + "/scenario.json").c_str());
    ::rmdir(plan_.folder.c_str());
  }
  ::_exit(0);
}

}  // namespace

void init_main(InitPlan plan) {
  Init(std::move(plan)).run();
}

}  // namespace poolproof::warden
