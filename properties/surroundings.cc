#include "properties/surroundings.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <thread>

#include "poolproof/version.h"

namespace poolproof::properties {
namespace {

using Json = nlohmann::ordered_json;

/// Those that end in '*' stand for all that begin so.
constexpr std::array<std::string_view, 18> kHarmless{
    "CI",
    "GLIBC_TUNABLES",
    "GTEST_*",
    "LANG",
    "LANGUAGE",
    "LC_*",
    "LD_LIBRARY_PATH",
    "LD_PRELOAD",
    "MALLOC_*",
    "MKL_NUM_THREADS",
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "PATH",
    "POOLPROOF_*",
    "PYTHON*",
    "TMPDIR",
    "TSAN_OPTIONS",
    "TZ",
};

/// Whatever the family: so is called what nobody should read.
constexpr std::array<std::string_view, 7> kSecret{"AUTH", "CRED",   "KEY",  "PASS",
                                                  "PWD",  "SECRET", "TOKEN"};

bool covers(std::string_view pattern, std::string_view name) {
  if (!pattern.ends_with('*')) return pattern == name;
  return name.starts_with(pattern.substr(0, pattern.size() - 1));
}

}  // namespace

Surroundings Surroundings::of_this_process(const std::vector<std::string>& arguments) {
  Surroundings found{.command = {"poolproof"},
                     .kernel = sys::kernel(),
                     .processors = static_cast<int>(std::thread::hardware_concurrency()),
                     .environment = sys::environment()};
  found.command.insert(found.command.end(), arguments.begin(), arguments.end());
  return found;
}

bool may_be_recorded(const sys::Variable& variable) {
  const bool harmless =
      std::any_of(kHarmless.begin(), kHarmless.end(),
                  [&](std::string_view pattern) { return covers(pattern, variable.name); });
  const bool secret = std::any_of(kSecret.begin(), kSecret.end(), [&](std::string_view word) {
    return variable.name.find(word) != std::string::npos;
  });
  const bool address =
      variable.value.find("://") != std::string::npos;  // perhaps USER:PASSWORD@HOST
  return harmless && !secret && !address;
}

std::string as_json_line(const Surroundings& surroundings, const std::vector<Pool>& pools,
                         const harness::Runner& runner) {
  auto tested = Json::array();
  for (const auto& pool : pools) {
    tested.push_back({{"pool", pool.name.text()}, {"runtime", pool.abilities.runtime}});
  }
  auto environment = Json::object();
  for (const auto& variable : surroundings.environment) {
    environment[variable.name] = may_be_recorded(variable) ? Json(variable.value) : Json(nullptr);
  }
  const Json line{{"type", "run"},
                  {"poolproof", kVersion},
                  {"command", surroundings.command},
                  {"pools", tested},
                  {"jobs", runner.jobs()},
                  {"containment", runner.containment().name},
                  {"kernel", surroundings.kernel},
                  {"processors", surroundings.processors},
                  {"environment", environment}};
  return line.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace poolproof::properties
