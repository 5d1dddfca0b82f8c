#pragma once

#include <string>
#include <vector>

#include "harness/case.h"
#include "harness/sys/fd.h"
#include "harness/warden/sandbox.h"

namespace poolproof::warden {

/// What init needs to know; it is a fork of the warden, so nothing has to be encoded.
struct InitPlan {
  Rung rung = Rung::kNamespaces;
  harness::Settings settings;
  std::vector<std::string> shown;  // folders to bind at their own places
  std::string folder;              // where scenario and claims are
  sys::Fd control;                 // SEQPACKET to the warden
};

/// One word at the start of each message of the warden.
enum class Order : char { kStart = 's', kClean = 'c', kNextPid = 'n' };

/// The life of a sandbox's init: sets the place up, answers "ready" with the descriptors of claims
/// and scenario (or the error), then starts mains and cleans up on command until the warden goes.
/// Never returns. On rung 1 it is pid 1: its death is the end of everything inside.
[[noreturn]] void init_main(InitPlan plan);

}  // namespace poolproof::warden
