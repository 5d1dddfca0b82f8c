#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "harness/sys/result.h"

namespace poolproof::harness {

/// What goes wrong in a case from outside: who, when, what. Its text, the token, is what cases,
/// traces and the command line have, WHO:CALL:NUMBER=ACTION:
///
///   main:read(pipe):2=SIGKILL   main gets SIGKILL as it enters its second read of a pipe
///   main.1.2:*:17=SIGTERM       the second child of main's first child, at its 17th system call
///   main:clone:1=EAGAIN         the call is not made and fails with EAGAIN
///   main:clone:3+=EAGAIN        so does each later one
///   main:before-step:3=SIGINT   as main is about to begin its third step
///   worker:task:2=stop:200      who began task 2 is stopped there, and let go on 200 ms later
///
/// A named call keeps its meaning when another one is added before it; a bare number does not, and
/// is for counting through all of them (a sweep).
struct Fault {
  enum class Trigger {
    kCall,        // a system call
    kBeforeStep,  // main has said that it begins the step ...
    kAfterStep,   // ... or that the step is over
    kTask,        // a worker has said that it begins the task
  };
  enum class Action {
    kSignal,
    kErrno,
    kTypicalError,    // the error that such a call is most likely to meet; calls that meet none are
                      // not counted
    kStop,            // SIGSTOP, and SIGCONT after `pause`
    kDelay,           // the thread is held there for `pause`; others run on
    kLimitFiles,      // from now on it can open no more descriptors than it has
    kLimitMemory,     // ... map no more private memory
    kLimitProcesses,  // ... and nobody in the tree can make a process or thread
    kReusePids,       // ... and who is born next gets the pid of one that is gone
    kCloseStdout,     // who reads main's stdout goes away
  };

  /// By birth: "main", "main.2" for its second child. By role: "worker2" is the second process that
  /// began a task, "worker" the one that began the task of the trigger, "group" main's process
  /// group. Threads count as their process.
  std::string who = "main";
  Trigger trigger = Trigger::kCall;
  std::string call = "*";  // a system call's name; "*": any
  std::string target;      // what its descriptor is: "pipe", "socket" ...; empty: whatever
  /// Which call, from 1, or which step or task. Main's calls count from its first step on, those of
  /// a process named by role from its first task, those of others from their birth.
  int nth = 1;
  bool lasting = false;  // each later call fails as well
  Action action = Action::kSignal;
  int number = 9;  // the signal, or the error
  std::chrono::milliseconds pause{0};
  bool operator==(const Fault&) const = default;
};

/// The token, and its part before "=".
std::string to_string(const Fault& fault);
std::string trigger_text(const Fault& fault);
/// "SIGKILL", "EAGAIN", "stop:200", "limit:files".
std::string action_text(const Fault& fault);

/// Errors: one line that says which part is wrong. Untrusted input. A system call that this
/// architecture does not have is one.
sys::Result<Fault> fault_from_string(std::string_view token);

}  // namespace poolproof::harness
