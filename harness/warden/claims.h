#pragma once

#include <string>
#include <vector>

#include "harness/trace.h"

namespace poolproof::warden {

/// Reads the claims file as it grows, through the warden's own descriptor: what the subject does to
/// the path does not matter. A killed writer leaves a torn line; whether that is a fragment (its
/// writer died by a signal) or garbage can only be told at the end.
class ClaimReader {
 public:
  explicit ClaimReader(int file) : file_(file) {}

  /// Claims that were appended since the last call; their times are made relative to `start`.
  std::vector<harness::Event> read(harness::Nanoseconds start);

  /// Torn lines so far, each with its writer's pid, or 0 where the line was torn before it.
  struct Torn {
    std::string text;
    harness::Pid writer = 0;
  };
  /// Takes the unfinished last line, if any, as torn too.
  std::vector<Torn> torn();

 private:
  void take_line(std::string_view line, harness::Nanoseconds start, std::vector<harness::Event>& events);

  int file_;
  std::int64_t offset_ = 0;
  std::string rest_;  // an unfinished line
  std::vector<Torn> torn_;
};

}  // namespace poolproof::warden
