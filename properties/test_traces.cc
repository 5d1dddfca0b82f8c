#include "properties/test_traces.h"

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <thread>
#include <utility>

#include "harness/alphabet.h"

namespace poolproof::properties {

using namespace harness;

Pool executor_pool() {
  Pool pool;
  pool.name = {"ProcessPoolExecutor", "fork", "3.11.7"};
  pool.start_method = "fork";
  pool.adapter = "/adapters/process_pool_executor.py";
  pool.command = {"/usr/bin/python3", pool.adapter};
  auto& abilities = pool.abilities;
  abilities.name = "ProcessPoolExecutor";
  abilities.version = "3.11.7";
  abilities.language = "python";
  abilities.runtime = "CPython 3.11.7";
  abilities.start_methods = {"fork", "spawn"};
  for (const auto& entry : step_table()) abilities.steps.push_back(entry.kind);
  for (const auto& entry : body_table()) abilities.bodies.push_back(entry.kind);
  for (const auto& entry : ending_table()) abilities.endings.push_back(entry.kind);
  abilities.program = {
      {"preamble", "import os\n\ndef nothing():\n    pass\n"},
      {"create", "pool = ProcessPoolExecutor({workers})"},
      {"submit", "f{task} = pool.submit({body}{args})"},
      {"get", "f{task}.result()"},
      {"get_timeout", "f{task}.result({timeout})"},
      {"kill", "kill({victim}(pool))"},
      {"body_nothing", "nothing|"},
      {"body_echo", "echo|, bytes({bytes})"},
      {"body_sleep", "time.sleep|, {seconds}"},
      {"ending_os_exit", "os._exit({code})"},
      {"ending_return", ""},
  };
  pool.contract.pool = abilities.name;
  pool.contract.exit = Contract::Exit::kDrains;
  pool.contract.worker_death = Contract::WorkerDeath::kBreaks;
  return pool;
}

Step create_step(int workers) {
  Step step;
  step.workers = workers;
  return step;
}

Step submit_step(int task, Body body) {
  Step step;
  step.kind = StepKind::kSubmit;
  step.task = task;
  step.body = body;
  return step;
}

Step get_step(int task) {
  Step step;
  step.kind = StepKind::kGet;
  step.task = task;
  return step;
}

Scenario orphan_scenario() {
  return {"fork", {create_step(1), submit_step(1), get_step(1)}, {EndingKind::kOsExit, 0}};
}

TraceWriter::TraceWriter() {
  add(Born{.pid = kMain, .outer = kMain, .parent = 0, .how = "main"});
  add(Started{kMain});
}

TraceWriter& TraceWriter::at(double ms) {
  now_ = Nanoseconds(static_cast<std::int64_t>(ms * 1e6));
  return *this;
}

TraceWriter& TraceWriter::born(Pid pid) {
  return add(Born{.pid = pid, .outer = pid, .parent = kMain, .how = "fork"});
}

TraceWriter& TraceWriter::step(int number, StepResult result) {
  return add(StepBegun{kMain, number}).add(StepEnded{kMain, number, std::move(result)});
}

TraceWriter& TraceWriter::task(int number, Pid worker) {
  return add(TaskBegun{worker, number}).add(TaskEnded{worker, number, "returned"});
}

TraceWriter& TraceWriter::dead(Pid pid, sys::ExitStatus status) {
  return add(Dying{pid, status}).add(Dead{pid, status});
}

TraceWriter& TraceWriter::ends(sys::ExitStatus status) {
  return add(EndingBegun{kMain}).dead(kMain, status);
}

TraceWriter& TraceWriter::eof() {
  return add(OutputEof{"stdout"}).add(OutputEof{"stderr"});
}

Trace TraceWriter::done(End end) {
  trace_.end = end;
  return std::move(trace_);
}

Trace orphan_trace() {
  constexpr Pid kWorker = 2107;
  TraceWriter writer;
  StepResult none;
  none.value = "none";
  writer.at(1).step(1);
  writer.at(31.0).add(StepBegun{TraceWriter::kMain, 2});
  writer.at(31.2).born(kWorker);
  writer.at(31.4).add(StepEnded{TraceWriter::kMain, 2, {}});
  writer.at(31.5).add(StepBegun{TraceWriter::kMain, 3});
  writer.at(33.0).task(1, kWorker);
  writer.at(33.5).add(StepEnded{TraceWriter::kMain, 3, none});
  writer.at(34.1).ends(sys::Exited{0});
  AtRest rest;
  rest.proved = true;
  rest.waits = {{kWorker, kWorker, "read", "pipe:[723028]", "", {{"byte", "pipe:[723028]"}}}};
  rest.resources = {{"pipe:[723028]", "", {{kWorker, 5, "r"}, {kWorker, 6, "w"}}}};
  writer.at(86.0).add(rest);
  writer.at(86.4).add(Snapshot{0, {{kWorker, 'S', 1}}, -1, -1});
  writer.at(86.4).add(KilledByWarden{kWorker});
  writer.at(86.9).dead(kWorker, sys::Killed{9}).eof();
  return writer.done(End::kAtRest);
}

namespace {

sys::ExitStatus status_of(const Ending& ending) {
  switch (ending.kind) {
    case EndingKind::kRaise:
      return sys::Exited{1};
    case EndingKind::kAbort:
      return sys::Killed{6};
    case EndingKind::kSigterm:
      return sys::Killed{15};
    case EndingKind::kSighup:
      return sys::Killed{1};
    case EndingKind::kSigkill:
      return sys::Killed{9};
    case EndingKind::kSigint:
    case EndingKind::kCtrlC:
      return sys::Killed{2};
    default:
      return sys::Exited{ending.code};
  }
}

}  // namespace

Trace healthy_trace(const Scenario& scenario) {
  constexpr Pid kWorker = 3000;
  TraceWriter writer;
  double ms = 1;
  bool worker = false;
  for (std::size_t i = 0; i < scenario.steps.size(); ++i) {
    const auto& step = scenario.steps[i];
    const int number = static_cast<int>(i) + 1;
    StepResult result;
    writer.at(ms += 1).add(StepBegun{TraceWriter::kMain, number});
    if (step.kind == StepKind::kSubmit) {
      if (!worker) writer.born(kWorker);
      worker = true;
      writer.at(ms += 1).task(step.task, kWorker);
    }
    if (step.kind == StepKind::kGet) result.value = "none";
    writer.at(ms += 1).add(StepEnded{TraceWriter::kMain, number, result});
  }
  writer.at(ms += 1).add(EndingBegun{TraceWriter::kMain});
  // Main takes its worker along where it still runs; otherwise the worker sees that it has gone.
  const bool first = entry(scenario.ending.kind).runs_cleanup;
  if (worker && first) writer.at(ms += 1).dead(kWorker, sys::Exited{0});
  writer.at(ms += 1).dead(TraceWriter::kMain, status_of(scenario.ending));
  if (worker && !first) writer.at(ms += 1).dead(kWorker, sys::Exited{0});
  return writer.at(ms += 1).eof().done();
}

std::vector<std::uint64_t> FakeRunner::under_way() const {
  std::vector<std::uint64_t> ids;
  for (const auto& job : queue_) {
    if (std::cmp_less(ids.size(), jobs())) ids.push_back(job.id);
  }
  return ids;
}

std::optional<Finished> FakeRunner::next(std::chrono::steady_clock::time_point deadline) {
  const auto first = std::find_if(queue_.begin(), queue_.end(), [&](const Job& job) {
    return ended_ || !hangs_ || !hangs_(job);
  });
  if (first == queue_.end()) {
    if (!queue_.empty()) std::this_thread::sleep_until(deadline);
    return std::nullopt;
  }
  const auto job = std::move(*first);
  queue_.erase(first);
  ++runs_;
  return Finished{job.id, answer_(job)};
}

::testing::AssertionResult is_golden(const std::string& name, const std::string& text) {
  const auto path = std::string(POOLPROOF_GOLDEN) + "/" + name;
  const char* update = std::getenv("POOLPROOF_UPDATE_GOLDEN");
  if (update != nullptr && std::string(update) == "1") std::ofstream(path) << text;
  std::ifstream file(path);
  std::stringstream expected;
  expected << file.rdbuf();
  if (file && expected.str() == text) return ::testing::AssertionSuccess();
  return ::testing::AssertionFailure()
         << path << " differs (POOLPROOF_UPDATE_GOLDEN=1 rewrites it); now it is:\n"
         << text;
}

}  // namespace poolproof::properties
