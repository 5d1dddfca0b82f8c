#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "harness/case.h"
#include "harness/trace.h"

namespace poolproof::properties {

/// A recording as a person reads it, a line an event that matters:
///     +31.2 ms    worker 2107     born: forked by main in step 2
/// What is of no interest (threads, delays, steps that went well) is left out; kEveryStep tells of
/// each step of main's that ended, whatever it gave, and of what the warden looked up beside.
enum class Detail { kWhatMatters, kEveryStep };
std::vector<std::string> timeline(const harness::Scenario& scenario, const harness::Trace& trace,
                                  Detail detail = Detail::kWhatMatters);

/// At most `most` lines: the last ones, which tell how it ended, and a few of the first. `rest`
/// says where the others are.
std::vector<std::string> shortened(std::vector<std::string> lines, std::size_t most,
                                   std::string_view rest = " in timeline.txt");

}  // namespace poolproof::properties
