#include "harness/warden/prompts.h"

#include <algorithm>

namespace poolproof::warden {

using harness::Nanoseconds;

void Prompts::begin(int step, Nanoseconds at, Nanoseconds delay) {
  const bool wanted = std::find(steps_.begin(), steps_.end(), step) != steps_.end();
  if (wanted) open_.push_back({step, at, delay});
}

void Prompts::end(int step) {
  std::erase_if(open_, [step](const Span& span) { return span.step == step; });
}

void Prompts::note(const harness::Event& claim, Nanoseconds delay) {
  if (const auto* begun = std::get_if<harness::StepBegun>(&claim.kind)) {
    begin(begun->step, claim.at, delay);
  } else if (const auto* ended = std::get_if<harness::StepEnded>(&claim.kind)) {
    end(ended->step);
  } else if (std::holds_alternative<harness::EndingBegun>(claim.kind)) {
    begin(0, claim.at, delay);
  }
}

}  // namespace poolproof::warden
