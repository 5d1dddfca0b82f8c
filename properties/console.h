#pragma once

#include <string>
#include <string_view>

namespace poolproof::properties {

/// How text reaches a person: colours on a terminal only (and never under NO_COLOR), one progress
/// line on stderr only where that is a terminal. Lives as long as the command.
class Console {
 public:
  static Console of_this_process();

  /// Plain in every respect, for files and tests.
  Console() = default;

  std::string bad(std::string_view text) const { return painted("1;31", text); }
  std::string odd(std::string_view text) const { return painted("33", text); }
  std::string good(std::string_view text) const { return painted("32", text); }
  std::string faint(std::string_view text) const { return painted("2", text); }

  /// Writes to stdout at once, after taking the progress line away. What cannot be written is told
  /// by write_error().
  void print(std::string_view text);

  /// Why stdout did not take what was printed, by whatever console of this process: "No space left
  /// on device"; empty if it did.
  static std::string write_error();

  /// Replaces the progress line. Nothing where stderr is no terminal.
  void progress(std::string_view line);

 private:
  std::string painted(std::string_view code, std::string_view text) const;

  bool colours_ = false;
  bool shows_progress_ = false;
  bool line_shown_ = false;
};

}  // namespace poolproof::properties
