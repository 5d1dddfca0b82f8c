#include "harness/alphabet.h"

#include <algorithm>

#include "harness/sys/check.h"

namespace poolproof::harness {
namespace {

using std::chrono::milliseconds;

// ---- Names and numbers of a Step's members ------------------------------------------------------

constexpr std::array<std::string_view, 2> kVictims{"idle", "busy"};
constexpr std::array<std::string_view, 6> kInitializers{"none",  "returns",    "raises",
                                                        "exits", "kills_self", "sleeps"};
constexpr std::array<std::string_view, 4> kForms{"map", "starmap", "imap", "imap_unordered"};
constexpr std::array<std::string_view, 4> kFarewells{"plain", "scope", "scope_error", "cycle"};
constexpr std::array<std::string_view, 7> kChildEnds{"return", "os_exit", "sigkill",  "stays",
                                                     "pools",  "submits", "ends_pool"};
constexpr std::array<std::string_view, 2> kPrograms{"stays", "ends"};
constexpr std::array<std::string_view, 4> kNeighbours{"ends", "stays", "works", "busy"};
constexpr std::array<std::string_view, 9> kInherited{
    "sigchld_ignored", "sigterm_blocked",   "sigint_ignored", "input",      "stdin_closed",
    "stdout_closed",   "spare_descriptors", "subreaper",      "small_pipes"};
constexpr std::array<std::string_view, 9> kInheritedInWords{"SIGCHLD ignored",
                                                            "SIGTERM blocked",
                                                            "SIGINT ignored",
                                                            "a line in its standard input",
                                                            "standard input closed",
                                                            "standard output closed",
                                                            "open descriptors that no exec closes",
                                                            "a subreaper as its parent",
                                                            "pipes of one page"};
static_assert(kInherited.size() == static_cast<std::size_t>(kLastInherited) + 1);
constexpr std::array<std::string_view, 4> kCallbacks{"none", "returns", "raises", "terminates"};
constexpr std::array<std::string_view, 4> kCallers{"main", "thread", "threads", "early"};
constexpr std::array<std::string_view, 3> kCallersOfGet{"main", "thread", "early"};
constexpr std::int64_t kEarlyPlace = kCallersOfGet.size() - 1;
constexpr std::array<std::string_view, 7> kSettings{"quota", "initializer", "scope", "callback",
                                                    "cycle", "caller",      "input"};

using Value = std::optional<std::int64_t>;

Value value_of(int number) {
  return number;
}
Value value_of(std::optional<int> number) {
  return number ? Value(*number) : std::nullopt;
}
Value value_of(milliseconds time) {
  return time.count();
}
Value value_of(std::optional<milliseconds> time) {
  return time ? Value(time->count()) : std::nullopt;
}
Value value_of(Victim victim) {
  return static_cast<int>(victim);
}
Value value_of(Form form) {
  return static_cast<int>(form);
}
Value value_of(Initializer initializer) {
  return initializer == Initializer::kNone ? std::nullopt : Value(static_cast<int>(initializer));
}
Value value_of(Callback callback) {
  return callback == Callback::kNone ? std::nullopt : Value(static_cast<int>(callback));
}
Value value_of(Caller caller) {
  return caller == Caller::kMain ? std::nullopt : Value(static_cast<int>(caller));
}
Value value_of(Farewell farewell) {
  return farewell == Farewell::kPlain ? std::nullopt : Value(static_cast<int>(farewell));
}
Value value_of(ChildEnd end) {
  return static_cast<int>(end);
}
Value value_of(Program program) {
  return static_cast<int>(program);
}
Value value_of(Neighbour neighbour) {
  return static_cast<int>(neighbour);
}
Value value_of(const Body& body) {
  return static_cast<int>(body.kind);
}

template <class Number>
void assign(Number& into, Value value) {
  into = static_cast<Number>(value.value_or(0));
}
void assign(std::optional<int>& into, Value value) {
  into = value ? std::optional(static_cast<int>(*value)) : std::nullopt;
}
void assign(std::optional<milliseconds>& into, Value value) {
  into = value ? std::optional(milliseconds(*value)) : std::nullopt;
}
void assign(Body& into, Value value) {
  into = Body{.kind = static_cast<BodyKind>(value.value_or(0))};
}

/// The field that is kept in this member.
template <auto Member>
constexpr Field in(Field field) {
  field.get = [](const Step& step) { return value_of(step.*Member); };
  field.set = [](Step& step, Value value) { assign(step.*Member, value); };
  return field;
}

// ---- The tables ---------------------------------------------------------------------------------

constexpr Field kCaller = in<&Step::caller>({.key = "caller",
                                             .type = FieldType::kName,
                                             .means = "absent: main's first thread",
                                             .optional = true,
                                             .names = std::span(kCallers).first(2),
                                             .simplify = Simplify::kSetting});
/// What ends a pool may be done by two of them at once, too.
constexpr std::array kEndFields{[] {
  Field caller = kCaller;
  caller.names = std::span(kCallers).first(3);
  return caller;
}()};
/// Who waits for an outcome may have begun to before what main does now.
constexpr Field kCallerOfGet = [] {
  Field caller = kCaller;
  caller.means = "absent: main's first thread; early: one that waits since before the last step";
  caller.names = kCallersOfGet;
  caller.get = [](const Step& step) {
    return step.caller == Caller::kEarly ? Value(kEarlyPlace) : value_of(step.caller);
  };
  caller.set = [](Step& step, Value value) {
    step.caller = value == kEarlyPlace ? Caller::kEarly : static_cast<Caller>(value.value_or(0));
  };
  return caller;
}();
constexpr std::array kCreateFields{
    in<&Step::workers>({.key = "workers",
                        .means = "absent: the pool's default; below 1: to be refused",
                        .optional = true,
                        .low = -1,
                        .high = kMaxWorkers,
                        .simplify = Simplify::kSize}),
    in<&Step::quota>({.key = "quota",
                      .optional = true,
                      .low = 1,
                      .high = kMaxQuota,
                      .simplify = Simplify::kSetting}),
    in<&Step::initializer>({.key = "initializer",
                            .type = FieldType::kName,
                            .optional = true,
                            .names = kInitializers,
                            .simplify = Simplify::kSetting}),
    kCaller,
};
constexpr Field kOldTask =
    in<&Step::task>({.key = "task", .type = FieldType::kOldTask, .low = 1, .high = kMaxSteps});
constexpr Field kNewTask =
    in<&Step::task>({.key = "task", .type = FieldType::kNewTask, .low = 1, .high = kMaxSteps});
constexpr Field kBody = in<&Step::body>({.key = "body",
                                         .type = FieldType::kBody,
                                         .means = "and the body's number",
                                         .simplify = Simplify::kLetter});
constexpr std::array kSubmitFields{
    kNewTask, kBody,
    in<&Step::callback>({.key = "callback",
                         .type = FieldType::kName,
                         .means = "what is called with the value or the error",
                         .optional = true,
                         .names = kCallbacks,
                         .simplify = Simplify::kSetting}),
    kCaller};
constexpr Field kTimeout = in<&Step::timeout>({.key = "timeout_ms",
                                               .type = FieldType::kMilliseconds,
                                               .means = "absent: for ever",
                                               .optional = true,
                                               .high = kMaxMilliseconds,
                                               .simplify = Simplify::kOption});
constexpr std::array kResizeFields{in<&Step::workers>(
    {.key = "workers", .low = -1, .high = kMaxWorkers, .simplify = Simplify::kSize})};
constexpr std::array kGetFields{kOldTask, kTimeout, kCallerOfGet};
constexpr std::array kWaitFields{kOldTask, kTimeout};
constexpr std::array kReadyFields{kOldTask};
constexpr std::array kSleepFields{in<&Step::duration>({.key = "ms",
                                                       .type = FieldType::kMilliseconds,
                                                       .high = kMaxMilliseconds,
                                                       .simplify = Simplify::kNumber})};
constexpr std::array kDropFields{in<&Step::farewell>({.key = "by",
                                                      .type = FieldType::kName,
                                                      .means = "absent: nothing names it any more",
                                                      .optional = true,
                                                      .names = kFarewells,
                                                      .simplify = Simplify::kSetting})};
constexpr std::array kForkFields{in<&Step::child_end>({.key = "child",
                                                       .type = FieldType::kName,
                                                       .means = "what it does, and how it ends",
                                                       .names = kChildEnds,
                                                       .simplify = Simplify::kLetter})};
constexpr std::array kLaunchFields{in<&Step::program>({.key = "program",
                                                       .type = FieldType::kName,
                                                       .means = "what it does",
                                                       .names = kPrograms,
                                                       .simplify = Simplify::kLetter})};
constexpr std::array kNeighbourFields{in<&Step::neighbour>(
    {.key = "pool",
     .type = FieldType::kName,
     .means = "it is closed, joined and given up at once, or lives on, idle or busy; or the one "
              "that lives on is used again",
     .names = kNeighbours,
     .simplify = Simplify::kLetter})};
constexpr std::array kKillFields{in<&Step::victim>(
    {.key = "victim", .type = FieldType::kName, .names = kVictims, .simplify = Simplify::kLetter})};

constexpr std::array kMapFields{
    kNewTask,
    in<&Step::form>(
        {.key = "form", .type = FieldType::kName, .names = kForms, .simplify = Simplify::kLetter}),
    in<&Step::items>({.key = "items", .high = kMaxItems, .simplify = Simplify::kNumber}),
    in<&Step::raises_at>({.key = "raises_at",
                          .means = "the item at which the input raises; absent: none",
                          .optional = true,
                          .low = 1,
                          .high = kMaxItems,
                          .simplify = Simplify::kOption}),
    in<&Step::chunk>({.key = "chunk",
                      .means = "absent: the pool's default",
                      .optional = true,
                      .low = 1,
                      .high = kMaxItems,
                      .simplify = Simplify::kOption}),
    kBody};

constexpr std::array kSteps{
    StepEntry{.kind = StepKind::kCreate,
              .name = "create",
              .does = "makes the pool, with this many workers or its default",
              .needs = Needs::kNoPool,
              .makes = Makes::kPool,
              .fields = kCreateFields},
    StepEntry{.kind = StepKind::kSubmit,
              .name = "submit",
              .does = "hands one task to the pool and keeps the future",
              .makes = Makes::kTask,
              .fields = kSubmitFields},
    StepEntry{.kind = StepKind::kGet,
              .name = "get",
              .does = "waits for a task's outcome, for ever or up to a timeout",
              .needs = Needs::kWholeTask,
              .fields = kGetFields},
    StepEntry{.kind = StepKind::kClose,
              .name = "close",
              .does = "takes no more tasks; those accepted still run",
              .fields = kEndFields},
    StepEntry{.kind = StepKind::kTerminate,
              .name = "terminate",
              .does = "stops the workers at once",
              .fields = kEndFields},
    StepEntry{.kind = StepKind::kJoin,
              .name = "join",
              .does = "waits until the pool's workers are gone",
              .fields = kEndFields,
              .is_looked_at = true},
    StepEntry{.kind = StepKind::kDrop,
              .name = "drop",
              .does = "gives up main's last reference to the pool",
              .makes = Makes::kNoReference,
              .fields = kDropFields},
    StepEntry{.kind = StepKind::kWorkers,
              .name = "workers",
              .does = "lists the workers that the pool says it has",
              .is_looked_at = true},
    StepEntry{.kind = StepKind::kSleep,
              .name = "sleep",
              .does = "does nothing for a while",
              .needs = Needs::kNothing,
              .fields = kSleepFields},
    StepEntry{.kind = StepKind::kKill,
              .name = "kill",
              .does = "sends SIGKILL to one idle or busy worker",
              .fields = kKillFields,
              .is_looked_at = true},
    StepEntry{.kind = StepKind::kMap,
              .name = "map",
              .does = "hands some items over as one task: each runs the body",
              .makes = Makes::kTask,
              .fields = kMapFields},
    StepEntry{.kind = StepKind::kNext,
              .name = "next",
              .does = "takes the next result of an imap, waiting for it",
              .needs = Needs::kStream,
              .fields = kWaitFields},
    StepEntry{.kind = StepKind::kFork,
              .name = "fork",
              .does = "forks a child of main's own, and waits for it, or leaves it to live on",
              .needs = Needs::kNothing,
              .fields = kForkFields,
              .is_looked_at = true},
    StepEntry{.kind = StepKind::kLaunch,
              .name = "launch",
              .does = "starts a program of main's own, which has nothing to do with the pool",
              .needs = Needs::kNoProgram,
              .makes = Makes::kProgram,
              .fields = kLaunchFields},
    StepEntry{.kind = StepKind::kReap,
              .name = "reap",
              .does = "ends that program by SIGKILL if it still runs, and waits for it",
              .needs = Needs::kProgram,
              .makes = Makes::kNoProgram},
    StepEntry{.kind = StepKind::kWait,
              .name = "wait",
              .does = "waits until a task has an outcome, for ever or up to a timeout",
              .needs = Needs::kWholeTask,
              .fields = kWaitFields},
    StepEntry{.kind = StepKind::kReady,
              .name = "ready",
              .does = "asks whether a task has an outcome, without waiting",
              .needs = Needs::kWholeTask,
              .fields = kReadyFields},
    StepEntry{.kind = StepKind::kCollect,
              .name = "collect",
              .does = "has the language's collector free what nothing names any more",
              .needs = Needs::kNothing},
    StepEntry{.kind = StepKind::kCancel,
              .name = "cancel",
              .does = "takes a task back, and is told whether the pool has let it go",
              .needs = Needs::kTask,
              .fields = kReadyFields},
    StepEntry{.kind = StepKind::kHandle,
              .name = "handle",
              .does = "installs a handler of main's for SIGTERM, which does nothing",
              .needs = Needs::kNothing,
              .deafens_main = true},
    StepEntry{.kind = StepKind::kResize,
              .name = "resize",
              .does = "asks the running pool for another number of workers",
              .fields = kResizeFields},
    StepEntry{.kind = StepKind::kNeighbour,
              .name = "neighbour",
              .does = "has another pool of one worker, made beside it, run a task",
              .needs = Needs::kNothing,
              .fields = kNeighbourFields},
    StepEntry{
        .kind = StepKind::kLock,
        .name = "lock",
        .does = "has another thread of main's hold a lock of its library's over the next step",
        .needs = Needs::kNothing},
    StepEntry{.kind = StepKind::kMask,
              .name = "mask",
              .does = "blocks SIGTERM in main's first thread, for good",
              .needs = Needs::kNothing,
              .deafens_main = true},
    StepEntry{.kind = StepKind::kIgnore,
              .name = "ignore",
              .does = "has main ignore SIGTERM",
              .needs = Needs::kNothing,
              .deafens_main = true},
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
              "raises a plain error \"task N\"", Comes::kToItsMessage},
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
              "starts a child that never ends, and returns", Comes::kToItsValue,
              /*never_begins=*/false, /*leaves_process=*/true},
    BodyEntry{BodyKind::kUnserializable, "unserializable", Parameter::kNone, false, false,
              "returns what cannot be serialized", Comes::kToAnError},
    BodyEntry{BodyKind::kReadInput, "read_input", Parameter::kNone, false, false,
              "reads a byte of its standard input, and says whether there was one"},
    BodyEntry{BodyKind::kInterrupt, "interrupt", Parameter::kNone, false, false,
              "raises what is no plain error (KeyboardInterrupt)", Comes::kToItsMessage},
    BodyEntry{BodyKind::kUnbuildableError, "unbuildable_error", Parameter::kNone, false, false,
              "raises an error that cannot be built again from what is sent", Comes::kToAnError},
    BodyEntry{BodyKind::kUnreadableValue, "unreadable_value", Parameter::kNone, false, false,
              "returns what can be serialized, but not deserialized", Comes::kToAnError},
    BodyEntry{BodyKind::kUnserializableArgument, "unserializable_argument", Parameter::kNone, false,
              false, "is given what cannot be serialized", Comes::kToAnError,
              /*never_begins=*/true},
    BodyEntry{BodyKind::kUnreadableArgument, "unreadable_argument", Parameter::kNone, false, false,
              "is given what can be serialized, but not deserialized", Comes::kToAnError,
              /*never_begins=*/true},
    BodyEntry{BodyKind::kPrint, "print", Parameter::kNone, false, false,
              "prints the line \"printed by task N\", and returns"},
    BodyEntry{BodyKind::kRaiseNested, "raise_nested", Parameter::kNone, false, false,
              "raises a plain error \"task N\" that another one has caused", Comes::kToItsMessage},
    BodyEntry{BodyKind::kLeaveDaemon, "leave_daemon", Parameter::kNone, false, false,
              "has a child start another, in a session of its own, that never ends; returns",
              Comes::kToItsValue, /*never_begins=*/false, /*leaves_process=*/true},
    BodyEntry{BodyKind::kKeepFiles, "keep_files", Parameter::kNone, false, false,
              "opens ten files, which stay open in its worker, and returns"},
    BodyEntry{BodyKind::kUsePool, "use_pool", Parameter::kNone, false, false,
              "makes a pool of its own, of one worker, has it run a task, ends it, and returns"},
    BodyEntry{BodyKind::kLeavePool, "leave_pool", Parameter::kNone, false, false,
              "makes such a pool, has it run a task, and returns; the pool stays open",
              Comes::kToItsValue, /*never_begins=*/false, /*leaves_process=*/true},
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
    EndingEntry{EndingKind::kWithThread, "with_thread", Parameter::kNone, true,
                "main returns while another thread of it runs for 30 ms"},
    EndingEntry{EndingKind::kCtrlC, "ctrl_c", Parameter::kNone, true,
                "SIGINT to its process group, as from a terminal"},
};

