#pragma once

#include "harness/sys/result.h"
#include "harness/warden/messages.h"

namespace poolproof::warden {

/// Finds the highest rung of the containment ladder that this kernel and user allow, by trying: a
/// sandbox is built on it and, where it traces, a child is seized. `wanted` 1-3 asks for that one.
/// Errors: why the wanted rung (or any) cannot be stood on.
sys::Result<Hello> climb(int wanted);

}  // namespace poolproof::warden
