#include "harness/launch.h"

#include <fcntl.h>
#include <linux/close_range.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

// Headers alone: no Boost library is linked. The order matters: with std::filesystem, 1.81's
// headers use the first two without including them.
#define BOOST_PROCESS_USE_STD_FS 1
#include <boost/optional.hpp>
#include <boost/type_traits.hpp>

#include <boost/asio/io_context.hpp>
#include <boost/process/v2/environment.hpp>
#include <boost/process/v2/posix/default_launcher.hpp>
#include <boost/process/v2/process.hpp>
#include <boost/process/v2/stdio.hpp>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <set>
#include <system_error>

#include "harness/sys/proc.h"

namespace poolproof::harness {
namespace {

namespace process = boost::process::v2;

/// Runs in the child. A failed exec of 1.81 would run our atexit handlers there, and its closing of
/// descriptors leaves out those between the streams and its own pipe.
struct AloneAndMortal {
  using Path = process::filesystem::path;
  using Words = const char* const*;
  using Code = boost::system::error_code;

  template <class Launcher>
  Code on_exec_setup(Launcher&, const Path&, const Words&) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    ::close_range(3, ~0U, CLOSE_RANGE_CLOEXEC);
    return {};
  }
  template <class Launcher>
  void on_exec_error(Launcher&, const Path&, const Words&, const Code&) {
    ::_exit(127);
  }
  /// Never called: 1.81 looks for this one, and then calls the other.
  template <class Launcher>
  void on_exec_error(Launcher&, const Code&, const Path&, const Words&, const Code&);
};

void reap_failed(int pid) {
  sys::retry_eintr([pid] { return ::waitpid(pid, nullptr, 0); });
}

/// The launcher reports a failed exec itself, over a pipe; the pid is detached at once, since
/// waiting and decoding are ours (1.81's exit_code() is 9 after kill -9 and after exit 9).
sys::Result<int> start(std::span<const std::string> argv, int input, int output, int error) {
  std::string program = argv.front();
  if (program.find('/') == std::string::npos) {
    const auto found = process::environment::find_executable(program);
    if (found.empty()) return sys::Error(program + ": not found in PATH");
    program = found.string();
  }
  const std::vector<std::string> arguments(argv.begin() + 1, argv.end());
  std::fflush(nullptr);  // a child of fork must not hold what we have not yet written
  boost::asio::io_context context;
  boost::system::error_code failed;
  process::posix::default_launcher launcher;
  auto child = launcher(context.get_executor(), failed, process::filesystem::path(program),
                        arguments, process::process_stdio{input, output, error}, AloneAndMortal{});
  // 1.81 leaves the child that could not exec to be waited for.
  if (failed && launcher.pid > 0) reap_failed(launcher.pid);
  if (failed)
    return sys::Error(std::error_code(failed.value(), std::generic_category()), "start " + program);
  return static_cast<int>(child.detach().id());
}

/// Reads both streams until they end, the deadline passes or it is stopped; true when they ended.
bool collect(CommandOutput& output, sys::Fd& out, sys::Fd& err,
             std::chrono::steady_clock::time_point deadline, const std::function<bool()>& stopped) {
  constexpr std::size_t kMost = 1024 * 1024;
  constexpr std::chrono::milliseconds kLook{100};
  while (out || err) {
    auto left =
        std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
    if (left.count() <= 0 || (stopped && stopped())) return false;
    if (stopped) left = std::min(left, kLook);
    std::array<pollfd, 2> wanted{pollfd{out.get(), POLLIN, 0}, pollfd{err.get(), POLLIN, 0}};
    if (::poll(wanted.data(), wanted.size(), static_cast<int>(left.count())) < 0 && errno != EINTR)
      return false;
    const auto take = [](const pollfd& ready, sys::Fd& from, std::string& into) {
      if (ready.revents == 0) return;
      std::array<char, 8192> chunk;
      const ssize_t got =
          sys::retry_eintr([&] { return ::read(from.get(), chunk.data(), chunk.size()); });
      if (got <= 0) return from.reset();
      if (into.size() < kMost) into.append(chunk.data(), static_cast<std::size_t>(got));
    };
    take(wanted[0], out, output.out);
    take(wanted[1], err, output.err);
  }
  return true;
}

/// Waits for the child's end up to the deadline, then kills it.
bool reap(int pid, sys::ExitStatus& status, std::chrono::steady_clock::time_point deadline) {
  int wait_status = 0;
  for (;;) {
    const int got = ::waitpid(pid, &wait_status, WNOHANG);
    if (got == pid) break;
    if (std::chrono::steady_clock::now() > deadline) {
      ::kill(pid, SIGKILL);
      sys::retry_eintr([&] { return ::waitpid(pid, &wait_status, 0); });
      return false;
    }
    ::poll(nullptr, 0, 1);
  }
  status = sys::exit_status_from_wait(wait_status);
  return true;
}

/// While it lives, whoever loses its parent below this process becomes its child; at its end all
/// who have become that since are killed and reaped.
class Adoption {
 public:
  Adoption() : before_(children()) {
    ::prctl(PR_GET_CHILD_SUBREAPER, &was_);
    ::prctl(PR_SET_CHILD_SUBREAPER, 1);
  }
  ~Adoption() {
    // Who tidies up behind others, as multiprocessing's resource tracker does behind what holds its
    // semaphores, ignores SIGTERM, and ends by itself when they have.
    end_new_children(SIGTERM, std::chrono::seconds(1));
    end_new_children(SIGKILL, std::chrono::seconds(5));
    ::prctl(PR_SET_CHILD_SUBREAPER, was_);
  }
  Adoption(const Adoption&) = delete;
  Adoption& operator=(const Adoption&) = delete;

