#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace poolproof::harness {

/// The alphabet of scenarios: what main can do with a pool, what a task can do, how main ends.
/// One table each: names, parameters and needs, which the case codec, the documentation, the text
/// form and the shrinker read. What a step means for a pool stands in properties/letters.h, how it
/// is executed in the kits. CONTRIBUTING.md has the recipe for a new one.

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
  kKill,
  kMap,
  kNext,
  kFork,
  kLaunch,
  kReap,
  kWait,
  kReady,
  kCollect,
  kCancel,
  kHandle,
  kResize,
  kNeighbour,
  kLock,
  kMask,
  kIgnore
};
inline constexpr StepKind kLastStep = StepKind::kIgnore;

enum class BodyKind {
  kNothing,                 // returns at once
  kEcho,                    // returns the bytes it was given
  kSleep,                   // sleeps, then returns
  kSpin,                    // computes, then returns
  kNever,                   // sleeps in a timed loop and never returns
  kRaise,                   // raises the language's plain error with the message "task N"
  kExit,                    // ends its worker by the language's exit (sys.exit, std::exit)
  kOsExit,                  // ends its worker by _exit
  kAbort,                   // ends its worker by SIGABRT
  kKillSelf,                // ends its worker by SIGKILL
  kSegfault,                // ends its worker by SIGSEGV
  kStopSelf,                // stops its worker by SIGSTOP; let go on, it is as kNever
  kIgnoreSigterm,           // ignores SIGTERM, and is as kNever
  kLeaveChild,              // starts a child process that never ends, and returns
  kUnserializable,          // returns what the language cannot serialize
  kReadInput,               // reads a byte of its standard input, and says whether there was one
  kInterrupt,               // raises what is no plain error (KeyboardInterrupt) with that message
  kUnbuildableError,        // raises an error that main cannot build again
  kUnreadableValue,         // returns what cannot be deserialized
  kUnserializableArgument,  // is given what cannot be serialized: it never begins
  kUnreadableArgument,      // is given what cannot be deserialized: it never begins
  kPrint,                   // prints the line "printed by task N", and returns
  kRaiseNested,             // raises the plain error with that message, which another has caused
  kLeaveDaemon,             // as kLeaveChild, but by a child that goes, and in a session of its own
  kKeepFiles,               // opens some files, which stay open in its worker, and returns
  kUsePool,                 // makes, uses and ends a pool of its own, of the same kind
  kLeavePool                // makes and uses one, and leaves it to its worker
};
inline constexpr BodyKind kLastBody = BodyKind::kLeavePool;

/// What a task comes to, if its body is not kept from it.
enum class Comes {
  kToItsValue,    // or to none: its worker ends, or it never does
  kToItsMessage,  // an error that says "task N"
  kToAnError      // how it is said is the pool's own
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
  kWithThread,  // main returns while another thread of it still runs, for 30 ms
  kCtrlC        // SIGINT to main's process group, as from its terminal
};
inline constexpr EndingKind kLastEnding = EndingKind::kCtrlC;

/// What each worker runs before its first task.
enum class Initializer {
  kNone,
  kReturns,
  kRaises,     // the language's plain error
  kExits,      // by the language's exit, with status 1
  kKillsSelf,  // by SIGKILL
  kSleeps      // for 50 ms, and returns
};

/// What main has called when a task's outcome is there, be it a value or an error.
enum class Callback {
  kNone,
  kReturns,
  kRaises,     // the language's plain error
  kTerminates  // terminates the pool
};

/// Who of main makes a step's call, while the rest of main waits until it has returned.
enum class Caller {
  kMain,     // its first thread
  kThread,   // a second thread, which ends then
  kThreads,  // two such threads at once
  kEarly     // a second thread, which has begun the call before the step before this one
};

/// What a step can ask for that not every pool knows; an adapter says which it does. Quota and
/// initializer are of create, scope and cycle of drop, callback of submit, caller of what is asked
/// of a pool, input (that raises) of map.
enum class Setting { kQuota, kInitializer, kScope, kCallback, kCycle, kCaller, kInput };

/// How the last reference to a pool goes.
enum class Farewell {
  kPlain,       // nothing names it any more
  kScope,       // the end of a block that ends it: with, a destructor
  kScopeError,  // an error that leaves such a block
  kCycle        // it is in a cycle of references, which a collector has to find
};

