#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "harness/case.h"
#include "harness/sys/fd.h"
#include "harness/sys/result.h"

namespace poolproof::warden {

/// The steps of the containment ladder, best first (docs/architecture.md).
enum class Rung {
  kNamespaces = 1,  // ptrace, and PID + mount + IPC (+ user) namespaces
  kSubreaper = 2,   // ptrace alone: its init is a subreaper
  kNoTrace = 3,     // no ptrace: subreaper and /proc
};

/// What a case left behind, found after everything in the sandbox was killed.
struct Remains {
  std::int64_t tmp_inodes = 0;
  std::int64_t shm_inodes = 0;
  std::int64_t ipc_objects = 0;
  std::int64_t message_queues = 0;
  bool altered = false;    // mounts, the private folders' modes, or our own files
  bool processes = false;  // something could not be killed
  bool clean() const {
    return tmp_inodes + shm_inodes + ipc_objects + message_queues == 0 && !altered && !processes;
  }
};

/// A main that exists and waits, before its exec, for go(): the moment to seize it.
struct Waiting {
  int pid = 0;     // in the warden's PID namespace
  sys::Fd output;  // read ends
  sys::Fd error;
  bool wakers_seen = false;  // calls that arm what may wake a sleeper will stop it (subject.h)
};

/// A place to run subjects in, used for many cases one after the other. Owns the tiny init process
/// that lives inside (init.h) and with it, on rung 1, everything that the subject starts: when init
/// dies the kernel kills the rest, and init dies with the warden. Driven by the warden's one
/// thread.
class Sandbox {
 public:
  /// Builds one. Folders of `command` that the private /tmp and /dev/shm would hide are mounted
  /// read-only at their places. Errors: which call the kernel refused, for the ladder's "why not".
  static sys::Result<std::unique_ptr<Sandbox>> build(Rung rung, const harness::Settings& settings,
                                                     const std::vector<std::string>& command);
  ~Sandbox();
  Sandbox(const Sandbox&) = delete;
  Sandbox& operator=(const Sandbox&) = delete;

  Rung rung() const { return rung_; }
  int init_pid() const { return init_; }
  /// What of the machine's /tmp and /dev/shm is to be seen inside.
  const std::vector<std::string>& shown() const { return shown_; }

  /// Whether the sandbox, as built, shows `command` what it needs and has these sizes.
  bool fits(const harness::Settings& settings, const std::vector<std::string>& command) const;

  /// Empties the claims file, writes the scenario, and makes main up to its exec.
  /// sync_points: what POOLPROOF_SYNC says (harness/protocol/README.md). traced: the system calls
  /// at which the tree stops for its tracer, where the kernel lets us install the filter.
  /// inherits: what main finds beside.
  sys::Result<Waiting> start(const std::vector<std::string>& command, const std::string& scenario,
                             const std::string& sync_points, const std::vector<long>& traced,
                             const std::set<harness::Inherited>& inherits);
  /// Lets main exec. Errors: what exec said (a missing adapter or interpreter).
  sys::Result<void> go();
  /// Reports go()'s outcome as soon as it is known: exec closes the handshake. Never blocks.
  bool exec_pending() const { return static_cast<bool>(handshake_); }
  int handshake() const { return handshake_.get(); }
  sys::Result<void> exec_outcome();

  int claims() const { return claims_.get(); }
  /// As the subject names it.
  std::string claims_path() const { return folder_ + "/claims"; }

  /// Has the kernel give this pid, as numbered inside, to who is born next there, if it is free by
  /// then; 0 asks only whether that can be done. False where it is refused, and on the lower rungs.
  bool set_next_pid(int pid);

  /// Asks init to kill and reap everything; its answer arrives on control().
  sys::Result<void> ask_to_clean();
  int control() const { return control_.get(); }
  sys::Result<Remains> cleaned();

 private:
  Sandbox() = default;
  sys::Result<void> await_ready();
  void await_end();

  Rung rung_ = Rung::kNamespaces;
  harness::Settings settings_;
  std::vector<std::string> command_;
  std::vector<std::string> shown_;
  int init_ = 0;
  sys::Fd init_handle_;  // its pidfd: a source that waits for anybody may have reaped it already
  std::string folder_;   // holds scenario and claims, as the subject sees it
  sys::Fd control_;      // SEQPACKET to init
  sys::Fd claims_;
  sys::Fd scenario_;
  sys::Fd handshake_;
};

/// What a command needs of /tmp and /dev/shm: the folders of its files, its interpreter's prefix,
/// the working folder and our own. A file that lies in one of the two themselves is needed alone.
std::vector<std::string> hidden_needs(const std::vector<std::string>& command);

}  // namespace poolproof::warden
