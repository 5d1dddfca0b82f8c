#include "properties/generate.h"

#include <algorithm>

#include "properties/dice.h"
#include "properties/draft.h"
#include "properties/letters.h"
#include "properties/model.h"
#include "properties/shrink.h"

namespace poolproof::properties {
namespace {

using harness::BodyKind;
using harness::Ending;
using harness::EndingKind;
using harness::Scenario;
using harness::Step;
using harness::StepKind;

constexpr int kMostSteps = 9;
constexpr int kIllegalPercent = 10;
constexpr int kNonsensePercent = 3;        // a pool of no workers is asked for before the pool
constexpr int kFewProcessorsPercent = 80;  // of the pools that count processors themselves
constexpr int kInheritsPercent = 8;
constexpr int kPreparedPercent = 15;
constexpr int kEnabledPercent = 65;  // of the optional letters, per scenario

/// A pair of situation and step is chosen so much more often as long as it was not reached, and
/// until it was reached so often.
constexpr int kUnreachedWeight = 6;
constexpr int kRareWeight = 2;
constexpr int kFewTimes = 5;

class Author {
 public:
  Author(const rc::Random& random, int size, const Abilities& abilities, const Contract& contract,
         const Coverage* covered)
      : dice_(random),
        size_(size),
        abilities_(abilities),
        covered_(covered),
        model_(contract),
        draft_{dice_, model_, scenario_, abilities_, bodies_, size, contract.patience()} {
    const auto deafens = one_that_deafens();
    for (const StepKind kind : abilities.steps) {
      if (entry(kind).deafens_main && kind != deafens) continue;
      if (letter(kind).is_in_each || dice_.percent(kEnabledPercent)) steps_.push_back(kind);
    }
    for (const BodyKind kind : abilities.bodies) {
      if (dice_.percent(kEnabledPercent)) bodies_.push_back(kind);
    }
  }

  Scenario write(std::string start_method) {
    scenario_.start_method = std::move(start_method);
    prepare();
    if (dice_.percent(kNonsensePercent))
      add({.kind = StepKind::kCreate, .workers = -dice_.below(2)});
    add(filled(StepKind::kCreate));
    const int most = std::clamp(3 + size_ / 10, 3, kMostSteps);
    const int length =
        1 + std::max(dice_.below(most), dice_.below(most));  // rather long than short
    while (static_cast<int>(scenario_.steps.size()) < length) {
      const auto step = next();
      if (!step) break;
      add(*step);
    }
    scenario_.ending = ending();
    const auto& steps = scenario_.steps;
    const bool by_default = std::any_of(steps.begin(), steps.end(), [](const Step& step) {
      return step.kind == StepKind::kCreate && !step.workers;
    });
    if (by_default && dice_.percent(kFewProcessorsPercent)) scenario_.processors = 1;
    if (dice_.percent(kInheritsPercent)) inherit();
    const bool reads = std::any_of(steps.begin(), steps.end(), [](const Step& step) {
      return step.body.kind == BodyKind::kReadInput;
    });
    if (reads && scenario_.inherits.empty()) scenario_.inherits = {harness::Inherited::kInput};
    return std::move(scenario_);
  }

 private:
  /// A scenario has one of those at most, as ever more letters leave each other less room.
  std::optional<StepKind> one_that_deafens() {
    std::vector<StepKind> all;
    for (const StepKind kind : abilities_.steps) {
      if (entry(kind).deafens_main) all.push_back(kind);
    }
    return all.empty() ? std::nullopt : std::optional(dice_.pick(all));
  }

  /// What the pool's workers have a copy of, if it is there before them: the lock last, as it is
  /// held over one step.
  void prepare() {
    for (const bool lock : {false, true}) {
      for (const StepKind kind : steps_) {
        const bool is_meant = lock ? kind == StepKind::kLock : entry(kind).deafens_main;
        if (is_meant && dice_.percent(kPreparedPercent)) add(filled(kind));
      }
    }
  }

  /// One thing, or two.
  void inherit() {
    for (int count = 1 + dice_.below(2); count > 0; --count) {
      const auto place = dice_.below(static_cast<int>(harness::kLastInherited) + 1);
      scenario_.inherits.insert(static_cast<harness::Inherited>(place));
    }
    if (is_deaf_to_its_ending(scenario_)) scenario_.inherits.clear();
  }

