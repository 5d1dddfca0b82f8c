#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "harness/launch.h"

namespace poolproof::end_to_end {

/// The built programs, beside this test.
std::filesystem::path bin_folder();

struct Ended {
  int code = -1;  // -1: it did not exit by itself
  std::string out;
  std::string err;
  /// Lines on stderr.
  int error_lines() const;
};

/// Runs poolproof with these arguments to its end, at most `seconds`.
Ended poolproof(std::vector<std::string> arguments, int seconds = 60);
Ended run(const std::vector<std::string>& command, int seconds = 60);

/// Whether it comes true within 10 s; asked every millisecond.
bool comes_true(const std::function<bool()>& condition);

/// A folder of the test's own, removed with all that is in it.
class Scratch {
 public:
  /// Below `parent` (the temporary folder by default).
  explicit Scratch(const std::filesystem::path& parent = std::filesystem::temp_directory_path());
  ~Scratch();
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  const std::filesystem::path& path() const { return path_; }
  /// Writes a file into it; executable when it starts with "#!".
  std::string file(const std::string& name, const std::string& content) const;

 private:
  std::filesystem::path path_;
};

}  // namespace poolproof::end_to_end
