#include "harness/warden/subject.h"

#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <span>
#include <string_view>

#include "harness/warden/packet.h"

namespace poolproof::warden {
namespace {

/// Tells the warden what failed and leaves. Runs in a child of ours, so never through exit().
[[noreturn]] void fail(const SubjectPlan& plan, const char* doing) {
  const auto error = sys::Error::from_errno(doing);
  (void)send_packet(plan.handshake.get(), error.message());
  ::_exit(127);
}

void set_limit(const SubjectPlan& plan, __rlimit_resource which, std::int64_t value,
               const char* name) {
  rlimit limit{};
  ::getrlimit(which, &limit);
  limit.rlim_cur = std::min<rlim_t>(static_cast<rlim_t>(value), limit.rlim_max);
  limit.rlim_max = limit.rlim_cur;
  if (::setrlimit(which, &limit) != 0) fail(plan, name);
}

void set_limits(const SubjectPlan& plan) {
  // RLIMIT_DATA and not RLIMIT_AS: address space is not memory, and the JVM and ASan reserve a lot.
  set_limit(plan, RLIMIT_DATA, plan.settings.data_bytes, "setrlimit RLIMIT_DATA");
  set_limit(plan, RLIMIT_FSIZE, plan.settings.file_bytes, "setrlimit RLIMIT_FSIZE");
  set_limit(plan, RLIMIT_CORE, 0, "setrlimit RLIMIT_CORE");
  // When memory runs out it is the subject that goes, not its observer. Best effort: a kernel that
  // refuses it changes no verdict.
  if (const sys::Fd score{::open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC)}; score) {
    (void)!::write(score.get(), "1000", 4);
  }
}

void set_streams(const SubjectPlan& plan) {
  const int null = ::open("/dev/null", O_RDONLY);
  if (null < 0 || ::dup2(null, 0) < 0) fail(plan, "open /dev/null as stdin");
  if (::dup2(plan.output.get(), 1) < 0 || ::dup2(plan.error.get(), 2) < 0) fail(plan, "dup2");
}

/// Signals as a login shell would hand them over: the warden's mask must not become the subject's.
void reset_signals() {
  for (int signal = 1; signal < NSIG; ++signal) ::signal(signal, SIG_DFL);
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
}

/// Closes everything above stderr at exec, except nothing: the handshake closes with the rest.
void close_others_at_exec() {
#ifdef CLOSE_RANGE_CLOEXEC
  ::close_range(3, ~0U, CLOSE_RANGE_CLOEXEC);
#else
  ::syscall(SYS_close_range, 3, ~0U, 1U << 2);
#endif
}

void block(int signal) {
  sigset_t one;
  ::sigemptyset(&one);
  ::sigaddset(&one, signal);
  ::sigprocmask(SIG_BLOCK, &one, nullptr);
}

/// As of `echo main\'s input | main`: a line, and then the end.
void give_input(const SubjectPlan& plan) {
  constexpr std::string_view kLine = "main's input\n";
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) fail(plan, "pipe2 for stdin");
  if (::write(ends[1], kLine.data(), kLine.size()) < 0) fail(plan, "write to stdin's pipe");
  if (::dup2(ends[0], STDIN_FILENO) < 0) fail(plan, "dup2 stdin's pipe");
}

void open_spare_descriptors(const SubjectPlan& plan) {
  for (int i = 0; i < harness::kSpareDescriptors; ++i) {
    if (::open("/dev/null", O_RDWR) < 0) fail(plan, "open a spare descriptor");
  }
}

/// After all else: what is left so stays so through the exec.
void leave_behind(const SubjectPlan& plan, harness::Inherited inherited) {
  using harness::Inherited;
  switch (inherited) {
    case Inherited::kSigchldIgnored:
      ::signal(SIGCHLD, SIG_IGN);
      return;
    case Inherited::kSigtermBlocked:
      return block(SIGTERM);
    case Inherited::kSigintIgnored:
      ::signal(SIGINT, SIG_IGN);
      return;
    case Inherited::kInput:
      return give_input(plan);
    case Inherited::kStdinClosed:
      ::close(STDIN_FILENO);
      return;
    case Inherited::kStdoutClosed:
      ::close(STDOUT_FILENO);
      return;
    case Inherited::kSpareDescriptors:
      return open_spare_descriptors(plan);
    case Inherited::kSubreaper:
      return;  // init has seen to it
    case Inherited::kSmallPipes:
      return;  // the warden sees to each
  }
}

