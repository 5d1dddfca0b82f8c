#include "properties/case_pool.h"

#include <fmt/format.h>

#include <algorithm>

#include "properties/text.h"

namespace poolproof::properties {
namespace {

using harness::Case;

const Pool* pool_of(const Case& failing, const std::vector<Pool>& pools, bool own_adapter) {
  const auto wanted = PoolName::parse(failing.pool);
  const auto find = [&](auto&& matches) -> const Pool* {
    const auto found = std::find_if(pools.begin(), pools.end(), matches);
    return found == pools.end() ? nullptr : &*found;
  };
  const PoolName any_version{wanted.implementation, wanted.variant, ""};
  if (const auto* exact =
          find([&](const Pool& pool) { return pool.name.text() == wanted.text(); })) {
    return exact;
  }
  if (const auto* other = find([&](const Pool& pool) { return any_version.covers(pool.name); })) {
    return other;
  }
  if (!own_adapter) return nullptr;
  return find([&](const Pool& pool) { return pool.start_method == failing.scenario.start_method; });
}

/// Asks for the very version first, then for any.
Pools find_pools(const Case& saved, const PoolOptions& places) {
  auto name = PoolName::parse(saved.pool);
  std::vector<std::string> names{name.text()};
  name.version.clear();
  names.push_back(name.text());
  return PoolFinder(places.places()).find(names);
}

sys::Error no_pool(const Case& saved, const Pools& pools) {
  const auto name = printable(saved.pool);
  if (pools.absent.empty()) {
    return sys::Error(
        fmt::format("the case's pool {} is not here; 'poolproof pools' lists what is (a pool of "
                    "your own: give its --adapter)",
                    name));
  }
  return sys::Error(
      fmt::format("the case's pool {} is absent: {}", name, pools.absent.front().why));
}

}  // namespace

sys::Result<Pool> pool_of_case(const Case& saved, const PoolOptions& places) {
  const auto pools = find_pools(saved, places);
  const auto* pool = pool_of(saved, pools.found, !places.adapter.empty());
  if (pool == nullptr) return no_pool(saved, pools);
  return *pool;
}

}  // namespace poolproof::properties
