#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <charconv>
#include <cstring>
#include <fstream>
#include <poolproof/containment.hpp>
#include <poolproof/init.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "at_fork.hpp"
#include "image.hpp"
#include "lifeline.hpp"
#include "reexec.hpp"
#include "supervisor.hpp"
#include "worker.hpp"

// The copy's side of reexec.cc: from its first instruction until it is what it shall become.
namespace poolproof {
namespace detail {
namespace {

bool unfinished_copy = false;
/// What the copy shall become, as its real arguments say it: `init` may be handed others, or none.
std::array<char, 512> order_of_copy{};

/// What follows kHiddenArgument; nothing if this is an ordinary start of the program.
std::string_view order_in(int argc, char* const* argv) {
  const std::string_view prefix = reexec::kHiddenArgument;
  if (argc < 2 || std::string_view(argv[1]).substr(0, prefix.size()) != prefix) return {};
  return std::string_view(argv[1]).substr(prefix.size());
}

std::vector<std::string_view> split(std::string_view text) {
  std::vector<std::string_view> parts;
  for (;;) {
    const std::size_t colon = text.find(':');
    parts.push_back(text.substr(0, colon));
    if (colon == std::string_view::npos) return parts;
    text.remove_prefix(colon + 1);
  }
}

template <class Number>
Number number(std::string_view text) {
  Number value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

void close_on_exec(int fd) {
  ::fcntl(fd, F_SETFD, FD_CLOEXEC);
}

/// supervisor:PARENT:METHOD:SLOTS:CONTAINMENT:FINGERPRINT
[[noreturn]] void become_supervisor(const std::vector<std::string_view>& words) {
  for (const int fd : {reexec::kControl, reexec::kMain}) close_on_exec(fd);
  const auto slots = number<std::size_t>(words[3]);
  std::vector<SupervisorSetup::Worker> workers(room_for(slots));
  SupervisorSetup setup;
  setup.control = reexec::kControl;
  setup.main_pidfd = reexec::kMain;
  setup.null = STDIN_FILENO;
  setup.workers = workers.data();
  setup.slots = slots;
  setup.method =
      words[2] == to_string(StartMethod::spawn) ? StartMethod::spawn : StartMethod::forkserver;
  setup.contained = words[4] == to_string(Containment::pid_namespace);
  setup.same_program = words[5] == image::fingerprint();
  // What it allocates, it does so before there are workers.
  static_cast<void>(ForkRegistry::instance());
  lifeline::release_from_starter();
  run_supervisor(setup);
}

/// worker:SUPERVISOR:SERIAL
[[noreturn]] void become_worker(const std::vector<std::string_view>& words) {
  const auto inherited = [](int fd) { return ::fcntl(fd, F_GETFD) == -1 ? -1 : fd; };
  WorkerSetup setup;
  setup.supervisor = number<pid_t>(words[1]);
  setup.channel = reexec::kChannel;
  setup.ring = reexec::kRing;
  setup.output = inherited(STDOUT_FILENO);
  setup.error = inherited(STDERR_FILENO);
  setup.serial = number<std::uint64_t>(words[2]);
  setup.is_copy_of_main = false;
  close_on_exec(setup.channel);
  close_on_exec(setup.ring);
  static_cast<void>(ForkRegistry::instance());
  run_worker(setup);
}

/// Before main, and before the program's own static objects: a copy whose starter dies must not go
/// on, however long it takes to come to `init`, or if it never does.
/// Source: glibc passes main's arguments to constructors.
__attribute__((constructor(101))) void notice_copy(int argc, char** argv, char** /*environment*/) {
  const std::string_view order = order_in(argc, argv);
  if (order.empty()) return;
  const std::vector<std::string_view> words = split(order);
  if (words.size() < 2) return;
  unfinished_copy = true;
  order.copy(order_of_copy.data(), order_of_copy.size() - 1);
  lifeline::bind_to_starter(number<pid_t>(words[1]));
}

}  // namespace

bool reexec::is_unfinished_copy() {
  return unfinished_copy;
}

}  // namespace detail

void init(int argc, char** argv) {
  using namespace detail;
  reexec::make_possible(argc > 0 ? argv[0] : "");
  const std::vector<std::string_view> words = split(order_of_copy.data());
  unfinished_copy = false;
  if (words[0] == "supervisor" && words.size() == 6) become_supervisor(words);
  if (words[0] == "worker" && words.size() == 3) become_worker(words);
}

void init() {
  std::ifstream file("/proc/self/cmdline", std::ios::binary);
  std::vector<std::string> words;
  for (std::string word; std::getline(file, word, '\0');) words.push_back(word);
  std::vector<char*> argv;
  argv.reserve(words.size() + 1);
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  init(static_cast<int>(words.size()), argv.data());
}

}  // namespace poolproof
