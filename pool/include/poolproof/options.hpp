#pragma once

#include <chrono>
#include <cstddef>
#include <exception>
#include <functional>
#include <optional>
#include <poolproof/containment.hpp>
#include <poolproof/initializer.hpp>
#include <poolproof/start_method.hpp>

namespace poolproof {

/// What can be said about one task: `pool.apply<f>({.time_limit = 2s}, 7)`, and so for apply_async.
struct TaskOptions {
  /// How long the task may run, from its beginning in a worker on. Then its
  /// worker is killed, with all that the task started, and replaced; the task
  /// fails with TimeLimitExceeded. Default: the pool's. Not positive is
  /// std::invalid_argument.
  std::optional<std::chrono::nanoseconds> time_limit = std::nullopt;
};

/// What can be said about a `map` or `starmap`.
struct MapOptions {
  /// Items that travel, and fail, together; 0: about four chunks for each
  /// worker, ceil(n / (4 * size())).
  std::size_t chunk_size = 0;

  /// As in TaskOptions, for each item.
  std::optional<std::chrono::nanoseconds> time_limit = std::nullopt;
};

/// What can be said about an `imap` or `imap_unordered`.
struct StreamOptions {
  /// Items that travel together. One that throws fails alone even so; one whose
  /// worker dies, or that exceeds its time limit, takes with it those of its
  /// chunk, done or not begun: their results were in that worker. 0 is
  /// std::invalid_argument.
  std::size_t chunk_size = 1;

  /// The most items that have been taken from the input and whose results have
  /// not been taken out (rounded up to whole chunks). 0: four chunks for each worker.
  std::size_t ahead = 0;

  /// As in TaskOptions, for each item.
  std::optional<std::chrono::nanoseconds> time_limit = std::nullopt;
};

/// Everything that can be chosen about a pool; fill by name:
/// `Pool pool{{.workers = 4}}`.
struct PoolOptions {
  /// Number of workers. Default: the processors that main may use
  /// (sched_getaffinity(2)). Less than 1 is std::invalid_argument.
  std::optional<int> workers = std::nullopt;

  /// Default: forkserver if `poolproof::init` was called, else fork. The others without `init` are
  /// InitMissing.
  std::optional<StartMethod> start_method = std::nullopt;

  /// What holds the things that tasks start. Another than this is never taken silently.
  Containment containment = Containment::supervisor;

  /// A worker that has done so many tasks leaves, and a fresh one takes its
  /// place: for tasks that leak. A chunk of `map` counts as one task. Default:
  /// no limit. Less than 1 is std::invalid_argument.
  /// Source: multiprocessing.Pool(maxtasksperchild=).
  std::optional<int> tasks_per_worker = std::nullopt;

  /// What each worker does before its first task.
  Initializer initializer{};

  /// How long each task may run, unless it says otherwise (TaskOptions).
  std::optional<std::chrono::nanoseconds> time_limit = std::nullopt;

  /// A copy of a process with threads holds their locks for ever, so `fork` is
  /// refused (ThreadsPresent) when main has threads other than poolproof's
  /// own. The thread of callbacks, which the first `on_done` starts, runs your
  /// code and is none of these. True says that you know what threads may hold.
  bool force_fork_with_threads = false;

  /// How long workers may take to follow SIGTERM before SIGKILL; the bound of
  /// `terminate`, and of the last steps of a closed pool.
  std::chrono::milliseconds terminate_patience{500};

  /// Told of what a callback of a future throws, in the thread of callbacks.
  /// Default: one line on standard error. What it throws itself is ignored.
  std::function<void(std::exception_ptr)> on_callback_error{};
};

}  // namespace poolproof