/// What a child does that main has forked for itself, and how it ends.
enum class ChildEnd {
  kReturn,   // as main would by a return, with all cleanup
  kOsExit,   // _exit(0)
  kSigkill,  // by its own hand
  kStays,    // not by itself: it sleeps, and outlives main
  kPools,    // _exit(0), once it has made, used and ended a pool of its own
  kSubmits,  // _exit(0), once it has asked its copy of main's pool to run a task, and waited for it
  kEndsPool  // _exit(0), once it has asked that copy to terminate
};

/// What a program does that main starts beside the pool, and that knows nothing of it.
enum class Program {
  kStays,  // sleeps until it is ended
  kEnds,   // ends at once, with status 0; main takes that later
};

/// What main does with another pool, beside the first.
enum class Neighbour {
  kEnds,   // makes it, uses it, closes it, joins it and gives it up
  kStays,  // makes it, uses it, and lets it live on, idle, until main ends
  kWorks,  // uses the one that lives on once more
  kBusy    // makes it, and lets it live on with a task that never ends
};

/// Which worker a kill step picks.
enum class Victim { kIdle, kBusy };

/// How a map hands its items over and gives their results: all at once, or one after the other.
enum class Form { kMap, kStarmap, kImap, kImapUnordered };

/// What main finds as whoever started it has left it: a kernel hands it down through an exec.
enum class Inherited {
  kSigchldIgnored,
  kSigtermBlocked,
  kSigintIgnored,
  kInput,  // standard input holds a line, and then ends
  kStdinClosed,
  kStdoutClosed,
  kSpareDescriptors,  // some open ones that no exec closes
  kSubreaper,         // whoever loses its parent gets one that is not process 1
  kSmallPipes         // each pipe that is made in the tree has a buffer of one page
};
inline constexpr Inherited kLastInherited = Inherited::kSmallPipes;

/// What the one number of a body or an ending means; kNone when it has no number.
enum class Parameter { kNone, kBytes, kMilliseconds, kCode };

/// What a task does; `amount` is bytes, milliseconds or an exit code (entry(kind).parameter).
struct Body {
  BodyKind kind = BodyKind::kNothing;
  std::int64_t amount = 0;
  bool operator==(const Body&) const = default;
};

/// One step of main. Which members count depends on `kind`: its entry's fields; the others keep
/// their defaults, so that equality and shrinking stay plain.
struct Step {
  StepKind kind = StepKind::kCreate;
  std::optional<int> workers;  // create, resize; nullopt: the pool's default; < 1: to be refused
  std::optional<int> quota;    // create: tasks per worker; nullopt: any number
  Initializer initializer = Initializer::kNone;  // create
  int task = 0;                         // submit, map, get, next: 1, 2, ... in order of submission
  Body body;                            // submit, map
  Callback callback = Callback::kNone;  // submit
  std::optional<std::chrono::milliseconds> timeout;  // get, next, wait; nullopt: for ever
  std::chrono::milliseconds duration{0};             // sleep
  Victim victim = Victim::kIdle;                     // kill
  Form form = Form::kMap;                            // map
  int items = 0;                 // map: so many, numbered from 1, each runs the body
  std::optional<int> raises_at;  // map: the item that is not there: taking it raises
  std::optional<int> chunk;      // map: items that travel together; nullopt: the pool's default
  Farewell farewell = Farewell::kPlain;    // drop
  ChildEnd child_end = ChildEnd::kReturn;  // fork
  Program program = Program::kStays;       // launch
  Neighbour neighbour = Neighbour::kEnds;  // neighbour
  Caller caller = Caller::kMain;           // create, submit, get, close, terminate, join
  bool operator==(const Step&) const = default;
};

/// Whether it asks for a number of workers that no pool can have: it makes and changes nothing.
constexpr bool has_bad_count(const Step& step) {
  return step.workers && *step.workers < 1;
}

/// Whether the call of the step at this place (from 0) begins before the step before it. That may
/// not be what hands the task over: then it is as with Caller::kThread.
bool begins_early(std::span<const Step> steps, std::size_t place);

/// What a step's parameter is: how it is written, and what it stands for.
enum class FieldType {
  kNumber,
  kMilliseconds,
  kName,     // one of a closed list
  kBody,     // a body's name; the body's own number has a key of its own
  kNewTask,  // the number of the task that the step hands over
  kOldTask   // the number of a task that an earlier step handed over
};