  void add(const Step& step) {
    model_.apply(step, takes_effect(model_, step));
    scenario_.steps.push_back(step);
  }

  Step filled(StepKind kind) {
    Step step;
    step.kind = kind;
    if (letter(kind).fill != nullptr) letter(kind).fill(draft_, step);
    return step;
  }

  /// One of the letters that fit here: mostly those that a healthy pool takes.
  std::optional<Step> next() {
    const auto wanted =
        dice_.percent(kIllegalPercent) ? Model::Call::kIllegal : Model::Call::kLegal;
    for (const auto call : {wanted, Model::Call::kLegal}) {
      std::vector<Step> fitting;
      std::vector<int> weights;
      for (const StepKind kind : steps_) {
        if (letter(kind).weight == 0) continue;
        const Step step = filled(kind);
        if (model_.call(step) != call || model_.may_wait_for_ever(step)) continue;
        fitting.push_back(step);
        const Moment moment{situation_of(model_), false, static_cast<int>(kind)};
        weights.push_back(weight_here(step) * lack_of(moment));
      }
      const int index = dice_.weighted(weights);
      if (index >= 0) return fitting[static_cast<std::size_t>(index)];
    }
    return std::nullopt;
  }

  int weight_here(const Step& step) const {
    const auto& letter = properties::letter(step.kind);
    return letter.weigh == nullptr ? letter.weight : letter.weigh(draft_, step);
  }

  /// How much more a pair counts that was not reached yet, or hardly.
  int lack_of(const Moment& moment) const {
    if (covered_ == nullptr) return 1;
    const int times = covered_->count(moment);
    return times == 0 ? kUnreachedWeight : times < kFewTimes ? kRareWeight : 1;
  }

  bool is_deaf_to_sigterm() const {
    return draft_.any_step([](const Step& step) { return entry(step.kind).deafens_main; });
  }

  Ending ending() {
    std::vector<Ending> fitting;
    std::vector<int> weights;
    for (const EndingKind kind : abilities_.endings) {
      Ending ending{.kind = kind};
      if (entry(kind).parameter == harness::Parameter::kCode)
        ending.code = dice_.pick(std::array{0, 1, 7});
      if (model_.may_wait_for_ever(ending)) continue;
      if (ending.kind == EndingKind::kSigterm && is_deaf_to_sigterm()) continue;
      fitting.push_back(ending);
      const Moment moment{situation_of(model_), true, static_cast<int>(kind)};
      weights.push_back(weight(kind) * lack_of(moment));
    }
    const int index = dice_.weighted(weights);
    return index < 0 ? Ending{} : fitting[static_cast<std::size_t>(index)];
  }

  Dice dice_;
  int size_;
  const Abilities& abilities_;
  const Coverage* covered_;
  Model model_;
  std::vector<StepKind> steps_;
  std::vector<BodyKind> bodies_;
  Scenario scenario_;
  Draft draft_;  // of the members above
};

/// Tries again where no ending fits what was begun; main alone fits always.
Scenario write(rc::Random random, int size, const Abilities& abilities, const Contract& contract,
               const std::string& start_method, const Coverage* covered) {
  for (int attempt = 0; attempt < 20; ++attempt) {
    const rc::Random own = random.split();
    Scenario scenario = Author(own, size, abilities, contract, covered).write(start_method);
    if (is_runnable(scenario, contract)) return scenario;
  }
  return Scenario{.start_method = start_method};
}

}  // namespace

rc::Gen<Scenario> scenarios(const Abilities& abilities, const Contract& contract,
                            std::string start_method, const Coverage* covered) {
  const auto shrink = [=](const Scenario& scenario) {
    return rc::seq::fromContainer(simpler(scenario, abilities, contract));
  };
  return rc::Gen<Scenario>([=](const rc::Random& random, int size) {
    return rc::shrinkable::shrinkRecur(
        write(random, size, abilities, contract, start_method, covered), shrink);
  });
}

}  // namespace poolproof::properties
