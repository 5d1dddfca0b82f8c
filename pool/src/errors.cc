#include <poolproof/errors.hpp>

#include "duration.hpp"

namespace poolproof {

WorkerDied::WorkerDied(pid_t worker, ExitStatus status)
    : Error("worker " + std::to_string(worker) + " died in this task: " + to_string(status)),
      pid_(worker),
      status_(status) {}

TimeLimitExceeded::TimeLimitExceeded(pid_t worker, std::chrono::nanoseconds limit)
    : Error("the task ran longer than its limit of " + detail::to_text(limit) + "; worker " +
            std::to_string(worker) + " was killed"),
      pid_(worker),
      limit_(limit) {}

std::string RemoteTrace::text() const {
  std::string text = type_name + ": " + message + " (worker " + std::to_string(worker_pid) + ")";
  for (const Cause& cause : causes) {
    text += "\n  caused by " + cause.type_name + ": " + cause.message;
  }
  return text;
}

}  // namespace poolproof
