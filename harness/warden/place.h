#pragma once

#include <string>
#include <vector>

#include "harness/case.h"
#include "harness/sys/result.h"

namespace poolproof::warden {

/// Makes the calling process's mount namespace the subject's: fresh /proc, private /tmp and
/// /dev/shm, with `shown` mounted read-only at their own places and a file system of its own at
/// `folder`. Runs in init, which has the capabilities for it. Source: mount_namespaces(7),
/// open_tree(2).
/// The working folder stays what it was by name.
sys::Result<void> furnish(const harness::Settings& settings, const std::vector<std::string>& shown,
                          const std::string& folder);

/// Where init keeps claims and scenario on rung 1.
inline constexpr const char* kPrivateFolder = "/tmp/.poolproof";

/// Where POSIX message queues of the sandbox can be seen; empty where the kernel has none.
std::string show_message_queues(const std::string& folder);

}  // namespace poolproof::warden
