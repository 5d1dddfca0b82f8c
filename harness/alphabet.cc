#include "harness/alphabet.h"

#include <algorithm>

#include "harness/sys/check.h"

namespace poolproof::harness {
namespace {

constexpr std::array kSteps{
    StepEntry{StepKind::kCreate, "create", "makes the pool, with this many workers or its default"},
    StepEntry{StepKind::kSubmit, "submit", "hands one task to the pool and keeps the future"},
    StepEntry{StepKind::kGet, "get", "waits for a task's outcome, for ever or up to a timeout"},
    StepEntry{StepKind::kClose, "close", "takes no more tasks; those accepted still run"},
    StepEntry{StepKind::kTerminate, "terminate", "stops the workers at once"},
    StepEntry{StepKind::kJoin, "join", "waits until the pool's workers are gone"},
    StepEntry{StepKind::kDrop, "drop", "gives up main's last reference to the pool"},
    StepEntry{StepKind::kWorkers, "workers", "lists the workers that the pool says it has"},
    StepEntry{StepKind::kSleep, "sleep", "does nothing for a while"},
    StepEntry{StepKind::kKill, "kill", "sends SIGKILL to one idle or busy worker"},
};

constexpr std::array kBodies{
    BodyEntry{BodyKind::kNothing, "nothing", Parameter::kNone, false, false, "returns at once"},
    BodyEntry{BodyKind::kEcho, "echo", Parameter::kBytes, false, false,
              "returns the bytes that it was given"},
    BodyEntry{BodyKind::kSleep, "sleep", Parameter::kMilliseconds, false, false,
              "sleeps, then returns"},
    BodyEntry{BodyKind::kSpin, "spin", Parameter::kMilliseconds, false, false,
              "computes, then returns"},
    BodyEntry{BodyKind::kNever, "never", Parameter::kNone, false, true,
              "sleeps in a timed loop and never returns"},
    BodyEntry{BodyKind::kRaise, "raise", Parameter::kNone, false, false,
              "raises a plain error \"task N\""},
    BodyEntry{BodyKind::kExit, "exit", Parameter::kCode, true, false, "ends its worker by exit"},
    BodyEntry{BodyKind::kOsExit, "os_exit", Parameter::kCode, true, false,
              "ends its worker by _exit"},
    BodyEntry{BodyKind::kAbort, "abort", Parameter::kNone, true, false,
              "ends its worker by SIGABRT"},
    BodyEntry{BodyKind::kKillSelf, "kill_self", Parameter::kNone, true, false,
              "ends its worker by SIGKILL"},
    BodyEntry{BodyKind::kSegfault, "segfault", Parameter::kNone, true, false,
              "ends its worker by SIGSEGV"},
    BodyEntry{BodyKind::kStopSelf, "stop_self", Parameter::kNone, false, true,
              "stops its worker by SIGSTOP, and never returns"},
    BodyEntry{BodyKind::kIgnoreSigterm, "ignore_sigterm", Parameter::kNone, false, true,
              "ignores SIGTERM, and waits for ever"},
    BodyEntry{BodyKind::kLeaveChild, "leave_child", Parameter::kNone, false, false,
              "starts a child that never ends, and returns"},
    BodyEntry{BodyKind::kUnserializable, "unserializable", Parameter::kNone, false, false,
              "returns what cannot be serialized"},
};

constexpr std::array kEndings{
    EndingEntry{EndingKind::kReturn, "return", Parameter::kNone, true, "main returns"},
    EndingEntry{EndingKind::kRaise, "raise", Parameter::kNone, true,
                "an error that nobody catches"},
    EndingEntry{EndingKind::kExit, "exit", Parameter::kCode, true, "exit with a code"},
    EndingEntry{EndingKind::kOsExit, "os_exit", Parameter::kCode, false, "_exit with a code"},
    EndingEntry{EndingKind::kAbort, "abort", Parameter::kNone, false, "abort"},
    EndingEntry{EndingKind::kSigterm, "sigterm", Parameter::kNone, false, "SIGTERM to itself"},
    EndingEntry{EndingKind::kSighup, "sighup", Parameter::kNone, false, "SIGHUP to itself"},
    EndingEntry{EndingKind::kSigkill, "sigkill", Parameter::kNone, false, "SIGKILL to itself"},
    EndingEntry{EndingKind::kSigint, "sigint", Parameter::kNone, true, "SIGINT to itself"},
    EndingEntry{EndingKind::kExec, "exec", Parameter::kNone, false, "main becomes /bin/true"},
    EndingEntry{EndingKind::kSegfault, "segfault", Parameter::kNone, false, "SIGSEGV to itself"},
};

constexpr std::array<std::string_view, 5> kInitializers{"none", "returns", "raises", "exits",
                                                        "kills_self"};
constexpr std::array<std::string_view, 2> kSettings{"quota", "initializer"};

/// Of names that are in their enum's order.
template <class Enum, class Names>
std::optional<Enum> nth_of(const Names& names, std::string_view name) {
  const auto found = std::find(names.begin(), names.end(), name);
  if (found == names.end()) return std::nullopt;
  return static_cast<Enum>(found - names.begin());
}

template <class Table, class Kind>
const auto& entry_of(const Table& table, Kind kind) {
  const auto& found = table[static_cast<std::size_t>(kind)];
  POOLPROOF_CHECK(found.kind == kind);  // the table is in the enum's order
  return found;
}

template <class Table>
auto kind_named(const Table& table, std::string_view name)
    -> std::optional<decltype(table.front().kind)> {
  const auto found =
      std::find_if(table.begin(), table.end(), [&](const auto& e) { return e.name == name; });
  if (found == table.end()) return std::nullopt;
  return found->kind;
}

}  // namespace

std::span<const StepEntry> step_table() {
  return kSteps;
}
std::span<const BodyEntry> body_table() {
  return kBodies;
}
std::span<const EndingEntry> ending_table() {
  return kEndings;
}

const StepEntry& entry(StepKind kind) {
  return entry_of(kSteps, kind);
}
const BodyEntry& entry(BodyKind kind) {
  return entry_of(kBodies, kind);
}
const EndingEntry& entry(EndingKind kind) {
  return entry_of(kEndings, kind);
}

std::optional<StepKind> step_named(std::string_view name) {
  return kind_named(kSteps, name);
}
std::optional<BodyKind> body_named(std::string_view name) {
  return kind_named(kBodies, name);
}
std::optional<EndingKind> ending_named(std::string_view name) {
  return kind_named(kEndings, name);
}

std::string_view key(Parameter parameter) {
  switch (parameter) {
    case Parameter::kNone:
      return "";
    case Parameter::kBytes:
      return "bytes";
    case Parameter::kMilliseconds:
      return "ms";
    case Parameter::kCode:
      return "code";
  }
  return "";
}

std::string_view name(Victim victim) {
  return victim == Victim::kIdle ? "idle" : "busy";
}

std::optional<Victim> victim_named(std::string_view name) {
  if (name == "idle") return Victim::kIdle;
  if (name == "busy") return Victim::kBusy;
  return std::nullopt;
}

std::string_view name(Initializer initializer) {
  return kInitializers[static_cast<std::size_t>(initializer)];
}

std::optional<Initializer> initializer_named(std::string_view name) {
  return nth_of<Initializer>(kInitializers, name);
}

bool fails(Initializer initializer) {
  return initializer != Initializer::kNone && initializer != Initializer::kReturns;
}

std::string_view name(Setting setting) {
  return kSettings[static_cast<std::size_t>(setting)];
}

std::optional<Setting> setting_named(std::string_view name) {
  return nth_of<Setting>(kSettings, name);
}

}  // namespace poolproof::harness
