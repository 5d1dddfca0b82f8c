#pragma once

#include <chrono>
#include <optional>

namespace poolproof {

/// How workers come into being.
enum class StartMethod {
  fork,  ///< copies of main as it was when the pool was constructed
};

/// Everything that can be chosen about a pool; fill by name:
/// `Pool pool{{.workers = 4}}`.
struct PoolOptions {
  /// Number of workers. Default: the processors that main may use
  /// (sched_getaffinity(2)). Less than 1 is std::invalid_argument.
  std::optional<int> workers = std::nullopt;

  StartMethod start_method = StartMethod::fork;

  /// A copy of a process with threads holds their locks for ever, so `fork` is
  /// refused (ThreadsPresent) when main has threads other than poolproof's
  /// own. True says that you know what those threads may hold.
  bool force_fork_with_threads = false;

  /// How long workers may take to follow SIGTERM before SIGKILL; the bound of
  /// `terminate`, and of the last steps of a closed pool.
  std::chrono::milliseconds terminate_patience{500};
};

}  // namespace poolproof
