#include "properties/shrink.h"

#include <algorithm>
#include <csignal>
#include <map>
#include <optional>
#include <utility>

#include "properties/complexity.h"
#include "properties/model.h"

namespace poolproof::properties {
namespace {

using harness::BodyKind;
using harness::Fault;
using harness::Field;
using harness::FieldType;
using harness::Neighbour;
using harness::Scenario;
using harness::Simplify;
using harness::Step;
using harness::StepKind;
using harness::Victim;
using std::chrono::milliseconds;

template <class Range, class T>
bool has(const Range& all, const T& one) {
  return std::find(std::begin(all), std::end(all), one) != std::end(all);
}

/// Steps that make sense together, tasks numbered anew.
struct Repaired {
  std::vector<Step> steps;
  /// Of the steps that were kept, the first and the last by the place that they had before.
  std::map<std::size_t, std::pair<int, int>> numbers;
  std::map<int, int> tasks;
};

/// The step with the number that its task has now; nullopt: that task is gone.
std::optional<Step> renumbered(Step step, const Model& model, std::map<int, int>& tasks) {
  const auto& entry = harness::entry(step.kind);
  if (entry.makes == harness::Makes::kTask) {
    const int old = std::exchange(step.task, model.tasks() + 1);
    if (model.call(step) != Call::kImpossible) tasks[old] = step.task;
  } else if (needs_task(entry.needs)) {
    const auto found = tasks.find(step.task);
    if (found == tasks.end()) return std::nullopt;
    step.task = found->second;
  }
  return step;
}

/// A step of a new scenario, and the place in the whole one of what it is, or stands for.
struct Placed {
  std::size_t place = 0;
  Step step;
};

Repaired repaired(const std::vector<Placed>& steps, const Contract& contract) {
  Repaired result;
  auto& [kept, numbers, tasks] = result;
  Model model(contract);
  for (const auto& [place, whole] : steps) {
    auto step = renumbered(whole, model, tasks);
    if (!step || model.call(*step) == Call::kImpossible) continue;
    model.apply(*step, takes_effect(model, *step));
    kept.push_back(*step);
    const int number = static_cast<int>(kept.size());
    numbers.try_emplace(place, number, number).first->second.second = number;
  }
  return result;
}

/// The fault at the same step or task, by its number now; nullopt where that is gone.
std::optional<Fault> moved(Fault fault, const Repaired& repaired) {
  if (fault.trigger == Fault::Trigger::kCall) return fault;
  if (fault.trigger == Fault::Trigger::kTask) {
    const auto task = repaired.tasks.find(fault.nth);
    if (task == repaired.tasks.end()) return std::nullopt;
    fault.nth = task->second;
    return fault;
  }
  const auto step = repaired.numbers.find(static_cast<std::size_t>(fault.nth - 1));
  if (step == repaired.numbers.end()) return std::nullopt;
  const auto [first, last] = step->second;
  fault.nth = fault.trigger == Fault::Trigger::kBeforeStep ? first : last;
  return fault;
}

/// Collects candidates that are runnable, simpler, and not there yet.
class Candidates {
 public:
  Candidates(const Scenario& from, const Contract& contract)
      : from_(from), complexity_(complexity(from)), contract_(contract) {}

  void begin_pass() { all_.emplace_back(); }

  void add(Scenario candidate) {
    if (complexity(candidate) >= complexity_) return;
    if (!is_runnable(candidate, contract_)) return;
    const auto has_it = [&](const auto& pass) { return has(pass, candidate); };
    if (std::any_of(all_.begin(), all_.end(), has_it)) return;
    all_.back().push_back(std::move(candidate));
  }
  /// `change` edits a copy of step `i`.
  template <class Change>
  void add_with(std::size_t i, Change change) {
    Scenario candidate = from_;
    change(candidate.steps[i]);
    add(std::move(candidate));
  }
  Passes take() { return std::move(all_); }

