#include "properties/generate.h"

#include <algorithm>
#include <array>
#include <functional>

#include "properties/dice.h"
#include "properties/model.h"
#include "properties/shrink.h"

namespace poolproof::properties {
namespace {

using harness::Body;
using harness::BodyKind;
using harness::Ending;
using harness::EndingKind;
using harness::Initializer;
using harness::Scenario;
using harness::Step;
using harness::StepKind;
using harness::Victim;
using std::chrono::milliseconds;

constexpr int kMostSteps = 9;
constexpr int kIllegalPercent = 10;
constexpr int kPatientPercent = 5;   // of the gets of a task whose worker may have died
constexpr int kEnabledPercent = 65;  // of the optional letters, per scenario

/// A pair of situation and step is chosen so much more often as long as it was not reached, and
/// until it was reached so often.
constexpr int kUnreachedWeight = 6;
constexpr int kRareWeight = 2;
constexpr int kFewTimes = 5;

int weight(StepKind kind) {
  switch (kind) {
    case StepKind::kCreate:
      return 0;
    case StepKind::kSubmit:
      return 30;
    case StepKind::kGet:
      return 34;
    case StepKind::kClose:
      return 9;
    case StepKind::kTerminate:
      return 6;
    case StepKind::kJoin:
      return 12;
    case StepKind::kDrop:
      return 3;
    case StepKind::kWorkers:
      return 7;
    case StepKind::kSleep:
      return 5;
    case StepKind::kKill:
      return 10;
  }
  return 0;
}

int weight(BodyKind kind) {
  switch (kind) {
    case BodyKind::kNothing:
      return 16;
    case BodyKind::kEcho:
      return 18;
    case BodyKind::kSleep:
      return 12;
    case BodyKind::kSpin:
      return 3;
    case BodyKind::kNever:
      return 24;
    case BodyKind::kRaise:
      return 10;
    case BodyKind::kExit:
      return 6;
    case BodyKind::kOsExit:
      return 8;
    case BodyKind::kAbort:
      return 5;
    case BodyKind::kKillSelf:
      return 11;
    case BodyKind::kSegfault:
    case BodyKind::kStopSelf:
    case BodyKind::kIgnoreSigterm:
    case BodyKind::kLeaveChild:
    case BodyKind::kUnserializable:
      return 3;
  }
  return 0;
}

int weight(EndingKind kind) {
  return kind == EndingKind::kReturn ? 4 : 1;
}

/// Around what pipes and pages hold.
constexpr std::array<std::int64_t, 8> kPayloads{0, 1, 4095, 4096, 4097, 65535, 65536, 65537};
constexpr std::int64_t kLargePayload = 1 << 20;

class Author {
 public:
  Author(const rc::Random& random, int size, const Abilities& abilities, const Contract& contract,
         const Coverage* covered)
      : dice_(random),
        size_(size),
        abilities_(abilities),
        covered_(covered),
        model_(contract),
        patience_(contract.grace * 3 / 2) {
    for (const StepKind kind : abilities.steps) {
      const bool always = kind == StepKind::kSubmit || kind == StepKind::kGet;
      if (always || dice_.percent(kEnabledPercent)) steps_.push_back(kind);
    }
    for (const BodyKind kind : abilities.bodies) {
      if (dice_.percent(kEnabledPercent)) bodies_.push_back(kind);
    }
  }

  Scenario write(std::string start_method) {
    scenario_.start_method = std::move(start_method);
    add(create());
    const int most = std::clamp(3 + size_ / 10, 3, kMostSteps);
    const int length =
        1 + std::max(dice_.below(most), dice_.below(most));  // rather long than short
    while (static_cast<int>(scenario_.steps.size()) < length) {
      const auto step = next();
      if (!step) break;
      add(*step);
    }
    scenario_.ending = ending();
    return std::move(scenario_);
  }

 private:
  void add(const Step& step) {
    const bool timed_get = step.kind == StepKind::kGet && step.timeout;
    model_.apply(step, model_.call(step) == Model::Call::kLegal && !timed_get);
    scenario_.steps.push_back(step);
  }