/// How a scenario becomes simpler by a parameter; what is simplified first stands first.
enum class Simplify {
  kNever,    // it goes with its step
  kLetter,   // a name that stands earlier in its list
  kOption,   // none
  kSetting,  // none, or an earlier name: the pool becomes plainer
  kSize,     // a smaller number from 1 on; an absent one counts as more, and one below 1 as most
  kNumber    // a smaller number
};

/// One parameter of a step: a key of its JSON object and a member of Step.
struct Field {
  std::string_view key;
  FieldType type = FieldType::kNumber;
  std::string_view means;  // for the documentation, where the key does not say it
  bool optional = false;   // it may be absent
  std::int64_t low = 0;    // of the types that are numbers
  std::int64_t high = 0;
  std::span<const std::string_view> names = {};  // kName; the value is the place in it
  Simplify simplify = Simplify::kNever;
  /// The value of the step's member: a number, the place of a name, a BodyKind; nullopt: absent.
  std::optional<std::int64_t> (*get)(const Step& step) = nullptr;
  /// nullopt is for optional ones only.
  void (*set)(Step& step, std::optional<std::int64_t> value) = nullptr;
};

/// What earlier steps must have made.
enum class Needs {
  kNothing,
  kNoPool,
  kPool,
  kTask,
  kWholeTask,  // one whose outcome comes as a whole
  kStream,     // one whose results `next` takes, one after the other
  kNoProgram,
  kProgram
};
/// Whether it is a task, of whatever sort.
constexpr bool needs_task(Needs needs) {
  return needs == Needs::kTask || needs == Needs::kWholeTask || needs == Needs::kStream;
}
/// What later steps find because of this one.
enum class Makes { kNothing, kPool, kTask, kNoReference, kProgram, kNoProgram };

struct StepEntry {
  StepKind kind;
  std::string_view name;  // in JSON, in --describe, in messages
  std::string_view does;  // one line for the documentation
  Needs needs = Needs::kPool;
  Makes makes = Makes::kNothing;
  std::span<const Field> fields = {};  // in the order in which they are written
  bool is_looked_at = false;           // rules look at the process table as it is at its end
  bool deafens_main = false;           // SIGTERM does not end main from then on
};
struct BodyEntry {
  BodyKind kind;
  std::string_view name;
  Parameter parameter;
  bool kills_worker;  // its worker does not outlive it
  bool never_ends;    // as long as nobody ends its worker
  std::string_view does;
  Comes comes = Comes::kToItsValue;
  bool never_begins = false;    // in a healthy pool, which tells main of the error
  bool leaves_process = false;  // one that runs on when the task has returned
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
/// Bounds of a number of this meaning: a case file is held to them.
std::int64_t greatest(Parameter parameter);

/// The field of this key; nullptr where the step has none.
const Field* field(StepKind kind, std::string_view key);

std::string_view name(Victim victim);
std::string_view name(Farewell farewell);
std::string_view name(ChildEnd end);
std::string_view name(Program program);
std::string_view name(Neighbour neighbour);
std::string_view name(Initializer initializer);
std::string_view name(Inherited inherited);
std::optional<Inherited> inherited_named(std::string_view name);
/// For people: "SIGCHLD ignored".
std::string_view in_words(Inherited inherited);
std::string_view name(Callback callback);
std::string_view name(Caller caller);
std::string_view name(Form form);
std::optional<Form> form_named(std::string_view name);
/// Whether its results are taken one after the other, by `next`.
bool is_stream(Form form);
/// Whether such a child uses its copy of main's pool.
bool uses_its_copy(ChildEnd end);
/// Whether no worker gets through with it.
bool fails(Initializer initializer);
std::string_view name(Setting setting);
std::optional<Setting> setting_named(std::string_view name);

/// Bounds that a case file is held to, so that a hostile one cannot ask for the moon.
inline constexpr int kMaxSteps = 256;
inline constexpr int kMaxWorkers = 64;
inline constexpr int kMaxQuota = 1000;
inline constexpr int kMaxProcessors = 4096;
inline constexpr int kMaxItems = 64;
/// Of Inherited::kSpareDescriptors, each open on /dev/null.
inline constexpr int kSpareDescriptors = 40;
inline constexpr std::int64_t kMaxBytes = 64LL * 1024 * 1024;
inline constexpr std::int64_t kMaxMilliseconds = 60'000;

}  // namespace poolproof::harness
