#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace poolproof::harness {

/// The alphabet of scenarios: what main can do with a pool, what a task can do, how main ends.
/// One table each, read by the case codec, the generators, the model, the kits' documentation and
/// the text form. Adding a letter is one entry here plus its execution in the kits.

enum class StepKind {
  kCreate,
  kSubmit,
  kGet,
  kClose,
  kTerminate,
  kJoin,
  kDrop,
  kWorkers,
  kSleep,
  kKill
};

enum class BodyKind {
  kNothing,        // returns at once
  kEcho,           // returns the bytes it was given
  kSleep,          // sleeps, then returns
  kSpin,           // computes, then returns
  kNever,          // sleeps in a timed loop and never returns
  kRaise,          // raises the language's plain error with the message "task N"
  kExit,           // ends its worker by the language's exit (sys.exit, std::exit)
  kOsExit,         // ends its worker by _exit
  kAbort,          // ends its worker by SIGABRT
  kKillSelf,       // ends its worker by SIGKILL
  kSegfault,       // ends its worker by SIGSEGV
  kStopSelf,       // stops its worker by SIGSTOP; let go on, it is as kNever
  kIgnoreSigterm,  // ignores SIGTERM, and is as kNever
  kLeaveChild,     // starts a child process that never ends, and returns
  kUnserializable  // returns what the language cannot serialize
};

enum class EndingKind {
  kReturn,  // main returns
  kRaise,   // an error that nobody catches
  kExit,    // sys.exit(n), std::exit(n)
  kOsExit,  // _exit(n)
  kAbort,
  kSigterm,  // sent to itself, to the process
  kSighup,
  kSigkill,
  kSigint,
  kExec,  // replaces itself by /bin/true
  kSegfault,
};

/// What each worker runs before its first task.
enum class Initializer {
  kNone,
  kReturns,
  kRaises,    // the language's plain error
  kExits,     // by the language's exit, with status 1
  kKillsSelf  // by SIGKILL
};

/// What a create step can ask for besides the number of workers; an adapter says which it knows.
enum class Setting { kQuota, kInitializer };

/// Which worker a kill step picks.
enum class Victim { kIdle, kBusy };

/// What the one number of a body or an ending means; kNone when it has no number.
enum class Parameter { kNone, kBytes, kMilliseconds, kCode };

struct StepEntry {
  StepKind kind;
  std::string_view name;  // in JSON, in --describe, in messages
  std::string_view does;  // one line for the documentation
};
struct BodyEntry {
  BodyKind kind;
  std::string_view name;
  Parameter parameter;
  bool kills_worker;  // its worker does not outlive it
  bool never_ends;    // as long as nobody ends its worker
  std::string_view does;
};
struct EndingEntry {
  EndingKind kind;
  std::string_view name;
  Parameter parameter;
  bool runs_cleanup;  // the language's own exit handlers get a chance
  std::string_view does;
};

std::span<const StepEntry> step_table();
std::span<const BodyEntry> body_table();
std::span<const EndingEntry> ending_table();

const StepEntry& entry(StepKind kind);
const BodyEntry& entry(BodyKind kind);
const EndingEntry& entry(EndingKind kind);

std::optional<StepKind> step_named(std::string_view name);
std::optional<BodyKind> body_named(std::string_view name);
std::optional<EndingKind> ending_named(std::string_view name);

/// The JSON key of a parameter: "bytes", "ms", "code"; empty for kNone.
std::string_view key(Parameter parameter);
std::string_view name(Victim victim);
std::optional<Victim> victim_named(std::string_view name);

std::string_view name(Initializer initializer);
std::optional<Initializer> initializer_named(std::string_view name);
/// Whether no worker gets through with it.
bool fails(Initializer initializer);
std::string_view name(Setting setting);
std::optional<Setting> setting_named(std::string_view name);

/// Bounds that a case file is held to, so that a hostile one cannot ask for the moon.
inline constexpr int kMaxSteps = 256;
inline constexpr int kMaxWorkers = 64;
inline constexpr int kMaxQuota = 1000;
inline constexpr std::int64_t kMaxBytes = 64LL * 1024 * 1024;
inline constexpr std::int64_t kMaxMilliseconds = 60'000;

}  // namespace poolproof::harness