  Step create() {
    Step step;
    const int index = dice_.weighted({45, 35, 15, 5});
    if (index < 3) step.workers = index + 1;
    if (can(harness::Setting::kQuota) && dice_.percent(15)) step.quota = 1 + dice_.below(2);
    if (can(harness::Setting::kInitializer) && dice_.percent(12)) {
      step.initializer =
          dice_.pick(std::array{Initializer::kReturns, Initializer::kReturns, Initializer::kRaises,
                                Initializer::kExits, Initializer::kKillsSelf});
    }
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

  /// A busy worker is worth killing while there is one, and what becomes of a dropped pool worth
  /// waiting for; what was done is rarely done again.
  int weight_here(const Step& step) const {
    if (step.kind == StepKind::kKill && step.victim == Victim::kBusy) return 90;
    if (step.kind == StepKind::kSleep && awaits_release() && release_is_doubtful()) return 60;
    const bool ended = model_.state() != Model::State::kRunning;
    // What was closed is to be joined, or nobody sees whether it drains.
    if (step.kind == StepKind::kJoin && ended && !model_.joined()) return 40;
    const bool again = (step.kind == StepKind::kClose && ended) ||
                       (step.kind == StepKind::kJoin && model_.joined());
    return again ? 3 : weight(step.kind);
  }

  bool can(harness::Setting setting) const {
    const auto& known = abilities_.settings;
    return std::find(known.begin(), known.end(), setting) != known.end();
  }

  /// How much more a pair counts that was not reached yet, or hardly.
  int lack_of(const Moment& moment) const {
    if (covered_ == nullptr) return 1;
    const int times = covered_->count(moment);
    return times == 0 ? kUnreachedWeight : times < kFewTimes ? kRareWeight : 1;
  }

  bool any_step(const std::function<bool(const Step&)>& fits) const {
    return std::any_of(scenario_.steps.begin(), scenario_.steps.end(), fits);
  }

  bool left_a_child() const {
    return any_step([](const Step& step) {
      return step.kind == StepKind::kSubmit && step.body.kind == BodyKind::kLeaveChild;
    });
  }
  /// A pool that is over has the grace to let go of its workers, its threads, and what its tasks
  /// left running, as has one that lost a worker which had left something; and somebody has to be
  /// there to see: once.
  bool awaits_release() const {
    const bool lost_worker = any_step([](const Step& step) {
      const bool by_itself = step.kind == StepKind::kSubmit && entry(step.body.kind).kills_worker;
      return step.kind == StepKind::kKill || by_itself;
    });
    const bool over = model_.state() == Model::State::kDropped || model_.joined() ||
                      (left_a_child() && lost_worker);
    return over && !any_step([this](const Step& step) { return step.duration == patience_; });
  }
  /// What join has waited for is gone mostly.
  bool release_is_doubtful() const {
    return model_.state() == Model::State::kDropped || left_a_child();
  }
  bool wants_to_see_release() {
    return awaits_release() && dice_.percent(release_is_doubtful() ? 50 : 20);
  }

  Step filled(StepKind kind) {
    Step step;
    step.kind = kind;
    switch (kind) {
      case StepKind::kSubmit:
        step.task = model_.tasks() + 1;
        step.body = body();
        break;
      case StepKind::kGet:
        fill_get(step);
        break;
      case StepKind::kSleep:
        step.duration = wants_to_see_release() ? patience_ : milliseconds(dice_.below(31));
        break;
      case StepKind::kKill:
        step.victim = Victim::kBusy;
        if (model_.call(step) == Model::Call::kImpossible || dice_.percent(25))
          step.victim = Victim::kIdle;
        break;
      case StepKind::kCreate:
      case StepKind::kClose:
      case StepKind::kTerminate:
      case StepKind::kJoin:
      case StepKind::kDrop:
      case StepKind::kWorkers:
        break;
    }
    return step;
  }

  /// Mostly a task whose outcome main does not know yet; with a timeout where it must, else rarely.
  void fill_get(Step& step) {
    std::vector<int> open;
    std::vector<int> all;
    for (int task = 1; task <= model_.tasks(); ++task) {
      if (!model_.accepted(task)) continue;
      all.push_back(task);
      const bool got = std::any_of(
          scenario_.steps.begin(), scenario_.steps.end(),
          [&](const Step& s) { return s.kind == StepKind::kGet && s.task == task && !s.timeout; });
      if (!got) open.push_back(task);
    }
    if (all.empty()) return;
    step.task = !open.empty() && dice_.percent(80) ? dice_.pick(open) : dice_.pick(all);
    const bool waits = model_.may_wait_for_ever(step);
    if (!waits && model_.may_lose_worker(step.task) && dice_.percent(kPatientPercent)) {
      step.timeout = patience_;
    } else if (waits || dice_.percent(20)) {
      step.timeout = milliseconds(dice_.pick(std::array{0, 1, 10, 50, 100}));
    }
  }

  Body body() {
    std::vector<int> weights;
    for (const BodyKind kind : bodies_) weights.push_back(weight(kind));
    const int index = dice_.weighted(weights);
    if (index < 0) return {};
    Body body{.kind = bodies_[static_cast<std::size_t>(index)]};
    switch (entry(body.kind).parameter) {
      case harness::Parameter::kNone:
        break;
      case harness::Parameter::kCode:
        body.amount = dice_.pick(std::array{0, 1, 3, 255});
        break;
      case harness::Parameter::kMilliseconds:
        body.amount = 1 + dice_.below(50);
        break;
      case harness::Parameter::kBytes:
        body.amount = size_ > 20 && dice_.percent(10) ? kLargePayload : dice_.pick(kPayloads);
        break;
    }
    return body;
  }

  Ending ending() {
    std::vector<Ending> fitting;
    std::vector<int> weights;
    for (const EndingKind kind : abilities_.endings) {
      Ending ending{.kind = kind};
      if (entry(kind).parameter == harness::Parameter::kCode)
        ending.code = dice_.pick(std::array{0, 1, 7});
      if (model_.may_wait_for_ever(ending)) continue;
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
  milliseconds patience_;  // more than the grace: a healthy pool tells of a dead worker before
  std::vector<StepKind> steps_;
  std::vector<BodyKind> bodies_;
  Scenario scenario_;
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