#if defined(__x86_64__)
constexpr unsigned kArchitecture = AUDIT_ARCH_X86_64;
constexpr unsigned kForeignNumbers = 0x40000000;  // x32's begin here
#elif defined(__aarch64__)
constexpr unsigned kArchitecture = AUDIT_ARCH_AARCH64;
constexpr unsigned kForeignNumbers = ~0U;
#else
#error "the timer filter needs this architecture's name"
#endif

constexpr long kWakers[] = {
#ifdef SYS_alarm
    SYS_alarm,
#endif
    SYS_setitimer, SYS_timer_create, SYS_io_setup, SYS_io_uring_setup};

/// Stops (under ptrace; without a tracer they fail) at each of these calls. So does every call of
/// another architecture, whose numbers mean other things. Everything else runs at full speed: the
/// kernel caches "always allowed" per system call. Source: seccomp(2), SECCOMP_RET_TRACE.
bool install_filter(std::span<const long> traced) {
  const auto load = [](std::size_t offset) -> sock_filter {
    return BPF_STMT(BPF_LD | BPF_W | BPF_ABS, static_cast<unsigned>(offset));
  };
  const auto stop_if = [](unsigned test, unsigned value, bool wanted) -> sock_filter {
    constexpr unsigned char kToTheStop = 0;
    constexpr unsigned char kOverTheStop = 1;
    return BPF_JUMP(BPF_JMP | test | BPF_K, value, wanted ? kToTheStop : kOverTheStop,
                    wanted ? kOverTheStop : kToTheStop);
  };
  const sock_filter stop = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRACE);
  std::vector<sock_filter> program{
      load(offsetof(seccomp_data, arch)), stop_if(BPF_JEQ, kArchitecture, false),  stop,
      load(offsetof(seccomp_data, nr)),   stop_if(BPF_JGE, kForeignNumbers, true), stop};
  for (const long number : traced) {
    program.push_back(stop_if(BPF_JEQ, static_cast<unsigned>(number), true));
    program.push_back(stop);
  }
  program.push_back(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW));
  const sock_fprog filter{static_cast<unsigned short>(program.size()), program.data()};
  return ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) == 0;
}

std::vector<char*> pointers(std::vector<std::string>& words) {
  std::vector<char*> result;
  for (auto& word : words) result.push_back(word.data());
  result.push_back(nullptr);
  return result;
}

}  // namespace

bool arms_a_waker(long number) {
  return std::find(std::begin(kWakers), std::end(kWakers), number) != std::end(kWakers);
}

void become_subject(SubjectPlan& plan) {
  // A session of its own: a Ctrl-C at the harness's terminal is not part of the case.
  ::setsid();
  set_streams(plan);
  set_limits(plan);
  const bool wakers_seen = plan.watch_wakers && install_filter(kWakers);
  auto argv = pointers(plan.argv);
  auto environment = pointers(plan.environment);
  // The hello's credentials tell the warden which process to seize; the exec waits for its go.
  const auto said = send_packet(plan.handshake.get(), wakers_seen ? "hello, wakers seen" : "hello");
  if (!said) ::_exit(127);
  const auto go = receive_packet(plan.handshake.get());
  if (!go || go->bytes.empty()) ::_exit(127);
  // Only now, since we are traced by now: the handshake itself may be of the calls.
  if (wakers_seen && !plan.traced.empty() && !install_filter(plan.traced))
    fail(plan, "install the filter for the fault's system call");
  close_others_at_exec();
  reset_signals();
  // The spare descriptors first: they are not to get the numbers of streams that are closed.
  for (auto at = plan.inherits.rbegin(); at != plan.inherits.rend(); ++at) leave_behind(plan, *at);
  ::execvpe(argv[0], argv.data(), environment.data());
  fail(plan, ("exec " + plan.argv[0]).c_str());
}

}  // namespace poolproof::warden
