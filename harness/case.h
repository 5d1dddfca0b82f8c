#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "harness/alphabet.h"
#include "harness/fault.h"
#include "harness/sys/result.h"

namespace poolproof::harness {

/// Frozen: what is added later is optional, and fixtures/formats/1 is read for ever.
inline constexpr int kCaseFormat = 1;

struct Ending {
  EndingKind kind = EndingKind::kReturn;
  int code = 0;  // exit, os_exit
  bool operator==(const Ending&) const = default;
};

/// A life-cycle program of main: steps in order (numbered from 1 everywhere), then the ending.
struct Scenario {
  std::string start_method;  // "fork", "spawn", "forkserver"; empty where the pool has no choice
  std::vector<Step> steps;
  Ending ending;
  std::optional<Fault> fault;  // from outside: the adapter is not told of it
  /// That main and all that it starts may use; nullopt: as many as the harness. From outside too.
  std::optional<int> processors;
  std::set<Inherited> inherits;  // from outside too, between main's fork and its exec
  bool operator==(const Scenario&) const = default;

  /// Steps as a person counts them: an ending other than a plain return is a step.
  int length() const;
};

/// Times and limits that one run is held to. Grace is tree time, the fuse is wall time.
struct Settings {
  std::chrono::milliseconds grace{1000};
  std::chrono::milliseconds fuse{10'000};
  int max_births = 400;                   // processes and threads, counted by the warden
  std::int64_t data_bytes = 4LL << 30;    // RLIMIT_DATA, per process
  std::int64_t file_bytes = 256LL << 20;  // RLIMIT_FSIZE, and the size of each private tmpfs
  bool operator==(const Settings&) const = default;
};

/// Everything needed to run it again.
struct Case {
  std::string pool;  // "multiprocessing.Pool:fork@3.11.7"
  Scenario scenario;
  Settings settings;
  std::uint64_t seed = 0;  // of the campaign that made it; 0 for one written by hand
  bool operator==(const Case&) const = default;
};

/// JSON as harness/protocol/README.md tells it. Two-space indented, a step a line.
std::string to_json(const Case& value);

/// The scenario object alone, as an adapter gets it: one line.
std::string to_json(const Scenario& value);

/// Errors: one line with what, where (a JSON path such as steps[2].bytes) and what to do. Refuses
/// other formats, unknown keys, numbers out of the alphabet's bounds, and tasks that no earlier
/// step submitted: a case file is untrusted input.
sys::Result<Case> case_from_json(std::string_view text);

}  // namespace poolproof::harness
