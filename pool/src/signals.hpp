#pragma once

#include <signal.h>

namespace poolproof::detail {

/// Blocks every signal of this thread while it lives: around fork, so that no
/// handler of the program runs in a child of ours; around the start of our
/// thread, which thus never receives one.
class SignalsBlocked {
 public:
  SignalsBlocked();
  ~SignalsBlocked();
  SignalsBlocked(const SignalsBlocked&) = delete;
  SignalsBlocked& operator=(const SignalsBlocked&) = delete;

 private:
  sigset_t before_;
};

/// In a child of ours: every signal to its default action, no alternate
/// stack. The mask stays.
void reset_dispositions();

/// In the supervisor: ignores all that can be ignored without harm.
/// A stray Ctrl-C or TERM must not end the one who answers for the workers.
void ignore_requests_to_end();

}  // namespace poolproof::detail
