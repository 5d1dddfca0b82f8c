#include "support.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <fstream>
#include <limits>
#include <map>
#include <sstream>

// A worker may start threads although its main had some: ThreadSanitizer would rather die.
extern "C" const char* __tsan_default_options();  // NOLINT(bugprone-reserved-identifier)
const char* __tsan_default_options() {
  return "die_after_fork=0";
}

namespace poolproof::testing {
namespace {

/// Of a folder that is there.
std::set<std::string> entries(const char* path) {
  DIR* directory = ::opendir(path);
  std::set<std::string> names;
  while (const dirent* entry = ::readdir(directory)) {
    if (entry->d_name[0] != '.') names.insert(entry->d_name);
  }
  ::closedir(directory);
  return names;
}

/// Without the semaphores of Python's multiprocessing, which come and go by the hundred where other
/// programs of this machine are checked: a pool of ours could not choose such a name.
std::set<std::string> shared_memory() {
  std::set<std::string> names = entries("/dev/shm");
  std::erase_if(names, [](const std::string& name) { return name.rfind("sem.mp-", 0) == 0; });
  return names;
}

int count_entries(const char* path) {
  return static_cast<int>(entries(path).size());
}

}  // namespace

PoolOptions workers(int count) {
  PoolOptions options;
  options.workers = count;
  return options;
}

pid_t start_main(const std::function<void()>& body, int output) {
  std::fflush(nullptr);  // what the test has printed is not main's to print again
  const pid_t pid = ::fork();
  if (pid != 0) return pid;
  if (output >= 0) {
    ::dup2(output, STDOUT_FILENO);
    ::close(output);
  }
  try {
    body();
  } catch (const std::exception& error) {  // must not go on with the parent's tests
    std::fprintf(stderr, "main: %s\n", error.what());
    ::_exit(98);
  }
  ::_exit(0);
}

int wait_for(pid_t pid) {
  int status = -1;
  EXPECT_TRUE(eventually([&] { return ::waitpid(pid, &status, WNOHANG) == pid; }));
  return status;
}

void adopt_orphans() {
  ::prctl(PR_SET_CHILD_SUBREAPER, 1);
}

bool all_descendants_end(std::chrono::milliseconds limit) {
  return eventually(
      [] {
        int rc = 0;
        while ((rc = ::waitpid(-1, nullptr, WNOHANG)) > 0) {
        }
        return rc == -1 && errno == ECHILD;
      },
      limit);
}

char state_of(pid_t pid) {
  return state_in("/proc/" + std::to_string(pid) + "/stat");
}

char state_in(const std::string& stat_file) {
  std::ifstream file(stat_file);
  std::string text;
  std::getline(file, text);
  const auto at = text.rfind(')');
  return at == std::string::npos ? '\0' : text[at + 2];
}

bool is_dead(pid_t pid) {
  const char state = state_of(pid);
  return state == '\0' || state == 'Z' || state == 'X';
}

pid_t parent_of(pid_t pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
  std::string text;
  std::getline(file, text);
  const auto at = text.rfind(')');
  return at == std::string::npos ? 0 : std::atoi(text.c_str() + at + 4);
}

std::vector<pid_t> descendants_of(pid_t pid) {
  std::map<pid_t, std::vector<pid_t>> children;
  DIR* const proc = ::opendir("/proc");
  while (const dirent* entry = ::readdir(proc)) {
    if (const pid_t child = std::atoi(entry->d_name)) children[parent_of(child)].push_back(child);
  }
  ::closedir(proc);
  std::vector<pid_t> found = children[pid];
  for (std::size_t i = 0; i < found.size(); ++i) {
    const std::vector<pid_t> more = children[found[i]];
    found.insert(found.end(), more.begin(), more.end());
  }
  return found;
}

std::vector<pid_t> children_of_this_process() {
  std::ifstream file("/proc/thread-self/children");
  std::vector<pid_t> pids;
  for (pid_t pid = 0; file >> pid;) pids.push_back(pid);
  return pids;
}

void end_this_thread() {
  for (;;) ::syscall(SYS_exit, 0);
}

void end_by_terminate() {
  ::dup2(::open("/dev/null", O_WRONLY | O_CLOEXEC), STDERR_FILENO);
  std::terminate();
}

bool may_contain() {
  try {
    Pool pool{{.workers = 1, .containment = Containment::pid_namespace}};
    return true;
  } catch (const ContainmentRefused&) {
    return false;
  }
}

bool become_an_ordinary_user() {
  constexpr uid_t kNobody = 65534;
  if (::geteuid() != 0) return true;
  if (::setresgid(kNobody, kNobody, kNobody) != 0) return false;
  if (::setresuid(kNobody, kNobody, kNobody) != 0) return false;
  ::prctl(PR_SET_DUMPABLE, 1);  // else /proc/self is root's
  return ::access("/proc/self/exe", X_OK) == 0;
}

int open_descriptors() {
  return count_entries("/proc/self/fd");
}

int running_threads() {
  // ThreadSanitizer has one of its own from the first one on.
  if (kSanitized) std::thread([] {}).join();
  return count_entries("/proc/self/task");
}

std::vector<pid_t> threads_of_this_process() {
  std::vector<pid_t> threads;
  for (const std::string& name : entries("/proc/self/task")) threads.push_back(std::stoi(name));
  return threads;
}

Limit::Limit(__rlimit_resource_t resource, rlim_t value) : resource_(resource) {
  EXPECT_EQ(::getrlimit(resource_, &before_), 0);
  const rlimit limit{value, before_.rlim_max};
  EXPECT_EQ(::setrlimit(resource_, &limit), 0);
}

Limit::~Limit() {
  EXPECT_EQ(::setrlimit(resource_, &before_), 0);
}

Belongings::Belongings()
    : descriptors_(open_descriptors()),
      threads_(running_threads()),
      shared_memory_(shared_memory()) {}

void Belongings::expect_nothing_more() const {
  EXPECT_TRUE(all_descendants_end());
  EXPECT_EQ(open_descriptors(), descriptors_);
  EXPECT_TRUE(eventually([&] { return running_threads() == threads_; }))
      << running_threads() << " threads, and before " << threads_;
  EXPECT_TRUE(eventually([&] {  // other programs of this machine may use it meanwhile
    const std::set<std::string> now = shared_memory();
    return std::includes(shared_memory_.begin(), shared_memory_.end(), now.begin(), now.end());
  }));
}

Pipe::Pipe() {
  int ends[2];
  EXPECT_EQ(::pipe2(ends, O_CLOEXEC), 0);
  read_end = ends[0];
  write_end = ends[1];
}

Pipe::~Pipe() {
  ::close(read_end);
  close_write_end();
}

void Pipe::close_write_end() {
  if (write_end >= 0) ::close(write_end);
  write_end = -1;
}

std::string read_to_end(int fd, std::chrono::milliseconds limit) {
  std::string text;
  const auto deadline = std::chrono::steady_clock::now() + limit;
  for (;;) {
    const auto left =
        std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
    pollfd ready{fd, POLLIN, 0};
    if (left <= 0ms || ::poll(&ready, 1, static_cast<int>(left.count())) == 0) {
      ADD_FAILURE() << "no end of file after: " << text;
      return text;
    }
    char buffer[4096];
    const ssize_t got = ::read(fd, buffer, sizeof buffer);
    if (got <= 0) return text;
    text.append(buffer, static_cast<std::size_t>(got));
  }
}

long hear(int fd) {
  pollfd ready{fd, POLLIN, 0};
  long number = std::numeric_limits<pid_t>::max();  // nobody's pid, for who kills what he hears of
  if (::poll(&ready, 1, static_cast<int>(std::chrono::milliseconds(kSoon).count())) != 1 ||
      ::read(fd, &number, sizeof number) != sizeof number) {
    ADD_FAILURE() << "heard nothing";
  }
  return number;
}

void tell(int fd, long number) {
  if (::write(fd, &number, sizeof number) != sizeof number) ::_exit(99);
}

Roll::Roll()
    : file_(::memfd_create("roll", MFD_CLOEXEC)),
      path_("/proc/" + std::to_string(::getpid()) + "/fd/" + std::to_string(file_)) {
  EXPECT_GE(file_, 0);
}

Roll::~Roll() {
  ::close(file_);
}

bool Roll::has(int count) const {
  return eventually([&] {
    struct stat info {};
    return ::stat(path_.c_str(), &info) == 0 && info.st_size >= count;
  });
}

int open_to_sign(const std::string& roll) {
  return ::open(roll.c_str(), O_WRONLY | O_APPEND | O_CLOEXEC);
}

void sign(int descriptor, std::string_view entry) {
  if (::write(descriptor, entry.data(), entry.size()) != static_cast<ssize_t>(entry.size())) {
    ::_exit(97);
  }
  ::close(descriptor);
}

void sign(const std::string& roll) {
  sign(open_to_sign(roll));
}

int rounds(int otherwise) {
  const char* const asked = std::getenv("POOLPROOF_ROUNDS");
  return asked ? std::atoi(asked) : otherwise;
}

int worker_pid() {
  return ::getpid();
}
int add(int a, int b) {
  return a + b;
}
double half(int number) {
  return number / 2.0;
}
std::string echo(const std::string& text) {
  return text;
}
void never_end() {
  for (int i = 0; i < 1000; ++i) std::this_thread::sleep_for(100ms);
}

namespace {
struct Code {};
}  // namespace

void throw_namesake() {
  throw Code();
}

}  // namespace poolproof::testing
