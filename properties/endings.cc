#include "properties/endings.h"

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>

#include <fmt/format.h>

#include "properties/console.h"
#include "properties/desk.h"
#include "properties/family.h"
#include "properties/judging.h"
#include "properties/text.h"

namespace poolproof::properties {
namespace {

using harness::Ending;
using harness::Scenario;
using harness::Step;
using harness::StepKind;
using std::chrono::milliseconds;

constexpr int kWorkers = 4;
constexpr int kCode = 7;
constexpr milliseconds kTask{2000};   // longer than any exit that does not wait for it
constexpr milliseconds kGrace{3000};  // longer than the task, so that the table shows it end
constexpr int kLeastJobs = 16;        // they mostly sleep

/// Whoever is gone so soon after main did not stay behind: it was on its way.
constexpr milliseconds kOnItsWay{100};

Step submit(int task, milliseconds sleep) {
  Step step;
  step.kind = StepKind::kSubmit;
  step.task = task;
  step.body = {harness::BodyKind::kSleep, sleep.count()};
  return step;
}

Step get(int task) {
  Step step;
  step.kind = StepKind::kGet;
  step.task = task;
  return step;
}

Step pause(milliseconds duration) {
  Step step;
  step.kind = StepKind::kSleep;
  step.duration = duration;
  return step;
}

std::optional<harness::Nanoseconds> ending_begun(const harness::Trace& trace) {
  for (const auto& event : trace.events) {
    if (std::holds_alternative<harness::EndingBegun>(event.kind)) return event.at;
  }
  return std::nullopt;
}

bool is_proved_at_rest(const harness::Trace& trace) {
  return std::any_of(trace.events.begin(), trace.events.end(), [](const harness::Event& event) {
    const auto* rest = std::get_if<harness::AtRest>(&event.kind);
    return rest != nullptr && rest->proved;
  });
}

std::string status_in_short(const sys::ExitStatus& status) {
  if (const auto* exited = std::get_if<sys::Exited>(&status)) return std::to_string(exited->code);
  const auto signal = sys::signal_name(std::get<sys::Killed>(status).signal);
  return signal.starts_with("SIG") ? signal.substr(3) : signal;
}

void note_survivors(const Family& family, const harness::Trace& trace, EndingCell& cell) {
  const auto gone = *family.main()->dead;
  harness::Nanoseconds longest{0};
  bool all_ended = true;
  for (const auto* left : family.survivors()) {
    const auto stayed =
        left->dead ? trace.tree_time(gone, *left->dead) : harness::Nanoseconds::max();
    if (stayed <= kOnItsWay) continue;
    ++(left->role == Role::kWorker ? cell.workers : cell.others);
    cell.for_ever |= left->asleep_for_ever;
    all_ended &= left->dead.has_value();
    if (left->dead) longest = std::max(longest, stayed);
  }
  if (!cell.nothing_left() && all_ended) cell.left_for = longest;
}

/// One pool's one case, so that its result finds its place.
struct Place {
  std::size_t pool = 0;
  Load load = Load::kIdle;
  std::size_t row = 0;
};

class Endings {
 public:
  Endings(harness::Runner& runner, const std::vector<Pool>& pools)
      : pools_(pools), desk_(runner, options(), finish_on_interrupt()) {
    const EndingCell not_run{.unclear = "not run"};
    for (const auto& pool : pools) {
      const EndingColumn column{pool.label(), pool.abilities.runtime,
                                std::vector<EndingCell>(ending_rows().size(), not_run)};
      columns_[Load::kIdle].push_back(column);
      columns_[Load::kBusy].push_back(column);
    }
  }

  void run() {
    // The long ones first, so that the short ones fill the gaps at the end.
    for (const auto load : {Load::kBusy, Load::kIdle}) submit_all(load);
    const auto deadline = Clock::now() + std::chrono::minutes(5);
    while (auto ran = desk_.next(deadline)) place(*ran);
  }

  const std::vector<EndingColumn>& columns(Load load) const { return columns_.at(load); }
  const std::vector<std::string>& troubles() const { return troubles_; }
  bool stopped() const { return desk_.stopped(); }

 private:
  static CaseOptions options() {
    auto options = CaseOptions::of_environment();
    options.grace = kGrace;
    return options;
  }

  void submit_all(Load load) {
    const auto rows = ending_rows();
    for (std::size_t row = 0; row < rows.size(); ++row) {
      for (std::size_t pool = 0; pool < pools_.size(); ++pool) {
        const auto& able = pools_[pool].abilities.endings;
        if (std::find(able.begin(), able.end(), rows[row].kind) == able.end()) {
          columns_[load][pool].cells[row].unclear = "n/a";
          continue;
        }
        places_[desk_.submit(pools_[pool], ending_scenario(pools_[pool], load, rows[row]))] = {
            pool, load, row};
      }
    }
  }

  void place(const Ran& ran) {
    const auto& at = places_.at(ran.id);
    auto& cell = columns_[at.load][at.pool].cells[at.row];
    auto failure = ran.trace ? adapter_failure(*ran.pool, ran.scenario, *ran.trace)
                             : std::optional(ran.trace.error().message());
    if (!failure) {
      cell = ending_cell(*ran.trace, kGrace);
      return;
    }
    cell.unclear = "failed";
    const auto line = fmt::format("{}: {}", ran.pool->label(), *failure);
    if (std::find(troubles_.begin(), troubles_.end(), line) == troubles_.end()) {
      troubles_.push_back(line);
    }
  }