 private:
  const Scenario& from_;
  Complexity complexity_;
  const Contract& contract_;
  Passes all_;
};

/// `from` with these steps instead, and the fault where its step or task is now.
Scenario with_steps(const Scenario& from, const std::vector<Placed>& steps,
                    const Contract& contract) {
  auto repaired = properties::repaired(steps, contract);
  Scenario candidate = from;
  if (from.fault) candidate.fault = moved(*from.fault, repaired);
  candidate.steps = std::move(repaired.steps);
  return candidate;
}

/// Tells the pool's next task from those that are there.
int unused_task(const Scenario& from) {
  int unused = 1;
  for (const Step& step : from.steps) unused = std::max(unused, step.task + 1);
  return unused;
}

/// `from` with one step instead of `count`; nullopt: with none.
std::vector<Placed> replaced(const Scenario& from, std::size_t at, std::size_t count,
                             const std::optional<Step>& by) {
  std::vector<Placed> steps;
  for (std::size_t i = 0; i < from.steps.size(); ++i) {
    if (i == at && by) steps.push_back({i, *by});
    if (i < at || i >= at + count) steps.push_back({i, from.steps[i]});
  }
  return steps;
}

/// One of so many parts; of more parts than steps, one step.
void without_steps(Candidates& all, const Scenario& from, std::size_t part,
                   const Contract& contract) {
  const std::size_t n = from.steps.size();
  const std::size_t chunk = std::max<std::size_t>((n + part - 1) / part, 1);
  for (std::size_t at = 0; at < n; at += chunk) {
    all.add(with_steps(from, replaced(from, at, chunk, std::nullopt), contract));
  }
}

/// The plain steps that do what the step does; empty for one that is plain. Of a map's items two
/// are as good as all, or one.
std::vector<Step> plain_steps(const Step& step, int fresh_task) {
  if (step.kind == StepKind::kMap) {
    return {{.kind = StepKind::kSubmit, .task = step.task, .body = step.body},
            {.kind = StepKind::kSubmit, .task = fresh_task, .body = step.body}};
  }
  // Who gets an outcome waits for it, too; who closes ends the pool as well.
  if (step.kind == StepKind::kWait || step.kind == StepKind::kTerminate) {
    Step plain = step;
    plain.kind = step.kind == StepKind::kWait ? StepKind::kGet : StepKind::kClose;
    return {plain};
  }
  if (step.kind != StepKind::kNeighbour) return {};
  const Step create{.kind = StepKind::kCreate, .workers = 1};
  Step submit{.kind = StepKind::kSubmit, .task = fresh_task};
  switch (step.neighbour) {
    case Neighbour::kEnds:
      return {create,
              submit,
              {.kind = StepKind::kClose},
              {.kind = StepKind::kJoin},
              {.kind = StepKind::kDrop}};
    case Neighbour::kStays:
      return {create, submit};
    case Neighbour::kBusy:
      submit.body.kind = BodyKind::kNever;
      return {create, submit};
    case Neighbour::kWorks:
      return {submit};
  }
  return {};
}

/// Of a stream of results there is one `next` for each; of a task there is its outcome.
bool is_next_of(const Step& step, const Step& map) {
  return map.kind == StepKind::kMap && step.kind == StepKind::kNext && step.task == map.task;
}

void with_plain_steps(Candidates& all, const Scenario& from, const Abilities& abilities,
                      const Contract& contract) {
  const auto cannot = [&](const Step& step) { return !has(abilities.steps, step.kind); };
  const int fresh_task = unused_task(from);
  const auto add = [&](std::size_t i, const std::vector<Step>& plain) {
    std::vector<Placed> steps;
    for (std::size_t at = 0; at < from.steps.size(); ++at) {
      if (at != i) {
        auto step = from.steps[at];
        if (is_next_of(step, from.steps[i])) step.kind = StepKind::kGet;
        if (!cannot(step)) steps.push_back({at, step});
        continue;
      }
      for (const Step& step : plain) steps.push_back({at, step});
    }
    all.add(with_steps(from, steps, contract));
  };
  for (std::size_t i = 0; i < from.steps.size(); ++i) {
    auto plain = plain_steps(from.steps[i], fresh_task);
    std::erase_if(plain, cannot);
    if (plain.empty()) continue;
    if (from.steps[i].kind == StepKind::kMap) add(i, {plain.front()});
    add(i, plain);
  }
}

/// All steps in order, or one of them further in front.
void in_order(Candidates& all, const Scenario& from, const Contract& contract) {
  std::vector<Placed> steps;
  for (std::size_t i = 0; i < from.steps.size(); ++i) steps.push_back({i, from.steps[i]});
  auto sorted = steps;
  std::stable_sort(sorted.begin(), sorted.end(),
                   [](const Placed& a, const Placed& b) { return order(a.step) < order(b.step); });
  all.add(with_steps(from, sorted, contract));
  for (auto late = steps.begin(); late != steps.end(); ++late) {
    for (auto early = steps.begin(); early != late; ++early) {
      if (order(early->step) <= order(late->step)) continue;
      auto moved = steps;
      const auto at = [&](auto place) { return moved.begin() + (place - steps.begin()); };
      std::rotate(at(early), at(late), at(late) + 1);
      all.add(with_steps(from, moved, contract));
    }
  }
}

Scenario with_endless_tasks(Scenario scenario) {
  for (Step& step : scenario.steps) {
    if (entry(step.kind).makes == harness::Makes::kTask) step.body = {.kind = BodyKind::kNever};
  }
  return scenario;
}

/// What a step did may have been to keep a worker busy, or main, until something had come to pass.
void with_endless_tasks_for_a_step(Candidates& all, const Scenario& from,
                                   const Abilities& abilities, const Contract& contract) {
  if (!has(abilities.bodies, BodyKind::kNever)) return;
  for (std::size_t at = 0; at < from.steps.size(); ++at)
    all.add(with_endless_tasks(with_steps(from, replaced(from, at, 1, std::nullopt), contract)));
}

/// Calls `each(step's place, field)` for all fields that are simplified in this way.
template <class Each>
void for_fields(const Scenario& from, Simplify how, Each each) {
  for (std::size_t i = 0; i < from.steps.size(); ++i) {
    for (const Field& field : entry(from.steps[i].kind).fields) {
      if (field.simplify == how) each(i, field);
    }
  }
}

void unset_settings(Scenario& scenario) {
  for_fields(scenario, Simplify::kSetting, [&](std::size_t i, const Field& field) {
    const bool is_name = field.type == FieldType::kName;
    field.set(scenario.steps[i], is_name ? std::optional<std::int64_t>(0) : std::nullopt);
  });
}

/// Whatever a step or some in a row do, all that mattered may have been that time went by, that
/// somebody looked, that there was a task, or that a worker died.
class StandIns {
 public:
  StandIns(const Scenario& from, const Abilities& abilities, const Contract& contract)
      : from_(from), contract_(contract) {
    const Step all[] = {{.kind = StepKind::kSleep, .duration = contract.patience()},
                        kLook,
                        {.kind = StepKind::kSubmit, .task = unused_task(from)},
                        kKill};
    for (const Step& step : all) {
      const bool is_task = step.kind == StepKind::kSubmit;
      if (is_task && !has(abilities.bodies, step.body.kind)) continue;
      if (has(abilities.steps, step.kind)) steps_.push_back(step);
    }
  }

