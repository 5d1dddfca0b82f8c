#pragma once

#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "harness/case.h"
#include "harness/trace.h"
#include "properties/abilities.h"

namespace poolproof::properties {

/// One step of a scenario as a statement in the pool's own language.
struct Statement {
  int step = 0;                    // from 1; the ending has the number after the last step
  std::vector<std::string> lines;  // one, mostly
};

/// Steps that raised and were gone on from. As a program each is an attempt.
std::set<int> raising_steps(const harness::Trace& trace);

/// The steps alone. A plain return has no statement. A step that the adapter has no template for
/// becomes a comment that names it.
std::vector<Statement> statements(const harness::Scenario& scenario, const Abilities& abilities,
                                  const std::set<int>& raising = {});

/// What the scenario's tasks and workers run, where the language does not have it: a text each.
std::vector<std::string> definitions(const harness::Scenario& scenario, const Abilities& abilities);

/// The statements as lines for a report, with its number in a comment column.
std::vector<std::string> numbered_program(const harness::Scenario& scenario,
                                          const Abilities& abilities, std::size_t indent,
                                          const std::set<int>& raising = {});

/// A whole program that can be run: preamble, indented steps, postamble.
std::string whole_program(const harness::Scenario& scenario, const Abilities& abilities,
                          const std::set<int>& raising = {});

/// "program.py", "program.cc".
std::string program_file_name(const Abilities& abilities);

}  // namespace poolproof::properties