  const std::vector<Pool>& pools_;
  Desk desk_;
  std::map<std::uint64_t, Place> places_;
  std::map<Load, std::vector<EndingColumn>> columns_;
  std::vector<std::string> troubles_;
};

/// Without names: each implementation in the variant that its users get by default.
std::vector<Pool> default_variants(const std::vector<Pool>& pools) {
  std::vector<Pool> result;
  for (const auto& pool : pools) {
    const bool seen = std::any_of(result.begin(), result.end(), [&](const Pool& other) {
      return other.name.implementation == pool.name.implementation &&
             other.name.version == pool.name.version;
    });
    if (!seen) result.push_back(pool);
  }
  return result;
}

std::string in_json(Load load, const EndingColumn& column) {
  std::string lines;
  const auto rows = ending_rows();
  for (std::size_t row = 0; row < rows.size(); ++row) {
    const auto& cell = column.cells[row];
    const auto in_ms = [](const std::optional<harness::Nanoseconds>& time) -> nlohmann::json {
      if (!time) return nullptr;
      return static_cast<double>(time->count()) / 1e6;
    };
    nlohmann::ordered_json object{{"type", "ending"},
                                  {"pool", column.pool},
                                  {"runtime", column.runtime},
                                  {"load", load == Load::kIdle ? "idle" : "busy"},
                                  {"ending", harness::entry(rows[row].kind).name},
                                  {"status", cell.status},
                                  {"gone_after_ms", in_ms(cell.gone_after)},
                                  {"workers_left", cell.workers},
                                  {"others_left", cell.others},
                                  {"left_for_ms", in_ms(cell.left_for)},
                                  {"for_ever", cell.for_ever || cell.main_never}};
    if (!cell.unclear.empty()) object["unclear"] = cell.unclear;
    lines += object.dump() + "\n";
  }
  return lines;
}

}  // namespace

std::vector<Ending> ending_rows() {
  std::vector<Ending> rows;
  for (const auto& entry : harness::ending_table()) {
    rows.push_back({entry.kind, entry.parameter == harness::Parameter::kCode ? kCode : 0});
  }
  return rows;
}

Scenario ending_scenario(const Pool& pool, Load load, const Ending& ending) {
  Scenario scenario;
  scenario.start_method = pool.start_method;
  scenario.ending = ending;
  Step create;
  create.workers = kWorkers;
  scenario.steps.push_back(create);
  // Every worker is up, and has run something, before anything is measured.
  for (int task = 1; task <= kWorkers; ++task) {
    scenario.steps.push_back(submit(task, milliseconds(100)));
  }
  for (int task = 1; task <= kWorkers; ++task) scenario.steps.push_back(get(task));
  if (load == Load::kIdle) return scenario;
  for (int task = kWorkers + 1; task <= 2 * kWorkers; ++task) {
    scenario.steps.push_back(submit(task, kTask));
  }
  scenario.steps.push_back(pause(milliseconds(500)));
  return scenario;
}

EndingCell ending_cell(const harness::Trace& trace, milliseconds grace) {
  EndingCell cell;
  const Family family(trace);
  const auto* main = family.main();
  const auto begun = ending_begun(trace);
  if (main == nullptr || !begun) {
    cell.unclear = "no ending";
    return cell;
  }
  if (!main->dead) {
    cell.main_never = is_proved_at_rest(trace);
    if (!cell.main_never && trace.end != harness::End::kDeadline &&
        trace.tree_time(*begun, trace.events.back().at) < grace) {
      cell.unclear = harness::name(trace.end);
    }
    return cell;
  }
  cell.status = status_in_short(*main->status);
  cell.gone_after = trace.tree_time(*begun, *main->dead);
  note_survivors(family, trace, cell);
  return cell;
}

int run_endings(const EndingsCommand& command) {
  const auto chosen = choose_pools(command.places, command.pools);
  if (chosen.exit_code) return *chosen.exit_code;
  const auto runner = start_runner(
      command.jobs > 0 ? command.jobs : std::max(default_jobs(), kLeastJobs), command.rung);
  if (runner == nullptr) return kExitHarness;
  const auto pools =
      command.pools.empty() ? default_variants(chosen.pools.found) : chosen.pools.found;
  auto console = Console::of_this_process();
  if (!command.json) {
    for (const auto& absent : chosen.pools.absent) {
      console.print(wrapped(fmt::format("{} is absent: {}", absent.implementation, absent.why), 0));
    }
    console.progress("endings: each takes up to 5 s ...");
  }
  Endings endings(*runner, pools);
  endings.run();
  for (const auto load : {Load::kIdle, Load::kBusy}) {
    const auto& columns = endings.columns(load);
    if (!command.json) {
      console.print(endings_table(load, columns, kGrace));
      continue;
    }
    for (const auto& column : columns) console.print(in_json(load, column));
  }
  for (const auto& line : endings.troubles()) failed_with(kExitHarness, line);
  if (endings.stopped()) return kExitInterrupted;
  return endings.troubles().empty() ? kExitKept : kExitHarness;
}

}  // namespace poolproof::properties