  /// For two or more in a row.
  void add_for_some(Candidates& all) const {
    for (std::size_t chunk = (length() + 1) / 2; chunk > 1; chunk /= 2) {
      for (std::size_t at = 0; at < length(); at += chunk) {
        for (const Step& step : steps_) add(all, at, chunk, step);
      }
    }
  }

  /// A pause alone: whether it comes in time is what many cases differ by.
  void add_pauses(Candidates& all) const {
    if (steps_.empty() || steps_.front().kind != StepKind::kSleep) return;
    for (std::size_t at = 0; at < length(); ++at) add(all, at, 1, steps_.front());
  }

  /// What is set may have mattered to that step alone.
  void add_for_one(Candidates& all) const {
    for (std::size_t at = 0; at < length(); ++at) {
      for (const Step& step : steps_) {
        if (is_beside(at, 1, step)) continue;
        auto candidate = with_steps(from_, replaced(from_, at, 1, step), contract_);
        auto plain = candidate;
        unset_settings(plain);
        all.add(std::move(candidate));
        all.add(std::move(plain));
      }
    }
  }

  /// The step may have been the one that looked, too: that can be done in the end.
  void add_for_one_that_looked(Candidates& all) const {
    if (!has(steps_, kLook) || length() == 0 || from_.steps.back() == kLook) return;
    for (std::size_t at = 0; at < length(); ++at) {
      add_looking(all, replaced(from_, at, 1, std::nullopt));
      if (has(steps_, kKill)) add_looking(all, replaced(from_, at, 1, kKill));
    }
  }

