#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "harness/trace.h"
#include "properties/desk.h"

namespace poolproof::properties {

/// A process that was alive when its case was over, by both its numbers.
struct HeldProcess {
  harness::Pid pid = 0;
  harness::Pid outer = 0;  // as a debugger on this machine wants it
  std::string name;        // "worker 3"
};
std::vector<HeldProcess> held_processes(const harness::Trace& trace);

/// What to type, a line a process: "worker 3   gdb -p 31370   py-spy dump --pid 31370". The latter
/// for Python's processes only.
std::vector<std::string> debugger_lines(const harness::Trace& trace, std::string_view language);

/// Runs a scenario once more, in a sandbox of its own that is held at the verdict, and has gdb, and
/// py-spy for Python, tell where each thread stands; takes seconds. Where a tool is absent, the
/// case did not end at rest this time, or nothing can be held here, a line says so instead.
std::string stacks_of(const Pool& pool, const harness::Scenario& scenario, CaseOptions options);

}  // namespace poolproof::properties