 private:
  static std::set<int> children() {
    std::set<int> found;
    std::error_code ignored;
    for (const auto& entry : std::filesystem::directory_iterator("/proc", ignored)) {
      const int pid = std::atoi(entry.path().filename().c_str());
      const auto state = pid > 0 ? sys::process_state(pid) : std::nullopt;
      if (state && state->parent == ::getpid()) found.insert(pid);
    }
    return found;
  }

  /// Until there is none, at most for `patience`: who ends hands its own children on.
  void end_new_children(int signal, std::chrono::seconds patience) const {
    const auto deadline = std::chrono::steady_clock::now() + patience;
    std::set<int> told;  // once each: a second one might end what the first one has begun
    while (tell_new_children(signal, told) && std::chrono::steady_clock::now() < deadline)
      ::poll(nullptr, 0, 1);
  }

  bool tell_new_children(int signal, std::set<int>& told) const {
    bool any = false;
    for (const int pid : children()) {
      if (before_.contains(pid)) continue;
      any = true;
      if (told.insert(pid).second) ::kill(pid, signal);
      if (::waitpid(pid, nullptr, WNOHANG) == pid) told.erase(pid);
    }
    return any;
  }

  int was_ = 0;
  std::set<int> before_;
};

sys::Result<CommandOutput> run(std::span<const std::string> argv, std::chrono::milliseconds timeout,
                               const std::function<bool()>& stopped) {
  const auto deadline = std::chrono::steady_clock::now() + timeout;
  auto null = sys::open_file("/dev/null", O_RDONLY);
  if (!null) return null.error();
  auto out = sys::make_pipe();
  if (!out) return out.error();
  auto err = sys::make_pipe();
  if (!err) return err.error();
  auto pid = start(argv, null->get(), out->write.get(), err->write.get());
  if (!pid) return pid.error();
  out->write.reset();
  err->write.reset();
  CommandOutput output;
  const bool ended = collect(output, out->read, err->read, deadline, stopped);
  if (!reap(*pid, output.status, ended ? deadline : std::chrono::steady_clock::now()) || !ended) {
    return sys::Error(argv.front() + ": no end within " + std::to_string(timeout.count()) + " ms");
  }
  return output;
}

}  // namespace

sys::Result<Child> launch(std::span<const std::string> argv) {
  auto to = sys::make_pipe();
  if (!to) return to.error();
  auto from = sys::make_pipe();
  if (!from) return from.error();
  auto pid = start(argv, to->read.get(), from->write.get(), STDERR_FILENO);
  if (!pid) return pid.error();
  return Child{*pid, std::move(to->write), std::move(from->read)};
}

sys::Result<CommandOutput> run_command(std::span<const std::string> argv,
                                       std::chrono::milliseconds timeout) {
  return run(argv, timeout, {});
}

sys::Result<CommandOutput> run_contained_command(std::span<const std::string> argv,
                                                 std::chrono::milliseconds timeout,
                                                 const std::function<bool()>& stopped) {
  const Adoption adoption;
  return run(argv, timeout, stopped);
}

}  // namespace poolproof::harness
