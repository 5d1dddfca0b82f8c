#include <rapidcheck.h>

#include "properties/campaign.h"
#include "properties/generate.h"
#include "properties/random_fault.h"
#include "properties/shrink.h"

namespace poolproof::properties {
namespace {

/// Sizes grow from short scenarios to long ones, and start over.
int size_of(int n) {
  constexpr int kSmallest = 5;
  constexpr int kSpan = 96;
  return kSmallest + n % kSpan;
}

/// FNV-1a: the same on every machine, unlike std::hash.
std::uint64_t number_of(std::string_view text) {
  std::uint64_t hash = 0xcbf29ce484222325;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  return hash;
}

/// A stream of its own for each pool and each n, so that a case does not depend on how many ran
/// before it or beside it.
rc::Random random_for(std::uint64_t seed, const Pool& pool, int n) {
  return rc::Random(
      rc::Random::Key{seed, number_of(pool.label()), static_cast<std::uint64_t>(n), 0});
}

}  // namespace

ScenarioSource random_source(std::uint64_t seed, bool faults) {
  ScenarioSource source;
  source.generate = [=](const Pool& pool, int n) -> std::optional<harness::Scenario> {
    const auto generator = scenarios(pool.abilities, pool.contract, pool.start_method);
    auto random = random_for(seed, pool, n);
    auto scenario = generator(random, size_of(n)).value();
    if (faults) scenario.fault = random_fault(random.split(), scenario);
    return scenario;
  };
  source.simpler = [](const Pool& pool, const harness::Scenario& scenario) {
    return simpler(scenario, pool.abilities, pool.contract);
  };
  source.enumerate = [](const Pool& pool) {
    return Enumerator(pool.abilities, pool.contract, pool.start_method);
  };
  return source;
}

}  // namespace poolproof::properties
