#include "properties/held.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>

#include "harness/launch.h"
#include "properties/family.h"
#include "properties/text.h"

namespace poolproof::properties {
namespace {

using namespace std::chrono_literals;
using Words = std::vector<std::string>;

constexpr auto kPatience = 30s;
/// A pool of many workers hangs in each alike.
constexpr std::size_t kMostProcesses = 8;

bool is_here(const std::string& tool) {
  const auto answer = harness::run_command(Words{tool, "--version"}, kPatience);
  return answer && answer->status == sys::ExitStatus(sys::Exited{0});
}

std::string output_of(const Words& command) {
  const auto answer = harness::run_command(command, kPatience);
  if (!answer) return answer.error().message() + "\n";
  const bool well = answer->status == sys::ExitStatus(sys::Exited{0});
  return well || !answer->out.empty() ? answer->out : answer->err;
}

struct Tool {
  std::string name;
  Words (*command)(int pid);
};

std::vector<Tool> tools_for(std::string_view language) {
  std::vector<Tool> tools{{"gdb", [](int pid) {
                             return Words{"gdb",
                                          "-p",
                                          std::to_string(pid),
                                          "-batch",
                                          "-nx",
                                          "-iex",
                                          "set debuginfod enabled off",
                                          "-ex",
                                          "thread apply all backtrace"};
                           }}};
  if (language == "python") {
    tools.push_back(
        {"py-spy", [](int pid) {
           return Words{"py-spy", "dump", "--nonblocking", "--pid", std::to_string(pid)};
         }});
  }
  return tools;
}

std::string stacks_in(const harness::Trace& trace, std::string_view language) {
  std::vector<Tool> tools;
  Words absent;
  for (auto& tool : tools_for(language)) {
    if (is_here(tool.name)) {
      tools.push_back(std::move(tool));
    } else {
      absent.push_back(tool.name);
    }
  }
  std::string text;
  if (!absent.empty()) text = fmt::format("not here: {}\n", joined(absent, ", "));
  auto processes = held_processes(trace);
  processes.resize(std::min(processes.size(), tools.empty() ? 0 : kMostProcesses));
  for (const auto& process : processes) {
    for (const auto& tool : tools) {
      text += fmt::format("\n--- {}, by {}\n", process.name, tool.name);
      for (const auto& line : lines_of(output_of(tool.command(process.outer))))
        text += printable(line) + "\n";
    }
  }
  return text;
}

}  // namespace

std::vector<HeldProcess> held_processes(const harness::Trace& trace) {
  const Family family(trace);
  std::map<harness::Pid, harness::Pid> outer;
  std::vector<HeldProcess> held;
  for (const auto& event : trace.events) {
    if (const auto* born = std::get_if<harness::Born>(&event.kind)) outer[born->pid] = born->outer;
    const auto* killed = std::get_if<harness::KilledByWarden>(&event.kind);
    if (killed == nullptr) continue;
    const auto* member = family.member(killed->pid);
    const auto role = name(member == nullptr ? Role::kProcess : member->role);
    held.push_back({killed->pid, outer[killed->pid], fmt::format("{} {}", role, killed->pid)});
  }
  return held;
}

std::vector<std::string> debugger_lines(const harness::Trace& trace, std::string_view language) {
  std::vector<std::string> lines;
  for (const auto& process : held_processes(trace)) {
    auto line = fmt::format("{:<16} {:<16}", process.name, fmt::format("gdb -p {}", process.outer));
    if (language == "python") line += fmt::format(" py-spy dump --pid {}", process.outer);
    lines.push_back(line.substr(0, line.find_last_not_of(' ') + 1));
  }
  return lines;
}

std::string stacks_of(const Pool& pool, const harness::Scenario& scenario, CaseOptions options) {
  const auto runner = harness::Runner::start({.jobs = 1});
  if (!runner) return "no stacks: " + runner.error().message() + "\n";
  options.hold = true;
  Desk desk(**runner, options, {});
  desk.submit(pool, scenario);
  const auto ran = desk.next(Clock::now() + 4 * options.fuse_here());
  if (!ran) return "no stacks: the case did not end\n";
  if (!ran->trace) return "no stacks: " + ran->trace.error().message() + "\n";
  if (ran->trace->end != harness::End::kAtRest)
    return "no stacks: the case did not hang when it was run again for them\n";
  return stacks_in(*ran->trace, pool.abilities.language);
}

}  // namespace poolproof::properties
