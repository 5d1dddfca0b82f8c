#include <rapidcheck.h>

#include <map>
#include <memory>

#include "properties/campaign.h"
#include "properties/coverage.h"
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

/// Chance of its own for each pool and each n, so that a case does not depend on what ran beside
/// it.
rc::Random random_for(std::uint64_t seed, const Pool& pool, int n) {
  return rc::Random(
      rc::Random::Key{seed, number_of(pool.label()), static_cast<std::uint64_t>(n), 0});
}

/// The random scenarios of one pool, in their order: each is written in the light of those before
/// it.
class Stream {
 public:
  Stream(const Pool& pool, std::uint64_t seed, bool faults)
      : pool_(pool), seed_(seed), faults_(faults) {}

  harness::Scenario at(int n) {
    if (n < next_) *this = Stream(pool_, seed_, faults_);
    while (next_ < n) write();
    return write();
  }

 private:
  harness::Scenario write() {
    const auto generator =
        scenarios(pool_.abilities, pool_.contract, pool_.start_method, &covered_);
    auto random = random_for(seed_, pool_, next_);
    auto scenario = generator(random, size_of(next_)).value();
    if (faults_) scenario.fault = fault_for(random, scenario);
    covered_.add(scenario, pool_.contract);
    ++next_;
    return scenario;
  }

  /// Of a few that are placed at a step, the first whose kind met nobody there yet. One at a system
  /// call stays as it is: nobody knows beforehand in which step that will be.
  std::optional<harness::Fault> fault_for(rc::Random& random, const harness::Scenario& scenario) {
    constexpr int kTries = 4;
    auto first = random_fault(random.split(), scenario);
    if (!first || first->trigger == harness::Fault::Trigger::kCall) return first;
    auto faulty = scenario;
    faulty.fault = first;
    for (int attempt = 0; attempt < kTries; ++attempt) {
      const auto moment = moment_of_fault(faulty, pool_.contract);
      if (moment && covered_.count(*moment, faulty.fault->action) == 0) return faulty.fault;
      faulty.fault = random_fault(random.split(), scenario);
    }
    return first;
  }

  Pool pool_;
  std::uint64_t seed_;
  bool faults_;
  Coverage covered_;
  int next_ = 0;
};

}  // namespace

ScenarioSource random_source(std::uint64_t seed, bool faults) {
  ScenarioSource source;
  const auto streams = std::make_shared<std::map<std::string, Stream>>();
  source.generate = [=](const Pool& pool, int n) -> std::optional<harness::Scenario> {
    return streams->try_emplace(pool.name.text(), pool, seed, faults).first->second.at(n);
  };
  source.simpler = [](const Pool& pool, const harness::Scenario& scenario) {
    return simpler_by_pass(scenario, pool.abilities, pool.contract);
  };
  source.surer = [](const Pool& pool, const harness::Scenario& scenario) {
    return surer(scenario, pool.abilities, pool.contract);
  };
  source.enumerate = [](const Pool& pool) {
    return Enumerator(pool.abilities, pool.contract, pool.start_method);
  };
  return source;
}

ScenarioSource mixed_source(std::uint64_t seed) {
  ScenarioSource source = random_source(seed);
  source.generate = [plain = source.generate, faulty = random_source(seed, true).generate](
                        const Pool& pool, int n) {
    return n % 2 == 0 ? plain(pool, n / 2) : faulty(pool, n / 2);
  };
  return source;
}

}  // namespace poolproof::properties
