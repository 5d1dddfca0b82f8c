#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "harness/sys/exit_status.h"
#include "harness/sys/result.h"

namespace poolproof::harness {

/// Frozen, as harness/case.h has it.
inline constexpr int kTraceFormat = 1;

using Nanoseconds = std::chrono::nanoseconds;

/// Pids are the sandbox's inner ones, which claims use too; outer pids are kept in Born alone.
using Pid = int;

// ---- Facts: what the warden saw ----------------------------------------------------------------

/// A process exists; recorded before its first instruction. `how`: "main", "fork", "vfork",
/// "clone".
struct Born {
  Pid pid = 0;
  Pid outer = 0;
  Pid parent = 0;  // the process that called fork; 0 for main
  std::string how;
};
/// A process replaced its program.
struct Execed {
  Pid pid = 0;
  std::string path;
};
struct ThreadBorn {
  Pid pid = 0;
  Pid tid = 0;
};
struct ThreadDead {
  Pid pid = 0;
  Pid tid = 0;
};
/// A signal is about to be delivered (SIGKILL never shows here; see Dying).
struct Signalled {
  Pid pid = 0;
  int signal = 0;
  Pid sender = 0;  // 0: the kernel or unknown
};
/// The process is in its exit stop: nothing of it is closed yet. An exit is [Dying, Dead].
struct Dying {
  Pid pid = 0;
  sys::ExitStatus status;
};
/// The process is gone and its parent may wait for it from now on.
struct Dead {
  Pid pid = 0;
  sys::ExitStatus status;
};
/// The warden killed it because the case was over; its later Dead is not the subject's doing.
struct KilledByWarden {
  Pid pid = 0;
};
/// Nobody holds main's "stdout" or "stderr" any more.
struct OutputEof {
  std::string stream;
};
/// The process table at a sync point (`step` >= 1), or at the end of the case (`step` == 0).
struct Snapshot {
  struct Process {
    Pid pid = 0;
    char state = '?';  // as /proc/PID/stat: R S D T t Z X
    Pid parent = 0;    // as the kernel has it now
  };
  int step = 0;
  std::vector<Process> processes;  // those not reaped; without init
  int main_descriptors = -1;       // -1: not readable
  int main_threads = -1;
};
/// What is main's own and process-wide, while main stands at a sync point: before the first step
/// ("started") and when it is about to end ("ending"). Texts are the kernel's, and empty where it
/// does not tell.
struct MainState {
  struct Descriptor {
    int fd = 0;
    std::string of;  // "pipe:[4711]", "anon_inode:[eventpoll]", "/path"
  };
  std::string at;
  std::vector<Descriptor> descriptors;
  std::string blocked;  // signals of its main thread, in hex, bit n-1 for signal n
  std::string ignored;
  std::string caught;
  std::string umask;
  std::string folder;  // it works in
  std::string root;
  std::string limits;  // "Max open files 1024 4096 files; ..."
  std::string nice;
  std::string oom_score_adj;
  std::string group;  // by its inner number
  std::string session;
  std::string processors;  // that its main thread may use: "0-1,4"
};
/// One of the things that could end a thread's wait.
struct Goal {
  /// "byte" (or the end), "room", "connection", "event" of a descriptor, "wake" at a futex, "exit"
  /// of a process, "signal", "SIGCONT".
  std::string wants;
  /// Of what: "pipe:[723028]", "socket:[9]", "eventfd:[4]", "process:[3]", "futex:0x7f3a10" where
  /// only its own process knows the word, "futex:00:01:1024+0x10" by file and place where others
  /// may. Empty for signals.
  std::string of;
  Pid owner = 0;  // the thread that holds the lock, where the futex's word tells; else 0
};
/// One thread's place in the wait-for graph.
struct Wait {
  Pid pid = 0;
  Pid tid = 0;
  std::string call;   // "futex", "read", "wait4", "poll" ...
  std::string on;     // "pipe:[723028]", "0x7f3a...", "children"
  std::string doubt;  // empty: untimed, and nothing outside the tree can end it
  std::vector<Goal> goals{};
};
/// Something that a thread waits for, and which processes of the tree have it: they could act on
/// it.
struct Resource {
  struct Holder {
    Pid pid = 0;
    int fd = -1;         // -1: in its memory
    std::string access;  // "r", "w", "rw" of a descriptor, "map"
  };
  std::string name;  // as Goal::of
  std::string peer;  // the socket at its other end, which is a resource too; empty: not known
  std::vector<Holder> holders;
};
/// Two looks agreed that no thread of the tree ran in between. `proved` says that every wait is
/// untimed and can be ended only from inside the tree: it hangs, or its survivors can never wake.
struct AtRest {
  bool proved = false;
  std::vector<Wait> waits;
  std::vector<Resource> resources{};
};
/// Main stands in a step that should end by itself, and all that the tree has done since `since` is
/// to wake and go to sleep again: everybody else sleeps without a timeout, no byte was read or
/// written, no process or thread came or went, nothing was claimed or printed. Counted, not timed.
struct Polling {
  struct Poller {
    Pid pid = 0;
    Pid tid = 0;
    std::string call;        // where it was seen asleep
    std::int64_t wakes = 0;  // since `since`
  };
  Nanoseconds since{0};
  std::vector<Poller> pollers;
  std::string doubt;  // empty: nothing outside the tree can be what they wait for
};
/// Cumulative scheduling delay that tree time leaves out; see Trace::tree_time.
struct Delay {
  Nanoseconds total{0};
};
/// A process in the sandbox that no birth event announced: rules that need exactness are void.
struct Foreign {
  Pid pid = 0;
};
/// A limit was hit and the case ended: "births", "output", ...
struct LimitHit {
  std::string what;
};
/// Still there after everything was killed: `where` is "/tmp", "/dev/shm", "System V IPC".
struct LeftOver {
  std::string where;
  std::int64_t count = 0;
};
/// The record has a hole; `why` says which. Rules that need exactness are inconclusive.
struct Lost {
  std::string why;
};

/// The case's fault was put where it says; its effects come behind. `token` names the call that it
/// met (harness/fault.h), `calls` counts those of the process up to it.
struct FaultFired {
  Pid pid = 0;
  std::string token;
  int calls = 0;
};

// ---- Claims: what the adapter said -------------------------------------------------------------

/// How a step went, in words that do not depend on the language.
struct StepResult {
  enum class Kind {
    kOk,          // returned normally (get, next: the value is in `value`)
    kRefused,     // the pool refused the call, with its documented error
    kTaskError,   // get: the task raised; `message` is the error's
    kWorkerDied,  // get, submit: the pool says that a worker died
    kCancelled,   // get: the pool gave the task up (terminate, shutdown)
    kTimeout,     // get, wait: not within the timeout
    kNotFired,    // kill: no such worker within the bound
    kExhausted,   // next: all results have been taken
    kError,       // anything else, a bug of pool or adapter: `error` and `message` say what
  };
  Kind kind = Kind::kOk;
  std::string error;    // the error's type, as the language names it
  std::string message;  // the error's text
  std::string value;    // ready: "true", "false"; get: a digest of the value: "none",
                        // "bytes:65536:1f2e..." (see protocol)
  struct Listed {
    Pid pid = 0;
    std::string name;
    std::optional<bool> daemon;
    std::optional<bool> alive;
  };
  std::optional<std::vector<Listed>> workers;  // workers
  Pid killed = 0;                              // kill: whom
};

struct Started {
  Pid pid = 0;
};
struct StepBegun {
  Pid pid = 0;
  int step = 0;
};
struct StepEnded {
  Pid pid = 0;
  int step = 0;
  StepResult result;
};
struct TaskBegun {
  Pid pid = 0;
  int task = 0;
  int item = 0;  // of a map, from 1; 0: the task is none
};
/// `how`: "returned" or "raised". A body that ends its worker never gets here.
struct TaskEnded {
  Pid pid = 0;
  int task = 0;
  std::string how;
  int item = 0;   // of a map, from 1; 0: the task is none
  int input = 0;  // bytes that it has read of its standard input
};
/// Main's callback for a task was called; `with`: "value" or "error".
struct CalledBack {
  Pid pid = 0;
  int task = 0;
  std::string with;
};
/// Main has started a process for itself, not for its pool.
struct OwnChild {
  Pid pid = 0;
  Pid child = 0;
};
/// Main is about to end as the scenario says.
struct EndingBegun {
  Pid pid = 0;
};
/// A line in the claims file that is no claim. Fragments of writers that died by a signal are not
/// garbage and leave no event.
struct Garbage {
  std::string text;  // the first bytes
};

struct Event {
  using Kind =
      std::variant<Born, Execed, ThreadBorn, ThreadDead, Signalled, Dying, Dead, KilledByWarden,
                   OutputEof, Snapshot, MainState, AtRest, Polling, Delay, Foreign, LimitHit,
                   LeftOver, Lost, FaultFired, Started, StepBegun, StepEnded, TaskBegun, TaskEnded,
                   CalledBack, OwnChild, EndingBegun, Garbage>;
  Nanoseconds at{0};  // CLOCK_MONOTONIC since main's birth
  Kind kind;
};

/// Why the case ended.
enum class End {
  kAllDead,   // every process ended by itself and the output reached its end
  kAtRest,    // proved at rest, or at rest with doubt after main's death
  kGrace,     // survivors were given the whole grace after main's death
  kPolling,   // a wait in vain went on by polling (see Polling), or by processes that died at once
  kDeadline,  // a step or the exit that must be prompt was not (see Job::deadlines)
  kFuse,      // the wall-clock fuse: whatever was pending is inconclusive
  kLimit,
  kTimeOver,  // the runner asked for it: its own time was over (Runner::end_under_way)
};

struct Captured {
  std::string text;        // the first 64 KiB
  std::int64_t bytes = 0;  // all of it
};

/// The record of one run, in the order in which the warden recorded it. It only grows.
struct Trace {
  int rung = 1;       // which step of the containment ladder (DESIGN: docs/architecture.md)
  bool exact = true;  // ptrace saw every birth and death
  End end = End::kAllDead;
  Captured out;
  Captured err;
  std::vector<Event> events;

  /// Main's pid; 0 if main was never born.
  Pid main() const;

  /// Monotonic time between two instants less the scheduling delay that the tree (and the warden)
  /// suffered in between. Where samples are sparse it errs to the short side, so that a busy
  /// machine never turns into a verdict.
  Nanoseconds tree_time(Nanoseconds from, Nanoseconds to) const;
};

/// JSON lines: a header object, then one event a line (harness/protocol/README.md).
std::string to_json_lines(const Trace& trace);
sys::Result<Trace> trace_from_json_lines(std::string_view text);

/// One event as one JSON object, and back.
std::string to_json(const Event& event);
sys::Result<Event> event_from_json(std::string_view text);

/// One line of an adapter's claims file (protocol/README.md): `event.at` is what the adapter wrote,
/// CLOCK_MONOTONIC itself and not since main's birth.
struct Claim {
  Event event;
  std::int64_t seq = 0;
};
sys::Result<Claim> claim_from_json(std::string_view line);

std::string_view name(StepResult::Kind kind);
std::string_view name(End end);

}  // namespace poolproof::harness
