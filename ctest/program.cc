#include "ctest/program.h"

#include <stdlib.h>  // mkdtemp

#include <algorithm>
#include <chrono>
#include <fstream>
#include <thread>

namespace poolproof::end_to_end {

namespace fs = std::filesystem;

fs::path bin_folder() {
  return fs::read_symlink("/proc/self/exe").parent_path();
}

int Ended::error_lines() const {
  return static_cast<int>(std::count(err.begin(), err.end(), '\n'));
}

Ended run(const std::vector<std::string>& command, int seconds) {
  auto output = harness::run_command(command, std::chrono::seconds(seconds));
  Ended ended;
  if (!output) {
    ended.err = output.error().message();
    return ended;
  }
  if (const auto* exited = std::get_if<sys::Exited>(&output->status)) ended.code = exited->code;
  ended.out = std::move(output->out);
  ended.err = std::move(output->err);
  return ended;
}

Ended poolproof(std::vector<std::string> arguments, int seconds) {
  arguments.insert(arguments.begin(), (bin_folder() / "poolproof").string());
  return run(arguments, seconds);
}

bool comes_true(const std::function<bool()>& condition) {
  const auto limit = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (!condition()) {
    if (std::chrono::steady_clock::now() > limit) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return true;
}

Scratch::Scratch(const fs::path& parent) {
  std::string name = (parent / "poolproof-test-XXXXXX").string();
  if (::mkdtemp(name.data()) == nullptr) std::abort();
  path_ = name;
}

Scratch::~Scratch() {
  std::error_code ignored;
  fs::remove_all(path_, ignored);
}

std::string Scratch::file(const std::string& name, const std::string& content) const {
  const auto path = path_ / name;
  std::ofstream(path) << content;
  if (content.rfind("#!", 0) == 0) fs::permissions(path, fs::perms::owner_all);
  return path.string();
}

}  // namespace poolproof::end_to_end
