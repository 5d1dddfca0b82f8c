#pragma once

namespace poolproof {

/// How workers come into being. `fork` needs nothing; the other two need `poolproof::init` first
/// in main.
enum class StartMethod {
  /// Copies of main as it was when the pool was constructed: tasks see its globals of that moment.
  /// Refused when main has threads.
  fork,
  /// Copies of a small, fresh copy of the program, which is started once for each pool: tasks see
  /// globals as `init` found them. Safe beside threads, and cheap however big main is.
  forkserver,
  /// Each worker is a fresh copy of the program. As above, and workers share nothing at all, not
  /// even the layout of their memory.
  spawn,
};

/// "fork", "forkserver", "spawn". Never fails.
const char* to_string(StartMethod method);

}  // namespace poolproof
