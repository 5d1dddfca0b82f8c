#include <fmt/format.h>

#include <algorithm>

#include "properties/pools.h"
#include "properties/text.h"

namespace poolproof::properties {
namespace {

/// Pools that differ by their variant alone share a line.
bool same_but_variant(const Pool& one, const Pool& other) {
  return one.name.implementation == other.name.implementation &&
         one.name.version == other.name.version && one.command == other.command &&
         one.name.implementation != "mutant";
}

std::string command_of(const Pool& pool) {
  return joined(pool.command, " ");
}

}  // namespace

std::string pools_in_words(const Pools& pools) {
  std::string text;
  for (auto pool = pools.found.begin(); pool != pools.found.end();) {
    const auto end = std::find_if_not(
        pool, pools.found.end(), [&](const Pool& other) { return same_but_variant(*pool, other); });
    std::vector<std::string> variants;
    for (auto same = pool; same != end; ++same) {
      if (!same->name.variant.empty()) variants.push_back(same->name.variant);
    }
    text += fmt::format("{:<22}{:<9} {:<16} {}\n", pool->name.implementation, pool->name.version,
                        pool->abilities.runtime, joined(variants, " "));
    text += fmt::format("  {}\n", command_of(*pool));
    pool = end;
  }
  for (const auto& absent : pools.absent) {
    text += fmt::format("{:<22}absent\n", absent.implementation);
    text += wrapped(absent.why, 2);
  }
  return text.empty() ? "no pools\n" : text;
}

std::string unknown_pool(std::string_view name, const Pools& all) {
  std::vector<std::string> names;
  for (const auto& pool : all.found) {
    if (std::find(names.begin(), names.end(), pool.label()) == names.end()) {
      names.push_back(pool.label());
    }
  }
  for (const auto& absent : all.absent) names.push_back(absent.implementation + " (absent)");
  return fmt::format("no pool is named '{}'; there are: {}", printable(name),
                     names.empty() ? "none" : joined(names, ", "));
}

}  // namespace poolproof::properties
