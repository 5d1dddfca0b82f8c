#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "harness/trace.h"

namespace poolproof::warden {

/// The process that wrote a claim.
harness::Pid writer_of(const harness::Event& claim);

/// Reads the claims file as it grows, through the warden's own descriptor: what the subject does to
/// the path does not matter. A killed writer leaves a torn line; whether that is a fragment (its
/// writer was cut short) or garbage can only be told at the end.
class ClaimReader {
 public:
  explicit ClaimReader(int file) : file_(file) {}

  /// Claims that were appended since the last call; their times are made relative to `start`.
  std::vector<harness::Event> read(harness::Nanoseconds start);

  /// Torn lines so far, each with its writer's pid, or 0 where the line was torn before it. Only
  /// the first of many are kept.
  struct Torn {
    std::string text;
    harness::Pid writer = 0;
  };
  /// Takes the unfinished last line, if any, as torn too.
  std::vector<Torn> torn();

  /// Whether it has read as much as it ever will: some more claims would not fit into a trace.
  bool full() const;
  /// Writers that counted further than they have claims here: some were not written, or were lost.
  std::vector<harness::Pid> writers_with_gaps() const;
  /// Whether the file has less than was read: somebody has cut it.
  bool shrank() const;

 private:
  struct Count {
    std::int64_t claims = 0;
    std::int64_t last = 0;  // the highest sequence number
  };

  void take_line(std::string_view line, harness::Nanoseconds start,
                 std::vector<harness::Event>& events);
  void take_torn(std::string_view line);

  int file_;
  std::int64_t offset_ = 0;
  std::string rest_;  // an unfinished line
  std::vector<Torn> torn_;
  std::map<harness::Pid, Count> counts_;
};

}  // namespace poolproof::warden
