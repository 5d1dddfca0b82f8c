#pragma once

#include <vector>

#include "harness/trace.h"

namespace poolproof::warden {

/// The spans that must be over within the grace of tree time, and have begun: of those steps that
/// were asked for, and of main's exit after its ending (step 0). Claims begin and end them.
class Prompts {
 public:
  struct Span {
    int step = 0;
    harness::Nanoseconds begun{0};
    harness::Nanoseconds delay{0};  // what the tree's had summed up to by then
  };

  explicit Prompts(std::vector<int> steps) : steps_(std::move(steps)) {}

  void note(const harness::Event& claim, harness::Nanoseconds delay);
  void note_main_dead() { end(0); }
  const std::vector<Span>& open() const { return open_; }

 private:
  void begin(int step, harness::Nanoseconds at, harness::Nanoseconds delay);
  void end(int step);

  std::vector<int> steps_;
  std::vector<Span> open_;
};

}  // namespace poolproof::warden
