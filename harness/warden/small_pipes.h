#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "harness/warden/ptrace.h"

namespace poolproof::warden {

/// Gives each pipe that the subject makes a buffer of one page, where the case asks for it
/// (Inherited::kSmallPipes): what the kernel does for a user whose pipes have had their share, by
/// pipe-user-pages-soft. Source: pipe(7). The kernel's filter stops the tree at the calls that make
/// pipes; at the end of such a call, before its thread goes on, the pipe is there and empty.
class SmallPipes {
 public:
  explicit SmallPipes(bool wanted) : wanted_(wanted) {}

  /// Before main is made: the calls that the filter shall stop at.
  std::vector<long> filtered_calls() const;
  /// Whether the thread is in such a call, and has to stop at its end.
  bool awaits_exit(int tid) const { return calls_.contains(tid); }
  /// A thread of the process stands at a call.
  void at_call(int pid, int tid, const trace::CallStop& stop);
  void note_gone(int tid) { calls_.erase(tid); }

 private:
  bool wanted_;
  std::map<int, std::uint64_t> calls_;  // by thread: where the descriptors will be
};

}  // namespace poolproof::warden
