#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "harness/runner.h"
#include "harness/sys/environment.h"
#include "properties/pools.h"

namespace poolproof::properties {

/// Where and how a run was made, for whoever wants to make it again.
struct Surroundings {
  std::vector<std::string> command;  // "poolproof" and what was typed after it
  std::string kernel;
  int processors = 0;  // that this process may use
  std::vector<sys::Variable> environment;

  static Surroundings of_this_process(const std::vector<std::string>& arguments);
};

/// Whether the value of this variable may be written down. Most may hold a secret: a short list of
/// those that matter to a pool and hold none, and of their values no address with a password.
bool may_be_recorded(const sys::Variable& variable);

/// One object in one line; of every variable the name, of few the value
/// (harness/protocol/README.md).
std::string as_json_line(const Surroundings& surroundings, const std::vector<Pool>& pools,
                         const harness::Runner& runner);

}  // namespace poolproof::properties