 private:
  static constexpr Step kLook{.kind = StepKind::kWorkers};
  static constexpr Step kKill{.kind = StepKind::kKill, .victim = Victim::kIdle};

  std::size_t length() const { return from_.steps.size(); }
  void add(Candidates& all, std::size_t at, std::size_t count, const Step& by) const {
    if (!is_beside(at, count, by))
      all.add(with_steps(from_, replaced(from_, at, count, by), contract_));
  }
  /// Two pauses, or looks, in a row are no more than one, and leaving out is tried, too; but with
  /// a step its fault goes.
  bool is_beside(std::size_t at, std::size_t count, const Step& by) const {
    if (from_.fault && from_.fault->trigger != Fault::Trigger::kCall) return false;
    if (by.kind != StepKind::kSleep && by.kind != StepKind::kWorkers) return false;
    const bool is_in_front = at > 0 && from_.steps[at - 1] == by;
    return is_in_front || (at + count < length() && from_.steps[at + count] == by);
  }
  void add_looking(Candidates& all, std::vector<Placed> steps) const {
    steps.push_back({length(), kLook});
    all.add(with_steps(from_, steps, contract_));
  }

  const Scenario& from_;
  const Contract& contract_;
  std::vector<Step> steps_;  // that the adapter can do, the simplest first
};

/// A fault may have done no more than another ending of main's would.
void without_fault(Candidates& all, const Scenario& from, const Abilities& abilities) {
  if (!from.fault) return;
  Scenario candidate = from;
  candidate.fault.reset();
  all.add(candidate);
  for (const auto& ending : harness::ending_table()) {
    if (!has(abilities.endings, ending.kind)) continue;
    candidate.ending = {.kind = ending.kind};
    all.add(candidate);
  }
}

void with_simpler_ending(Candidates& all, const Scenario& from, const Abilities& abilities) {
  for (const auto& ending : harness::ending_table()) {
    if (ending.kind >= from.ending.kind) break;  // the table is in the order of simplicity
    if (!has(abilities.endings, ending.kind)) continue;
    Scenario candidate = from;
    candidate.ending = {.kind = ending.kind};
    all.add(std::move(candidate));
  }
}

/// Every earlier name of the list; of another pool's, that which does less.
void with_earlier_names(Candidates& all, const Scenario& from, std::size_t i, const Field& field,
                        const Abilities& abilities) {
  const bool is_other_pool = from.steps[i].kind == StepKind::kNeighbour;
  const auto now = field.get(from.steps[i]).value_or(0);
  const auto end = is_other_pool ? static_cast<std::int64_t>(field.names.size()) : now;
  for (std::int64_t earlier = 0; earlier < end; ++earlier) {
    const bool is_body = field.type == FieldType::kBody;
    if (is_body && !has(abilities.bodies, static_cast<BodyKind>(earlier))) continue;
    all.add_with(i, [&](Step& s) { field.set(s, earlier); });
  }
}

void with_simpler_letters(Candidates& all, const Scenario& from, const Abilities& abilities) {
  for_fields(from, Simplify::kLetter, [&](std::size_t i, const Field& field) {
    with_earlier_names(all, from, i, field, abilities);
  });
}

/// Round times alone: the least that will do depends on the machine, and differs each time.
std::vector<std::int64_t> shorter(std::int64_t time) {
  std::vector<std::int64_t> times{0};
  for (std::int64_t power = 1; power < time; power *= 10) {
    for (const int digit : {1, 2, 5}) {
      if (digit * power < time) times.push_back(digit * power);
    }
  }
  return times;
}

void with_gentler_fault(Candidates& all, const Scenario& from) {
  if (!from.fault) return;
  const auto add = [&](auto change) {
    Scenario candidate = from;
    change(candidate);
    all.add(std::move(candidate));
  };
  if (from.fault->action == Fault::Action::kSignal)
    add([](Scenario& s) { s.fault->number = SIGTERM; });
  add([](Scenario& s) { s.fault->lasting = false; });
  for (const int nth : {1, from.fault->nth / 2, from.fault->nth - 1}) {
    if (nth >= 1) add([nth](Scenario& s) { s.fault->nth = nth; });
  }
  for (const auto pause : shorter(from.fault->pause.count())) {
    if (pause >= 1) add([pause](Scenario& s) { s.fault->pause = milliseconds(pause); });
  }
}

/// Where nothing of all that matters, one run says so. Without a timeout it may wait for ever.
void without_options_and_settings(Candidates& all, const Scenario& from) {
  Scenario plain = from;
  unset_settings(plain);
  all.add(plain);
  for_fields(from, Simplify::kOption,
             [&](std::size_t i, const Field& field) { field.set(plain.steps[i], std::nullopt); });
  all.add(std::move(plain));
}

void with_fewer_options(Candidates& all, const Scenario& from) {
  if (from.processors) {
    Scenario candidate = from;
    candidate.processors.reset();
    all.add(std::move(candidate));
  }
  for (const auto inherited : from.inherits) {
    Scenario candidate = from;
    candidate.inherits.erase(inherited);
    all.add(std::move(candidate));
  }
  for_fields(from, Simplify::kOption, [&](std::size_t i, const Field& field) {
    all.add_with(i, [&](Step& s) { field.set(s, std::nullopt); });
  });
}

void with_plainer_pool(Candidates& all, const Scenario& from, const Abilities& abilities) {
  for_fields(from, Simplify::kSetting, [&](std::size_t i, const Field& field) {
    if (field.type == FieldType::kName) return with_earlier_names(all, from, i, field, abilities);
    all.add_with(i, [&](Step& s) { field.set(s, std::nullopt); });
  });
}

std::vector<std::int64_t> fewer_than(std::int64_t size, const Field& field) {
  std::vector<std::int64_t> sizes{1, 2, size / 2, size - 1};
  std::erase_if(sizes, [&](std::int64_t fewer) { return fewer < 1 || fewer > field.high; });
  return sizes;
}

/// As many here as there may be what matters.
void with_equal_sizes(Candidates& all, const Scenario& from) {
  for_fields(from, Simplify::kSize, [&](std::size_t first, const Field& size) {
    const auto equal = size_of(size, from.steps[first]);
    for (const auto fewer : fewer_than(equal, size)) {
      Scenario candidate = from;
      int count = 0;
      for_fields(from, Simplify::kSize, [&](std::size_t i, const Field& field) {
        if (size_of(field, from.steps[i]) != equal) return;
        field.set(candidate.steps[i], fewer);
        ++count;
      });
      if (count > 1) all.add(std::move(candidate));
    }
  });
}

void with_smaller_sizes(Candidates& all, const Scenario& from) {
  for_fields(from, Simplify::kSize, [&](std::size_t i, const Field& field) {
    const auto now = size_of(field, from.steps[i]);
    if (now > field.high + 2) all.add_with(i, [&](Step& s) { field.set(s, 0); });
    for (const auto fewer : fewer_than(now, field))
      all.add_with(i, [&](Step& s) { field.set(s, fewer); });
  });
}

std::vector<std::int64_t> smaller(std::int64_t number) {
  return {0, number / 2, number - 1};
}

/// The longest that will do: it depends the least on the machine's speed.
void with_longer_sleeps(Candidates& all, const Scenario& from, const Contract& contract) {
  const auto patience = contract.patience();
  auto times = shorter(patience.count());
  times.push_back(patience.count());
  std::reverse(times.begin(), times.end());
  for (std::size_t i = 0; i < from.steps.size(); ++i) {
    if (from.steps[i].kind != StepKind::kSleep) continue;
    for (const auto time : times) {
      all.add_with(i, [&](Step& s) { s.duration = milliseconds(time); });
    }
  }
}

void with_smaller_numbers(Candidates& all, const Scenario& from) {
  for (std::size_t i = 0; i < from.steps.size(); ++i) {
    const Step& step = from.steps[i];
    const bool waits = entry(step.body.kind).parameter == harness::Parameter::kMilliseconds;
    for (const auto n : waits ? shorter(step.body.amount) : smaller(step.body.amount)) {
      if (n >= 0) all.add_with(i, [&](Step& s) { s.body.amount = n; });
    }
    for (const Field& field : entry(step.kind).fields) {
      const auto now = field.get(step);
      if (!now || !is_number(field) || step.kind == StepKind::kSleep) continue;
      const bool is_time = field.type == FieldType::kMilliseconds;
      for (const auto n : is_time ? shorter(*now) : smaller(*now)) {
        if (n >= field.low) all.add_with(i, [&](Step& s) { field.set(s, n); });
      }
    }
  }
  for (const auto n : smaller(from.ending.code)) {
    if (n < 0) continue;
    Scenario candidate = from;
    candidate.ending.code = static_cast<int>(n);
    all.add(std::move(candidate));
  }
}

}  // namespace

Passes simpler_by_pass(const Scenario& scenario, const Abilities& abilities,
                       const Contract& contract) {
  Candidates all(scenario, contract);
  const auto pass = [&all](const auto& add) {
    all.begin_pass();
    add();
  };
  for (std::size_t part = 2; part <= harness::kMaxSteps; part *= 2)
    pass([&] { without_steps(all, scenario, part, contract); });
  pass([&] { with_plain_steps(all, scenario, abilities, contract); });
  pass([&] { without_fault(all, scenario, abilities); });
  const StandIns stand_ins(scenario, abilities, contract);
  pass([&] { stand_ins.add_for_some(all); });
  pass([&] { stand_ins.add_pauses(all); });
  pass([&] { with_simpler_ending(all, scenario, abilities); });
  pass([&] { with_simpler_letters(all, scenario, abilities); });
  pass([&] { with_gentler_fault(all, scenario); });
  pass([&] { without_options_and_settings(all, scenario); });
  pass([&] { with_fewer_options(all, scenario); });
  pass([&] { with_plainer_pool(all, scenario, abilities); });
  pass([&] { with_equal_sizes(all, scenario); });
  pass([&] { with_smaller_sizes(all, scenario); });
  pass([&] { with_longer_sleeps(all, scenario, contract); });
  pass([&] { with_smaller_numbers(all, scenario); });
  pass([&] { in_order(all, scenario, contract); });
  pass([&] { with_endless_tasks_for_a_step(all, scenario, abilities, contract); });
  // Many, and hardly one does: last.
  pass([&] { stand_ins.add_for_one(all); });
  pass([&] { stand_ins.add_for_one_that_looked(all); });
  return all.take();
}

std::vector<Scenario> surer(const Scenario& scenario, const Abilities& abilities,
                            const Contract& contract) {
  std::vector<Scenario> all;
  const auto add = [&](Scenario candidate) {
    if (candidate != scenario && is_runnable(candidate, contract) && !has(all, candidate))
      all.push_back(std::move(candidate));
  };
  if (has(abilities.bodies, BodyKind::kNever)) add(with_endless_tasks(scenario));
  const Step pause{.kind = StepKind::kSleep, .duration = contract.patience()};
  for (std::size_t at = 0; has(abilities.steps, pause.kind) && at < scenario.steps.size(); ++at) {
    auto steps = replaced(scenario, scenario.steps.size(), 0, std::nullopt);
    steps.insert(steps.begin() + static_cast<std::ptrdiff_t>(at) + 1,
                 {scenario.steps.size(), pause});
    auto paused = with_steps(scenario, steps, contract);
    // A step may make no sense behind a pause.
    const bool is_whole = paused.length() == scenario.length() + 1;
    if (is_whole && paused.fault.has_value() == scenario.fault.has_value()) add(std::move(paused));
  }
  return all;
}

std::vector<Scenario> simpler(const Scenario& scenario, const Abilities& abilities,
                              const Contract& contract) {
  std::vector<Scenario> all;
  for (auto& pass : simpler_by_pass(scenario, abilities, contract))
    std::move(pass.begin(), pass.end(), std::back_inserter(all));
  return all;
}

}  // namespace poolproof::properties
