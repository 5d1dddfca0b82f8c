#pragma once

#include <chrono>
#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "harness/case.h"
#include "harness/sys/result.h"
#include "harness/trace.h"

namespace poolproof::warden {

/// What runner and warden say to each other: one JSON object a line, on the warden's stdin and
/// stdout. Both come from the same build, so there is no version. A line without anything asks for
/// the end of the case under way, and says nothing where there is none.

/// The warden's first line: where it stands on the containment ladder.
struct Hello {
  int rung = 1;
  std::string name;
  std::string why_not;
};

struct Request {
  std::vector<std::string> command;
  std::string scenario;  // JSON, as the adapter gets it
  harness::Settings settings;
  std::vector<int> prompt_steps;
  std::vector<int> waiting_steps;
  std::vector<int> snapshot_steps;  // sync points at whose end the process table is recorded
  bool hold = false;                // keep what lives at the end until the next line comes
  bool fresh = false;               // build a new sandbox first
  std::optional<harness::Fault> fault;
  int processors = 0;  // that main may use; 0: as many as the warden
  std::set<harness::Inherited> inherits;
};

std::string to_line(const Hello& hello);
sys::Result<Hello> hello_from_line(std::string_view line);
std::string to_line(const Request& request);
sys::Result<Request> request_from_line(std::string_view line);

/// The answer to a request: the trace's JSON lines, or why there is none. Framed by a header line
/// "trace BYTES" or "error BYTES", since a trace has many lines.
std::string to_frame(const sys::Result<harness::Trace>& answer);

}  // namespace poolproof::warden
