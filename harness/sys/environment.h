#pragma once

#include <string>
#include <vector>

namespace poolproof::sys {

struct Variable {
  std::string name;
  std::string value;
};

/// This process's environment, by name. Source: environ(7).
std::vector<Variable> environment();

/// "Linux 6.18.0 x86_64". Source: uname(2).
std::string kernel();

}  // namespace poolproof::sys
