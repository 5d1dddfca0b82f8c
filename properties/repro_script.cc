#include "properties/repro_script.h"

#include <fmt/format.h>

#include <algorithm>
#include <csignal>
#include <optional>
#include <regex>
#include <set>
#include <vector>

#include "harness/sys/exit_status.h"
#include "properties/program_text.h"
#include "properties/text.h"

namespace poolproof::properties {
namespace {

using harness::Fault;
using harness::Step;
using harness::StepKind;
using Kind = Symptom::Kind;
using Lines = std::vector<std::string>;

/// The child program's own exit status where it has seen the symptom itself.
constexpr int kSeen = 77;

void append(Lines& lines, const Lines& more, std::size_t indent = 0) {
  for (const auto& line : more)
    lines.push_back(line.empty() ? "" : std::string(indent, ' ') + line);
}

/// "list(pool._pool)": how the adapter asks its pool for workers, out of "print(...)".
std::string workers_of(const Abilities& abilities) {
  constexpr std::string_view kBefore = "print(";
  const auto found = abilities.program.find("workers");
  if (found == abilities.program.end() || !found->second.starts_with(kBefore)) return "";
  return found->second.substr(kBefore.size(), found->second.size() - kBefore.size() - 1);
}

std::string pids_of_workers(const Abilities& abilities) {
  return fmt::format("[getattr(w, \"pid\", w) for w in {}]", workers_of(abilities));
}

/// "get (step 3)", "exit".
std::string where(const harness::Scenario& scenario, int step) {
  if (step == 0) return "exit";
  const auto kind = scenario.steps[static_cast<std::size_t>(step - 1)].kind;
  return fmt::format("{} (step {})", harness::entry(kind).name, step);
}

// ---- Killing a worker ---------------------------------------------------------------------------

bool kills_a_worker(const harness::Scenario& scenario) {
  return std::any_of(scenario.steps.begin(), scenario.steps.end(),
                     [](const Step& step) { return step.kind == StepKind::kKill; });
}

/// Whether every worker is what the kill step wants, so that any will do: none has a task that may
/// still run, or there is but one and it has.
bool any_worker_will_do(const harness::Scenario& scenario) {
  std::set<int> open;
  int workers = 0;
  for (const Step& step : scenario.steps) {
    if (step.kind == StepKind::kCreate) workers = step.workers.value_or(0);
    if (entry(step.kind).makes == harness::Makes::kTask) open.insert(step.task);
    if (step.kind == StepKind::kGet && !step.timeout) open.erase(step.task);
    if (step.kind != StepKind::kKill) continue;
    const bool idle = step.victim == harness::Victim::kIdle;
    if (idle ? !open.empty() : workers != 1 || open.empty()) return false;
  }
  return true;
}

/// Tasks mark their process while they run, where it matters which worker is meant.
Lines marking() {
  return {"def mark(body):  # its process is called \"busy\" meanwhile",
          "    @functools.wraps(body)",
          "    def marked(*args):",
          "        try:",
          "            open(\"/proc/self/comm\", \"w\").write(\"busy\")",
          "            return body(*args)",
          "        finally:",
          "            open(\"/proc/self/comm\", \"w\").write(\"idle\")",
          "    return marked"};
}

Lines finding(const Abilities& abilities) {
  return {"def find(pool, busy):", fmt::format("    for pid in {}:", pids_of_workers(abilities)),
          "        with open(\"/proc/%d/comm\" % pid) as comm:",
          "            if (comm.read() == \"busy\\n\") == busy:", "                return pid"};
}

/// Workers are given the time to become what the step wants.
Lines kill_statement(const Step& step, bool any, const Abilities& abilities) {
  const auto pid = any ? pids_of_workers(abilities) + "[0]"
                       : fmt::format("find(pool, busy={})",
                                     step.victim == harness::Victim::kBusy ? "True" : "False");
  return {"time.sleep(0.5)", fmt::format("os.kill({}, signal.SIGKILL)", pid), "time.sleep(0.2)"};
}

// ---- The program itself -------------------------------------------------------------------------

/// A fault that a program can do to itself, as a statement; others need a tracer.
std::optional<std::string> fault_statement(const Fault& fault) {
  const bool at_step =
      fault.trigger == Fault::Trigger::kBeforeStep || fault.trigger == Fault::Trigger::kAfterStep;
  if (!at_step || fault.who != "main" || fault.action != Fault::Action::kSignal)
    return std::nullopt;
  return fmt::format("os.kill(os.getpid(), signal.{})", sys::signal_name(fault.number));
}

/// What makes the child program look for itself, after the step.
Lines look_for_workers(const ReproRequest& request) {
  Lines lines;
  const auto& step = request.scenario.steps[static_cast<std::size_t>(request.symptom.step - 1)];
  if (step.kind == StepKind::kDrop || step.kind == StepKind::kCollect)
    lines.emplace_back("time.sleep(2)");
  append(lines, {"left = [pid for pid in workers if os.path.exists(\"/proc/%d\" % pid)]",
                 fmt::format("print(\"happened: after {}, workers are left:\", left, flush=True)",
                             where(request.scenario, request.symptom.step)),
                 fmt::format("os._exit({} if left else 0)", kSeen)});
  return lines;
}

Lines look_at_result(const ReproRequest& request, const Lines& statement) {
  const bool should_raise = !request.raising.contains(request.symptom.step);
  Lines lines{"came = \"nothing was raised\"", "try:"};
  append(lines, statement, 4);
  append(lines, {"except BaseException as error:", "    came = repr(error)",
                 fmt::format("print(\"happened: {}:\", came, flush=True)",
                             where(request.scenario, request.symptom.step)),
                 fmt::format("os._exit({} if (came == \"nothing was raised\") is {} else 0)", kSeen,
                             should_raise ? "True" : "False")});
  return lines;
}

/// A pool that is over has no list of its workers any more: they are noted before. 0 for none.
int first_end_of_pool(const harness::Scenario& scenario) {
  int number = 0;
  for (const Step& step : scenario.steps) {
    ++number;
    switch (step.kind) {
      case StepKind::kClose:
      case StepKind::kTerminate:
      case StepKind::kJoin:
      case StepKind::kDrop:
        return number;
      default:
        break;
    }
  }
  return 0;
}

Lines lines_here(const ReproRequest& request, const Statement& statement) {
  const auto index = static_cast<std::size_t>(statement.step - 1);
  const auto& steps = request.scenario.steps;
  if (index >= steps.size() || steps[index].kind != StepKind::kKill) return statement.lines;
  return kill_statement(steps[index], any_worker_will_do(request.scenario), request.pool.abilities);
}

Lines program(const ReproRequest& request) {
  const auto& symptom = request.symptom;
  const auto& fault = request.scenario.fault;
  Lines lines;
  const auto add_fault = [&](int step, Fault::Trigger trigger) {
    if (fault && fault->trigger == trigger && fault->nth == step)
      lines.push_back(*fault_statement(*fault));
  };
  const int noted = symptom.kind == Kind::kKeepsWorkers ? first_end_of_pool(request.scenario) : 0;
  auto raising = request.raising;
  if (symptom.kind == Kind::kComesOutWrong) raising.erase(symptom.step);
  for (const auto& statement : statements(request.scenario, request.pool.abilities, raising)) {
    const bool looked_at = symptom.step != 0 && statement.step == symptom.step;
    add_fault(statement.step, Fault::Trigger::kBeforeStep);
    if (looked_at && symptom.kind == Kind::kComesOutWrong) {
      append(lines, look_at_result(request, statement.lines));
      return lines;
    }
    if (statement.step == noted)
      lines.push_back("workers = " + pids_of_workers(request.pool.abilities));
    append(lines, lines_here(request, statement));
    if (looked_at && symptom.kind == Kind::kKeepsWorkers) {
      append(lines, look_for_workers(request));
      return lines;
    }
    add_fault(statement.step, Fault::Trigger::kAfterStep);
  }
  if (lines.empty()) lines.emplace_back("pass");
  return lines;
}

// ---- Who looks at it ----------------------------------------------------------------------------

/// Everybody whom the child program made is of its session, and is alive or a zombie of main's.
Lines family() {
  return {"def family(session, number=0):  # its processes that are alive; each is sent the signal",
          "    found = []",
          "    for pid in map(int, filter(str.isdigit, os.listdir(\"/proc\"))):",
          "        with contextlib.suppress(OSError), open(\"/proc/%d/status\" % pid) as status:",
          "            if os.getsid(pid) == session and \"Z (zombie)\" not in status.read():",
          "                os.kill(pid, number)",
          "                found.append(pid)",
          "    return found"};
}

/// Elsewhere its process group is all that has to be ended.
bool looks_for_the_family(const ReproRequest& request) {
  return request.symptom.kind == Kind::kLeavesProcesses;
}

/// multiprocessing's resource tracker ignores SIGTERM, removes the semaphores of those who have
/// not, and ends by itself.
Lines end_of(const ReproRequest& request) {
  const std::string_view pause = "time.sleep(0.5)  # semaphores are removed meanwhile";
  if (looks_for_the_family(request)) {
    return {"    family(child.pid, signal.SIGTERM)", fmt::format("    {}", pause),
            "    family(child.pid, signal.SIGKILL)"};
  }
  return {"    with contextlib.suppress(ProcessLookupError):",
          "        os.killpg(child.pid, signal.SIGTERM)", fmt::format("        {}", pause),
          "        os.killpg(child.pid, signal.SIGKILL)"};
}

Lines seen(const ReproRequest& request) {
  const auto& symptom = request.symptom;
  const bool memory = request.rule.id == "R2";
  switch (symptom.kind) {
    case Kind::kDoesNotEnd:
      return {
          fmt::format("seen = child.poll() is None and \"the program is still in {} after 10 s\"",
                      where(request.scenario, symptom.step))};
    case Kind::kLeavesProcesses:
      return {
          "time.sleep(2)", "left = family(child.pid)",
          "seen = child.poll() is not None and left and \"main is gone, these live: %s\" % left"};
    case Kind::kEndsOtherwise:
      return {fmt::format("seen = child.poll() == {} and \"the exit status is {}\"", symptom.status,
                          symptom.status)};
    case Kind::kLeavesFiles:
      return {
          "time.sleep(2)",
          memory ? "left = set(os.listdir(\"/dev/shm\")) - before" : "left = os.listdir(folder)",
          "seen = child.poll() is not None and left and \"this is left: %s\" % sorted(left)"};
    case Kind::kKeepsWorkers:
    case Kind::kComesOutWrong:
      return {fmt::format("seen = child.poll() == {}", kSeen)};
  }
  return {};
}

bool says_itself(const Symptom& symptom) {
  return symptom.kind == Kind::kKeepsWorkers || symptom.kind == Kind::kComesOutWrong;
}

Lines looking_on(const ReproRequest& request) {
  const auto& symptom = request.symptom;
  const bool files = symptom.kind == Kind::kLeavesFiles;
  const bool memory = files && request.rule.id == "R2";
  Lines lines;
  if (memory) lines.emplace_back("before = set(os.listdir(\"/dev/shm\"))");
  if (files && !memory) lines.emplace_back("os.environ[\"TMPDIR\"] = folder = tempfile.mkdtemp()");
  append(
      lines,
      {"child = subprocess.Popen([sys.executable, __file__, \"program\"], start_new_session=True)",
       "try:", "    with contextlib.suppress(subprocess.TimeoutExpired):",
       "        child.wait(timeout=10)"});
  append(lines, seen(request), 4);
  lines.emplace_back("finally:");
  append(lines, end_of(request));
  if (files && !memory) lines.emplace_back("    shutil.rmtree(folder)");
  lines.push_back(says_itself(symptom)
                      ? "print(__doc__ if seen else __doc__ + \"not this time\")"
                      : "print(__doc__ + \"Happened:\", seen or \"not this time\")");
  lines.emplace_back("sys.exit(1 if seen else 0)");
  return lines;
}

// ---- The whole ----------------------------------------------------------------------------------

Lines docstring(const ReproRequest& request) {
  auto text = fmt::format("Expected: {}", request.rule.sentence);
  Lines lines{fmt::format("\"\"\"{} {} ({}, {})", request.rule.id, request.rule.name,
                          request.pool.label(), request.pool.abilities.runtime)};
  append(lines, wrap(text, 0, 100));
  if (!request.known_link.empty()) lines.push_back("Known: " + request.known_link);
  lines.emplace_back("\"\"\"");
  return lines;
}

/// In the way that is meant: a word of a message is no use of a module.
bool uses(const std::string& text, const std::string& name, const std::string& how) {
  return std::regex_search(text, std::regex("\\b" + name + how));
}

/// Of the adapter's own import lines and ours, what the text uses.
Lines imports(const Abilities& abilities, const std::string& text) {
  std::set<std::string> plain;
  Lines others;
  const auto found = abilities.program.find("preamble.always");
  const auto theirs = lines_of(found == abilities.program.end() ? "" : found->second);
  std::vector<std::string> names{"contextlib", "os",       "shutil", "signal",   "subprocess",
                                 "sys",        "tempfile", "time",   "functools"};
  const std::regex word("[A-Za-z_][\\w.]*( as \\w+)?");
  for (const auto& line : theirs) {
    if (line.rfind("import ", 0) != 0) {
      const auto name = line.substr(line.rfind(' ') + 1);
      if (uses(text, name, "\\b")) others.push_back(line);
      continue;
    }
    const auto rest = line.substr(7);
    for (std::sregex_iterator at(rest.begin(), rest.end(), word), end; at != end; ++at)
      names.push_back(at->str());
  }
  for (const auto& name : names) {
    const auto used = name.substr(name.rfind(' ') == name.npos ? 0 : name.rfind(' ') + 1);
    if (uses(text, used.substr(0, used.find('.')), "\\.")) plain.insert(name);
  }
  Lines lines{"import " + joined({plain.begin(), plain.end()}, ", ")};
  append(lines, others);
  return lines;
}

std::string marked(std::string definition, bool mark) {
  return mark && definition.starts_with("def ") ? "@mark\n" + definition : definition;
}

}  // namespace

sys::Result<std::string> repro_script(const ReproRequest& request) {
  const auto& abilities = request.pool.abilities;
  if (abilities.language != "python") {
    return sys::Error(fmt::format("scripts are written for pools in Python only, {} is in {}",
                                  request.pool.label(), abilities.language));
  }
  if (request.scenario.processors)
    return sys::Error("a program alone cannot say which processors it may use; replay can");
  if (!request.scenario.inherits.empty())
    return sys::Error("a program alone cannot say what it inherits; replay can");
  if (request.scenario.fault && !fault_statement(*request.scenario.fault)) {
    return sys::Error(fmt::format("a program alone cannot place the fault {}; replay can",
                                  harness::to_string(*request.scenario.fault)));
  }
  std::vector<Lines> parts;
  const bool mark = kills_a_worker(request.scenario) && !any_worker_will_do(request.scenario);
  if (mark) parts.push_back(marking());
  for (const auto& definition : definitions(request.scenario, abilities))
    parts.push_back(lines_of(marked(definition, mark)));
  if (mark) parts.push_back(finding(abilities));
  if (looks_for_the_family(request)) parts.push_back(family());
  Lines whole{"if __name__ == \"__main__\" and sys.argv[1:] == [\"program\"]:"};
  append(whole, program(request), 4);
  whole.emplace_back("elif __name__ == \"__main__\":");
  append(whole, looking_on(request), 4);
  parts.push_back(std::move(whole));

  std::string body;
  for (const auto& part : parts) body += "\n" + joined(part, "\n") + "\n";
  std::string text = joined(docstring(request), "\n") + "\n";
  text += joined(imports(abilities, body), "\n") + "\n";
  return text + body;
}

}  // namespace poolproof::properties
