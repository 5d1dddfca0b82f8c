#include "harness/warden/sandbox.h"

#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <sstream>

#include "harness/warden/init.h"
#include "harness/warden/packet.h"
#include "harness/warden/place.h"
#include "harness/warden/ptrace.h"

extern "C" {  // glibc 2.36 forgets it
#include <sys/pidfd.h>
}

namespace poolproof::warden {
namespace {

namespace fs = std::filesystem;

bool lies_in(const std::string& path, const std::string& folder) {
  return path.rfind(folder + "/", 0) == 0;
}

bool is_hidden(const std::string& path) {
  return lies_in(path, "/tmp") || lies_in(path, "/dev/shm");
}

/// What a bare command name means, as execvp would look it up.
std::string in_path(const std::string& name) {
  if (name.find('/') != std::string::npos) return name;
  const char* list = std::getenv("PATH");
  std::string_view rest = list != nullptr ? list : "/usr/bin:/bin";
  while (!rest.empty()) {
    const auto colon = rest.find(':');
    std::string candidate = std::string(rest.substr(0, colon)) + "/" + name;
    if (::access(candidate.c_str(), X_OK) == 0) return candidate;
    rest.remove_prefix(colon == std::string_view::npos ? rest.size() : colon + 1);
  }
  return name;
}

/// The private places themselves: what else lies in them stays hidden.
bool is_place(const fs::path& path) {
  return path == "/tmp" || path == "/dev/shm";
}

/// "/p/bin/python" -> "/p": an interpreter finds its library beside its bin folder.
fs::path prefix_of(const fs::path& program) {
  const fs::path folder = program.parent_path();
  if (folder.filename() != "bin" || is_place(folder.parent_path())) return folder;
  return folder.parent_path();
}

sys::Result<void> write_file(const std::string& path, std::string_view text) {
  auto file = sys::open_file(path, O_WRONLY);
  if (!file) return file.error();
  return sys::write_all(file->get(), text);
}

/// Maps our own id to itself: the subject is the same user inside. Source: user_namespaces(7).
sys::Result<void> map_ids(int pid) {
  const std::string base = "/proc/" + std::to_string(pid) + "/";
  const auto itself = [](unsigned id) {
    return std::to_string(id) + " " + std::to_string(id) + " 1";
  };
  if (auto done = write_file(base + "setgroups", "deny"); !done) return done;
  if (auto done = write_file(base + "uid_map", itself(::geteuid())); !done) return done;
  return write_file(base + "gid_map", itself(::getegid()));
}

/// Like fork, into new namespaces. Root needs no user namespace, and stays root inside.
sys::Result<int> fork_init(Rung rung) {
  unsigned long flags = SIGCHLD;
  if (rung == Rung::kNamespaces) {
    flags |= CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWIPC;
    if (::geteuid() != 0) flags |= CLONE_NEWUSER;
  }
  const long pid = ::syscall(SYS_clone, flags, nullptr, nullptr, nullptr, nullptr);
  if (pid < 0) return sys::Error::from_errno("clone into new namespaces");
  return static_cast<int>(pid);
}

sys::Result<std::string> make_folder(Rung rung) {
  if (rung == Rung::kNamespaces) return std::string(kPrivateFolder);
  std::string name = (fs::temp_directory_path() / "poolproof-XXXXXX").string();
  if (::mkdtemp(name.data()) == nullptr) return sys::Error::from_errno("mkdtemp " + name);
  return name;
}

/// Of a list as PATH is one; those that are relative are found from the current folder.
std::vector<fs::path> folders_in(const char* variable) {
  std::vector<fs::path> folders;
  const char* value = std::getenv(variable);
  std::istringstream list(value == nullptr ? "" : value);
  for (std::string folder; std::getline(list, folder, ':');) {
    if (!folder.empty() && folder.front() == '/') folders.emplace_back(folder);
  }
  return folders;
}

}  // namespace

std::vector<std::string> hidden_needs(const std::vector<std::string>& command) {
  std::vector<fs::path> wanted;
  std::error_code error;
  const auto want = [&](const fs::path& file, const fs::path& folder) {
    wanted.push_back(is_place(folder) ? file : folder);
  };
  const auto want_program = [&](const fs::path& program) { want(program, prefix_of(program)); };
  const auto want_file = [&](const fs::path& file) { want(file, file.parent_path()); };
  const fs::path program = in_path(command.front());
  want_program(program);
  want_program(fs::weakly_canonical(program, error));
  want_program(fs::read_symlink("/proc/self/exe", error));
  for (const auto& word : command) {
    if (word.empty() || word.front() != '/' || !fs::exists(word, error)) continue;
    want_file(word);
    want_file(fs::weakly_canonical(word, error));
  }
  wanted.push_back(fs::current_path(error));
  for (const char* variable : {"PYTHONPATH", "LD_LIBRARY_PATH"}) {
    for (const auto& folder : folders_in(variable)) {
      if (!is_place(folder)) wanted.push_back(folder);
    }
  }
  std::vector<std::string> hidden;
  for (const auto& path : wanted) {
    if (is_hidden(path.string()) && fs::exists(path, error)) hidden.push_back(path.string());
  }
  // A folder within another shown one comes along with it; sorted, the outer one stands first.
  std::sort(hidden.begin(), hidden.end());
  std::vector<std::string> outer;
  for (const auto& path : hidden) {
    const bool covered = std::any_of(outer.begin(), outer.end(),
                                     [&](const auto& o) { return path == o || lies_in(path, o); });
    if (!covered) outer.push_back(path);
  }
  return outer;
}

sys::Result<std::unique_ptr<Sandbox>> Sandbox::build(Rung rung, const harness::Settings& settings,
                                                     const std::vector<std::string>& command) {
  std::unique_ptr<Sandbox> sandbox(new Sandbox());
  sandbox->rung_ = rung;
  sandbox->settings_ = settings;
  if (rung == Rung::kNamespaces) sandbox->shown_ = hidden_needs(command);
  sandbox->command_ = command;
  auto folder = make_folder(rung);
  if (!folder) return folder.error();
  sandbox->folder_ = *folder;
  auto pair = packet_pair();
  if (!pair) return pair.error();
  auto init = fork_init(rung);
  if (!init) return init.error();
  if (*init == 0) {
    pair->first.reset();
    init_main({rung, settings, sandbox->shown_, sandbox->folder_, std::move(pair->second)});
  }
  sandbox->init_ = *init;
  sandbox->init_handle_ = sys::open_pidfd(*init);
  sandbox->control_ = std::move(pair->first);
  pair->second.reset();
  if (rung == Rung::kNamespaces) {
    if (::geteuid() != 0) {
      if (auto mapped = map_ids(*init); !mapped) return mapped.error();
    }
    if (auto told = send_packet(sandbox->control_.get(), "mapped"); !told) return told.error();
  }
  if (auto ready = sandbox->await_ready(); !ready) return ready.error();
  return sandbox;
}

sys::Result<void> Sandbox::await_ready() {
  auto answer = receive_packet(control_.get());
  if (!answer) return answer.error();
  if (answer->bytes != "ready" || answer->descriptors.size() != 2) {
    return sys::Error(answer->bytes.empty() ? "the sandbox's init died" : answer->bytes);
  }
  claims_ = std::move(answer->descriptors[0]);
  scenario_ = std::move(answer->descriptors[1]);
  return {};
}

Sandbox::~Sandbox() {
  control_.reset();  // on the lower rungs this tells init to clean up and leave
  if (init_handle_ && rung_ == Rung::kNamespaces) {
    ::pidfd_send_signal(init_handle_.get(), SIGKILL, nullptr, 0);
  }
  if (init_handle_) await_end();
  if (rung_ == Rung::kNamespaces || folder_.empty()) return;
  std::error_code error;
  fs::remove_all(folder_, error);
}

/// Until nobody is left to wait for: init, which ends last unless it was killed, and tracees. One
/// that has stopped ends only when its tracer lets it, and may have been born so lately that nobody
/// has come to end it.
void Sandbox::await_end() {
  for (;;) {
    int status = 0;
    const int tid = sys::retry_eintr([&] { return ::waitpid(-1, &status, __WALL); });
    if (tid < 0) return;
    if (!WIFSTOPPED(status)) continue;
    ::kill(tid, SIGKILL);
    trace::go_on(tid);
  }
}

bool Sandbox::fits(const harness::Settings& settings,
                   const std::vector<std::string>& command) const {
  if (settings.data_bytes != settings_.data_bytes || settings.file_bytes != settings_.file_bytes)
    return false;
  if (rung_ != Rung::kNamespaces || command == command_) return true;
  return hidden_needs(command) == shown_;
}

sys::Result<Waiting> Sandbox::start(const std::vector<std::string>& command,
                                    const std::string& scenario, const std::string& sync_points,
                                    const std::vector<long>& traced,
                                    const std::set<harness::Inherited>& inherits) {
  if (::ftruncate(claims_.get(), 0) != 0 || ::ftruncate(scenario_.get(), 0) != 0) {
    return sys::Error::from_errno("ftruncate claims");
  }
  handshake_.reset();
  ::lseek(scenario_.get(), 0, SEEK_SET);
  if (auto written = sys::write_all(scenario_.get(), scenario); !written) return written.error();
  auto output = sys::make_pipe();
  if (!output) return output.error();
  auto error = sys::make_pipe();
  if (!error) return error.error();
  auto pair = packet_pair();
  if (!pair) return pair.error();
  if (auto asked = ask_for_sender(pair->first.get()); !asked) return asked.error();
  std::string order(1, static_cast<char>(Order::kStart));
  order += sync_points + '\0';
  for (const long number : traced) order += std::to_string(number) + ' ';
  order += '\0';
  for (const auto inherited : inherits) order.append(name(inherited)) += ' ';
  order += '\0';
  for (const auto& word : command) order += word + '\0';
  order += folder_ + "/scenario.json" + '\0';
  if (auto sent = send_packet(control_.get(), order,
                              {output->write.get(), error->write.get(), pair->second.get()});
      !sent) {
    return sent.error();
  }
  pair->second.reset();
  auto hello = receive_packet(pair->first.get());
  if (!hello) return hello.error();
  if (hello->bytes.rfind("hello", 0) != 0) {
    return sys::Error("start of the subject: " +
                      (hello->bytes.empty() ? "fork failed" : hello->bytes));
  }
  handshake_ = std::move(pair->first);
  return Waiting{hello->sender, std::move(output->read), std::move(error->read),
                 hello->bytes.find("wakers seen") != std::string::npos};
}

sys::Result<void> Sandbox::go() {
  return send_packet(handshake_.get(), "go");
}

sys::Result<void> Sandbox::exec_outcome() {
  const auto failure = receive_packet(handshake_.get());
  handshake_.reset();
  if (!failure) return failure.error();
  if (!failure->bytes.empty()) return sys::Error(failure->bytes);
  return {};
}

bool Sandbox::set_next_pid(int pid) {
  if (rung_ != Rung::kNamespaces) return false;  // the pids are the whole machine's
  const std::string order = static_cast<char>(Order::kNextPid) + std::to_string(pid);
  if (!send_packet(control_.get(), order)) return false;
  const auto answer = receive_packet(control_.get());
  return answer && answer->bytes == "set";
}

sys::Result<void> Sandbox::ask_to_clean() {
  const std::string order(1, static_cast<char>(Order::kClean));
  if (!send_packet(control_.get(), order)) return sys::Error("the sandbox's init died");
  return {};
}

sys::Result<Remains> Sandbox::cleaned() {
  const auto answer = receive_packet(control_.get());
  if (!answer) return answer.error();
  Remains remains;
  if (answer->bytes.size() != sizeof remains) return sys::Error("the sandbox's init died");
  std::memcpy(&remains, answer->bytes.data(), sizeof remains);
  return remains;
}

}  // namespace poolproof::warden
