#pragma once

#include <functional>

#include "harness/sys/result.h"
#include "harness/trace.h"
#include "harness/warden/messages.h"
#include "harness/warden/sandbox.h"

namespace poolproof::warden {

/// Runs one case in the sandbox and records it, from main's birth until everything in the sandbox
/// has been killed and reaped and what is left of it is known.
/// `dirty` tells the caller to build a new sandbox before the next case.
/// Errors: the harness could not do its work (no exec, init died); never the subject's doing.
struct Recorded {
  harness::Trace trace;
  bool dirty = false;
  bool answered = false;  // `held` has got the trace already
};
/// Where a request wants to hold what lives at the end, `held` gets the trace at once; the clean-up
/// begins when `runner` has something to read, and the warden ends with it.
using Held = std::function<void(const harness::Trace&)>;
sys::Result<Recorded> run_case(Sandbox& sandbox, const Request& request, int runner,
                               const Held& held);

}  // namespace poolproof::warden
