#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "harness/trace.h"

namespace poolproof::properties {

/// What a process is to a reader. By the protocol's words, less one guess: whoever neither listed
/// nor working, without children and without a program of its own is called a process, not a
/// helper.
/// kOwn: main's own child, or program, which is not the pool's.
enum class Role { kMain, kWorker, kHelper, kTaskChild, kOwn, kProcess };

std::string_view name(Role role);

/// One process of a recording, put together from its events. For reports; rules read events.
struct Member {
  harness::Pid pid = 0;
  harness::Pid parent = 0;
  std::string how;  // it was born
  Role role = Role::kProcess;
  harness::Nanoseconds born{0};
  std::optional<harness::Nanoseconds> dead;  // by itself or by the subject's doing
  std::optional<sys::ExitStatus> status;
  bool killed_by_warden = false;  // it was still there when the case was over
  bool asleep_for_ever = false;   // proved at rest after main's death
};

class Family {
 public:
  explicit Family(const harness::Trace& trace);

  const std::vector<Member>& members() const { return members_; }  // in order of birth
  const Member* member(harness::Pid pid) const;
  const Member* main() const;

  /// kProcess for one that the recording does not know.
  Role role(harness::Pid pid) const;
  /// "main 2 and workers 3 and 4".
  std::string in_words(const std::set<harness::Pid>& pids) const;

  /// Those that lived on after main's death.
  std::vector<const Member*> survivors() const;

 private:
  void note(const harness::Event& event);
  void assign_roles(const harness::Trace& trace);
  Member* find(harness::Pid pid);

  std::vector<Member> members_;
  std::map<harness::Pid, std::size_t> index_;
  harness::Pid main_ = 0;
};

}  // namespace poolproof::properties
