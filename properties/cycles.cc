#include "properties/cycles.h"

#include <algorithm>

namespace poolproof::properties {
namespace {

using harness::Pid;

/// The shortest way from a process back to itself; empty where there is none.
std::vector<Pid> cycle_through(Pid start, const Edges& edges) {
  std::map<Pid, Pid> from;
  std::vector<Pid> queue{start};
  for (std::size_t i = 0; i < queue.size(); ++i) {
    const auto found = edges.find(queue[i]);
    if (found == edges.end()) continue;
    for (const Pid next : found->second) {
      if (!from.try_emplace(next, queue[i]).second) continue;
      if (next != start) {
        queue.push_back(next);
        continue;
      }
      std::vector<Pid> way{start};
      for (Pid at = from[start]; at != start; at = from[at]) way.push_back(at);
      std::reverse(way.begin() + 1, way.end());
      return way;
    }
  }
  return {};
}

}  // namespace

std::vector<std::vector<Pid>> cycles_of(const Edges& edges) {
  std::vector<std::vector<Pid>> found;
  std::set<Pid> told;
  for (const auto& [pid, unused] : edges) {
    auto way = cycle_through(pid, edges);
    if (way.empty() ||
        std::any_of(way.begin(), way.end(), [&](Pid one) { return told.contains(one); }))
      continue;
    told.insert(way.begin(), way.end());
    found.push_back(std::move(way));
  }
  return found;
}

}  // namespace poolproof::properties
