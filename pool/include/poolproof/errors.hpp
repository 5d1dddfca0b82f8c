#pragma once

#include <sys/types.h>

#include <chrono>
#include <poolproof/exit_status.hpp>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace poolproof {

/// Base of what this library throws of its own accord.
class Error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// A task was submitted to a pool that is closed or terminated.
class PoolNotRunning : public Error {
 public:
  using Error::Error;
};

/// `join` before `close` or `terminate`: it would never return.
class PoolStillRunning : public Error {
 public:
  using Error::Error;
};

/// A pool, or a result that was still pending, was used in a process forked
/// from the one that owns it.
class WrongProcess : public Error {
 public:
  using Error::Error;
};

/// Start method `fork` in a process that has threads.
class ThreadsPresent : public Error {
 public:
  using Error::Error;
};

/// Start method forkserver or spawn in a program that has not called `poolproof::init`, or whose
/// copy ended before it came to that call, or had not come to it after a minute and was killed.
class InitMissing : public Error {
 public:
  using Error::Error;
};

/// The kernel does not allow the containment that was asked for; the text says what it takes.
class ContainmentRefused : public Error {
 public:
  using Error::Error;
};

/// A wait ran into its deadline. The task goes on.
class TimeoutError : public Error {
 public:
  using Error::Error;
};

/// `successful` of a result that is not ready.
class ResultNotReady : public Error {
 public:
  using Error::Error;
};

/// The result was pending when the pool was terminated; it will never come.
class Terminated : public Error {
 public:
  using Error::Error;
};

/// The task was taken back by `cancel`; it does not run, or no longer.
class Cancelled : public Error {
 public:
  using Error::Error;
};

/// The task ran longer than its time limit, and its worker was killed for it.
class TimeLimitExceeded : public Error {
 public:
  TimeLimitExceeded(pid_t worker, std::chrono::nanoseconds limit);

  [[nodiscard]] pid_t pid() const { return pid_; }
  [[nodiscard]] std::chrono::nanoseconds limit() const { return limit_; }

 private:
  pid_t pid_;
  std::chrono::nanoseconds limit_;
};

/// The pool could not go on: its supervisor was killed, its initializer failed,
/// or workers died again and again before they could work, and none was left;
/// the text says which.
/// Also thrown by later submissions.
class PoolBroken : public PoolNotRunning {
 public:
  using PoolNotRunning::PoolNotRunning;
};

/// The worker died while it ran this very task, or another item of its chunk.
class WorkerDied : public Error {
 public:
  WorkerDied(pid_t worker, ExitStatus status);

  [[nodiscard]] pid_t pid() const { return pid_; }
  [[nodiscard]] const ExitStatus& status() const { return status_; }

 private:
  pid_t pid_;
  ExitStatus status_;
};

/// What came back with an error that a task threw.
struct RemoteTrace {
  struct Cause {
    std::string type_name;
    std::string message;
  };

  std::string type_name;      ///< demangled, such as "std::out_of_range"
  std::string message;        ///< its what(), or the value if it had none
  std::vector<Cause> causes;  ///< of std::throw_with_nested, outermost first
  pid_t worker_pid = 0;

  /// The whole chain as text, a line for each.
  [[nodiscard]] std::string text() const;
};

/// An error of a task whose type cannot be rebuilt here; see register_error. Its
/// what() is that of the original.
class RemoteError : public Error, public RemoteTrace {
 public:
  explicit RemoteError(RemoteTrace trace) : Error(trace.message), RemoteTrace(std::move(trace)) {}
};

/// An error of a task, rebuilt: caught as `E` like the original, or as
/// RemoteTrace where one wants to know where it came from.
template <class E>
class Rebuilt : public E, public RemoteTrace {
 public:
  Rebuilt(E error, RemoteTrace trace) : E(std::move(error)), RemoteTrace(std::move(trace)) {}
};

}  // namespace poolproof
