#include "properties/rules/made_trace.h"

namespace poolproof::properties {

using namespace harness;
using std::chrono::milliseconds;

Step map(int task, harness::Form form, int items, harness::BodyKind body) {
  Step step = of_kind(StepKind::kMap);
  step.task = task;
  step.form = form;
  step.items = items;
  step.body.kind = body;
  return step;
}

Step next(int task) {
  Step step = of_kind(StepKind::kNext);
  step.task = task;
  return step;
}

Step of_kind(StepKind kind) {
  Step step;
  step.kind = kind;
  return step;
}
Step create(int workers) {
  Step step = of_kind(StepKind::kCreate);
  step.workers = workers;
  return step;
}
Step submit(int task, BodyKind body, std::int64_t amount) {
  Step step = of_kind(StepKind::kSubmit);
  step.task = task;
  step.body = {.kind = body, .amount = amount};
  return step;
}
Step get(int task) {
  Step step = of_kind(StepKind::kGet);
  step.task = task;
  return step;
}
Step get_for(int task, milliseconds timeout) {
  Step step = get(task);
  step.timeout = timeout;
  return step;
}
Step kill(Victim victim) {
  Step step = of_kind(StepKind::kKill);
  step.victim = victim;
  return step;
}
Step sleep_for(milliseconds time) {
  Step step = of_kind(StepKind::kSleep);
  step.duration = time;
  return step;
}

StepResult result(StepResult::Kind kind, std::string message) {
  StepResult made;
  made.kind = kind;
  made.message = std::move(message);
  return made;
}
StepResult value(std::string text) {
  StepResult made;
  made.value = std::move(text);
  return made;
}
StepResult killed(Pid pid) {
  StepResult made;
  made.killed = pid;
  return made;
}
StepResult listing(std::vector<StepResult::Listed> workers) {
  StepResult made;
  made.workers = std::move(workers);
  return made;
}

MainState plain_main() {
  return {.at = "",
          .descriptors = {{0, "/dev/null"}, {1, "pipe:[1]"}, {2, "pipe:[2]"}},
          .blocked = "0000000000000000",
          .ignored = "0000000001001000",
          .caught = "0000000000000002",
          .umask = "0022",
          .folder = "/home",
          .root = "/",
          .limits = "Max open files 1024 4096 files; Max core file size 0 0 bytes",
          .nice = "0",
          .oom_score_adj = "1000",
          .group = "2",
          .session = "2",
          .processors = "0-1"};
}

Story::Story(std::vector<Step> steps, EndingKind ending, int code) {
  scenario.steps = std::move(steps);
  scenario.ending = {.kind = ending, .code = code};
  add(Born{.pid = kMain, .outer = 1002, .parent = 0, .how = "main"});
  alive_.insert(kMain);
  add(Started{kMain});
}

Story& Story::after(milliseconds time) {
  now_ += time;
  return *this;
}

Story& Story::add(Event::Kind kind) {
  trace.events.push_back({now_, std::move(kind)});
  return after(milliseconds(1));
}

Story& Story::born(Pid pid, Pid parent) {
  alive_.insert(pid);
  return add(Born{.pid = pid, .outer = 1000 + pid, .parent = parent, .how = "fork"});
}

Story& Story::dies(Pid pid, sys::ExitStatus status) {
  alive_.erase(pid);
  return add(Dying{pid, status}).add(Dead{pid, status});
}

Story& Story::begins(int step) {
  return add(StepBegun{kMain, step});
}
Story& Story::ends(int step, StepResult result) {
  return add(StepEnded{kMain, step, std::move(result)});
}
Story& Story::step(int step, StepResult result) {
  return begins(step).ends(step, std::move(result));
}

Story& Story::begins_task(int task, Pid pid) {
  return add(TaskBegun{pid, task});
}
Story& Story::ends_task(int task, Pid pid, std::string how) {
  return add(TaskEnded{pid, task, std::move(how)});
}
Story& Story::task(int task, Pid pid) {
  return begins_task(task, pid).ends_task(task, pid);
}

Story& Story::begins_item(int task, int item, Pid pid) {
  return add(TaskBegun{.pid = pid, .task = task, .item = item});
}

Story& Story::item(int task, int item, Pid pid) {
  begins_item(task, item, pid);
  return add(TaskEnded{.pid = pid, .task = task, .how = "returned", .item = item});
}

Story& Story::calls_back(int task, std::string with) {
  return add(harness::CalledBack{kMain, task, std::move(with)});
}
Story& Story::hit(const std::string& fault, harness::Pid pid) {
  return add(harness::FaultFired{pid, fault, 1});
}

Story& Story::main_is(const std::string& at, MainState state) {
  state.at = at;
  return add(std::move(state));
}

Story& Story::ending() {
  return add(EndingBegun{kMain});
}
Story& Story::eof() {
  return add(OutputEof{"stdout"}).add(OutputEof{"stderr"});
}

Story& Story::at_rest(bool proved) {
  AtRest rest{.proved = proved, .waits = {}};
  for (const Pid pid : alive_) {
    rest.waits.push_back({pid, pid, "read", "pipe:[7]", proved ? "" : "a timer may be armed"});
  }
  return add(std::move(rest));
}

Story& Story::over(End end) {
  trace.end = end;
  for (const Pid pid : alive_) add(KilledByWarden{pid});
  return *this;
}

Story& Story::exits(sys::ExitStatus status) {
  ending();
  const auto alive = alive_;
  for (const Pid pid : alive) {
    if (pid != kMain) dies(pid);
  }
  return dies(kMain, status).eof();
}

Verdict Story::verdict(std::string_view rule) const {
  const Evidence evidence{.scenario = scenario,
                          .trace = trace,
                          .contract = contract,
                          .language = language,
                          .runtime = runtime};
  for (auto& judgement : judge(evidence, true)) {
    if (judgement.rule->id == rule) return std::move(judgement.verdict);
  }
  return Inconclusive{"no such rule"};
}

std::string Story::outcome(std::string_view rule) const {
  constexpr const char* kNames[] = {"held", "violated", "inconclusive", "not applicable",
                                    "not exercised"};
  return kNames[verdict(rule).index()];
}

std::string Story::says(std::string_view rule) const {
  const Verdict found = verdict(rule);
  if (const auto* violated = std::get_if<Violated>(&found)) return violated->evidence;
  if (const auto* doubt = std::get_if<Inconclusive>(&found)) return doubt->why;
  return "";
}

std::vector<std::string> Story::violated() const {
  std::vector<std::string> rules;
  for (const Rule& rule : rule_table()) {
    if (outcome(rule.id) == "violated") rules.emplace_back(rule.id);
  }
  return rules;
}

}  // namespace poolproof::properties
