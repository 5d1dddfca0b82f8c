#pragma once

namespace poolproof {

/// What holds everything that tasks start, so that it ends with the pool.
enum class Containment {
  /// The pool's supervisor adopts and kills. Nothing outlives main, or its worker. One gap: if
  /// somebody kills the supervisor itself with SIGKILL, the workers end, but what tasks had started
  /// lives on.
  supervisor,
  /// The kernel, too: workers live in a PID namespace that ends with the supervisor, so that there
  /// is
  /// no gap. For tasks the world is a smaller one: getpid() is another number than main sees,
  /// getppid() is 0, they can't signal processes outside, and /proc still shows main's view. For an
  /// ordinary user it is a user namespace as well: files of other users belong to nobody there.
  /// Takes root or a kernel that allows user namespaces, else it is ContainmentRefused.
  /// Source: pid_namespaces(7), user_namespaces(7).
  pid_namespace,
};

/// "supervisor", "pid_namespace". Never fails.
const char* to_string(Containment containment);

}  // namespace poolproof
