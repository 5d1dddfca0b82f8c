#include "harness/sys/environment.h"

#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <string_view>

namespace poolproof::sys {

std::vector<Variable> environment() {
  std::vector<Variable> variables;
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
    const std::string_view text = *entry;
    const auto equals = std::min(text.find('='), text.size());
    const auto value = text.substr(std::min(equals + 1, text.size()));
    variables.push_back({std::string(text.substr(0, equals)), std::string(value)});
  }
  std::sort(variables.begin(), variables.end(),
            [](const Variable& one, const Variable& other) { return one.name < other.name; });
  return variables;
}

std::string kernel() {
  utsname name{};
  if (::uname(&name) != 0) return "unknown";
  return std::string(name.sysname) + " " + name.release + " " + name.machine;
}

}  // namespace poolproof::sys
