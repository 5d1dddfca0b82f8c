#include "harness/warden/init.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "harness/sys/proc.h"
#include "harness/warden/packet.h"
#include "harness/warden/place.h"
#include "harness/warden/subject.h"

extern char** environ;

namespace poolproof::warden {
namespace {

std::int64_t inodes_used(const char* mount) {
  struct statvfs now {};
  if (::statvfs(mount, &now) != 0) return 0;
  return static_cast<std::int64_t>(now.f_files) - static_cast<std::int64_t>(now.f_ffree);
}

/// Objects of System V IPC: each table has a header line and a line per object.
std::int64_t ipc_objects() {
  std::int64_t count = 0;
  for (const char* table : {"/proc/sysvipc/shm", "/proc/sysvipc/sem", "/proc/sysvipc/msg"}) {
    const auto text = sys::read_file(table);
    if (text) count += std::max<std::int64_t>(0, std::count(text->begin(), text->end(), '\n') - 1);
  }
  return count;
}

class Init {
 public:
  explicit Init(InitPlan plan) : plan_(std::move(plan)) {}

  [[noreturn]] void run();

 private:
  bool contained() const { return plan_.rung == Rung::kNamespaces; }
  sys::Result<void> set_up();
  sys::Result<void> open_files();
  void watch_children();
  void serve();
  void start(Packet& order);
  void clean();
  void reap_all_that_ended();
  bool kill_everything();
  [[noreturn]] void leave();

  InitPlan plan_;
  sys::Fd claims_;
  sys::Fd scenario_;
  sys::Fd children_;  // signalfd for SIGCHLD
  std::int64_t tmp_before_ = 0;
  std::int64_t shm_before_ = 0;
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
  } else {
    ::setsid();
    if (::prctl(PR_SET_CHILD_SUBREAPER, 1) != 0) return sys::Error::from_errno("prctl subreaper");
    ::signal(SIGTERM, SIG_IGN);
    ::signal(SIGHUP, SIG_IGN);
  }
  return open_files();
}

void Init::watch_children() {
  sigset_t mask;
  ::sigemptyset(&mask);
  ::sigaddset(&mask, SIGCHLD);
  ::sigprocmask(SIG_BLOCK, &mask, nullptr);
  children_ = sys::Fd(::signalfd(-1, &mask, SFD_CLOEXEC | SFD_NONBLOCK));
}

void Init::run() {
  ::prctl(PR_SET_NAME, "poolproof-init");
  if (auto ready = set_up(); !ready) {
    (void)send_packet(plan_.control.get(), ready.error().message());
    ::_exit(1);
  }
  watch_children();
  tmp_before_ = inodes_used("/tmp");
  shm_before_ = inodes_used("/dev/shm");
  (void)send_packet(plan_.control.get(), "ready", {claims_.get(), scenario_.get()});
  scenario_.reset();
  claims_.reset();
  serve();
  leave();
}

void Init::serve() {
  std::array<pollfd, 2> wanted{pollfd{plan_.control.get(), POLLIN, 0}, pollfd{children_.get(), POLLIN, 0}};
  for (;;) {
    if (sys::retry_eintr([&] { return ::poll(wanted.data(), wanted.size(), -1); }) < 0) return;
    if (wanted[1].revents != 0) reap_all_that_ended();
    if (wanted[0].revents == 0) continue;
    auto order = receive_packet(plan_.control.get());
    if (!order || order->bytes.empty()) return;
    if (order->bytes[0] == static_cast<char>(Order::kStart)) start(*order);
    if (order->bytes[0] == static_cast<char>(Order::kClean)) clean();
  }
}

/// Adopted orphans and main itself: nobody else waits for them.
void Init::reap_all_that_ended() {
  signalfd_siginfo ignored{};
  while (::read(children_.get(), &ignored, sizeof ignored) > 0) {
  }
  while (::waitpid(-1, nullptr, WNOHANG) > 0) {
  }
}

void Init::start(Packet& order) {
  SubjectPlan subject;
  for (std::size_t at = 1; at < order.bytes.size();) {
    subject.argv.emplace_back(order.bytes.c_str() + at);
    at += subject.argv.back().size() + 1;
  }
  subject.settings = plan_.settings;
  subject.watch_timers = plan_.rung != Rung::kNoTrace;
  subject.output = std::move(order.descriptors.at(0));
  subject.error = std::move(order.descriptors.at(1));
  subject.handshake = std::move(order.descriptors.at(2));
  // A failed fork is seen by the warden as a handshake that ends without a hello.
  if (::fork() != 0) return;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    if (std::strncmp(*entry, "TMPDIR=", 7) != 0) subject.environment.emplace_back(*entry);
  }
  if (contained()) subject.environment.emplace_back("TMPDIR=/tmp");
  subject.environment.push_back("POOLPROOF_TRACE=" + plan_.folder + "/claims");
  become_subject(subject);
}

/// True when nothing is left. kill(-1) reaches everything but its caller in a PID namespace; outside
/// of one it would reach the whole machine, so there the descendants are walked.
bool Init::kill_everything() {
  for (int round = 0; round < 1000; ++round) {
    if (contained()) {
      ::kill(-1, SIGKILL);
      while (::waitpid(-1, nullptr, 0) > 0) {
      }
      if (errno == ECHILD) return true;
      continue;
    }
    std::vector<int> doomed = sys::children_of(::getpid());
    for (std::size_t i = 0; i < doomed.size(); ++i) {
      for (const int child : sys::children_of(doomed[i])) doomed.push_back(child);
    }
    for (const int pid : doomed) ::kill(pid, SIGKILL);
    while (::waitpid(-1, nullptr, WNOHANG) > 0) {
    }
    if (::waitpid(-1, nullptr, WNOHANG) < 0 && errno == ECHILD) return true;
    ::poll(nullptr, 0, 1);
  }
  return false;
}

void Init::clean() {
  Remains remains;
  remains.processes = !kill_everything();
  if (contained()) {
    remains.tmp_inodes = inodes_used("/tmp") - tmp_before_;
    remains.shm_inodes = inodes_used("/dev/shm") - shm_before_;
    remains.ipc_objects = ipc_objects();
  }
  (void)send_packet(plan_.control.get(), std::string_view(reinterpret_cast<const char*>(&remains), sizeof remains));
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

void init_main(InitPlan plan) { Init(std::move(plan)).run(); }

}  // namespace poolproof::warden