/// Whether each entry stands at its kind's place, and none is missing up to the last kind.
template <class Table, class Kind>
constexpr bool is_whole(const Table& table, Kind last) {
  if (table.size() != static_cast<std::size_t>(last) + 1) return false;
  for (std::size_t i = 0; i < table.size(); ++i) {
    if (static_cast<std::size_t>(table[i].kind) != i) return false;
  }
  return true;
}
static_assert(is_whole(kSteps, kLastStep));
static_assert(is_whole(kBodies, kLastBody));
static_assert(is_whole(kEndings, kLastEnding));

/// Of names that are in their enum's order.
template <class Enum, class Names>
std::optional<Enum> nth_of(const Names& names, std::string_view name) {
  const auto found = std::find(names.begin(), names.end(), name);
  if (found == names.end()) return std::nullopt;
  return static_cast<Enum>(found - names.begin());
}

template <class Table, class Kind>
const auto& entry_of(const Table& table, Kind kind) {
  POOLPROOF_CHECK(static_cast<std::size_t>(kind) < table.size());
  return table[static_cast<std::size_t>(kind)];
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

std::int64_t greatest(Parameter parameter) {
  switch (parameter) {
    case Parameter::kBytes:
      return kMaxBytes;
    case Parameter::kMilliseconds:
      return kMaxMilliseconds;
    case Parameter::kCode:
      return 255;
    case Parameter::kNone:
      return 0;
  }
  return 0;
}

const Field* field(StepKind kind, std::string_view key) {
  const auto fields = entry(kind).fields;
  const auto found =
      std::find_if(fields.begin(), fields.end(), [&](const Field& f) { return f.key == key; });
  return found == fields.end() ? nullptr : &*found;
}

std::string_view name(Victim victim) {
  return kVictims[static_cast<std::size_t>(victim)];
}

std::string_view name(Farewell farewell) {
  return kFarewells[static_cast<std::size_t>(farewell)];
}

std::string_view name(ChildEnd end) {
  return kChildEnds[static_cast<std::size_t>(end)];
}

std::string_view name(Program program) {
  return kPrograms[static_cast<std::size_t>(program)];
}

std::string_view name(Neighbour neighbour) {
  return kNeighbours[static_cast<std::size_t>(neighbour)];
}

std::string_view name(Initializer initializer) {
  return kInitializers[static_cast<std::size_t>(initializer)];
}

std::string_view name(Inherited inherited) {
  return kInherited[static_cast<std::size_t>(inherited)];
}

std::optional<Inherited> inherited_named(std::string_view name) {
  return nth_of<Inherited>(kInherited, name);
}

std::string_view in_words(Inherited inherited) {
  return kInheritedInWords[static_cast<std::size_t>(inherited)];
}

std::string_view name(Callback callback) {
  return kCallbacks[static_cast<std::size_t>(callback)];
}

std::string_view name(Caller caller) {
  return kCallers[static_cast<std::size_t>(caller)];
}

std::string_view name(Form form) {
  return kForms[static_cast<std::size_t>(form)];
}

std::optional<Form> form_named(std::string_view name) {
  return nth_of<Form>(kForms, name);
}

bool begins_early(std::span<const Step> steps, std::size_t place) {
  if (place == 0 || steps[place].caller != Caller::kEarly) return false;
  const Step& before = steps[place - 1];
  return entry(before.kind).makes != Makes::kTask || before.task != steps[place].task;
}

bool is_stream(Form form) {
  return form == Form::kImap || form == Form::kImapUnordered;
}

bool uses_its_copy(ChildEnd end) {
  return end == ChildEnd::kSubmits || end == ChildEnd::kEndsPool;
}

bool fails(Initializer initializer) {
  return initializer == Initializer::kRaises || initializer == Initializer::kExits ||
         initializer == Initializer::kKillsSelf;
}

std::string_view name(Setting setting) {
  return kSettings[static_cast<std::size_t>(setting)];
}

std::optional<Setting> setting_named(std::string_view name) {
  return nth_of<Setting>(kSettings, name);
}

}  // namespace poolproof::harness
