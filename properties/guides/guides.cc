#include "properties/guides/guides.h"

#include <algorithm>

namespace poolproof::properties {

std::span<const Guide> guides() {
  static const auto kAll = [] {
    std::vector<Guide> all;
    for (auto* family : {exit_guides, worker_guides, task_guides, state_guides, isolation_guides,
                         resource_guides, progress_guides}) {
      for (auto& guide : family()) all.push_back(std::move(guide));
    }
    return all;
  }();
  return kAll;
}

const Guide* guide_of(std::string_view rule) {
  const auto all = guides();
  const auto found =
      std::find_if(all.begin(), all.end(), [&](const Guide& guide) { return guide.rule == rule; });
  return found == all.end() ? nullptr : &*found;
}

}  // namespace poolproof::properties
