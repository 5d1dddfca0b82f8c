#include <poll.h>

#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "harness/sys/exit_status.h"
#include "harness/sys/fd.h"
#include "harness/sys/proc.h"
#include "harness/warden/source.h"

namespace poolproof::warden {
namespace {

/// For a process that others have waited for, on a kernel that does not tell afterwards.
constexpr sys::Killed kUnknownStatus{0};

/// Rung 3: the tree as /proc shows it now and then. A process that lived between two looks was
/// never seen; Trace::exact is false, so that no rule takes this for more than it is.
class ProcSource final : public Source {
 public:
  ProcSource(Tree& tree, int init_pid, ReadClaims read_claims)
      : tree_(tree), init_(init_pid), read_claims_(std::move(read_claims)) {}

  sys::Result<void> follow(int main_pid) override {
    born(main_pid, 0, "main");
    return {};
  }
  bool exact() const override { return false; }
  bool pump() override;

 private:
  bool find_births();
  bool find_deaths();
  void born(int pid, int parent, const char* how);
  std::optional<sys::ExitStatus> status_if_ended(int pid) const;

  Tree& tree_;
  int init_;
  ReadClaims read_claims_;
  std::map<int, sys::Fd> handles_;  // pidfds, from birth
};

void ProcSource::born(int pid, int parent, const char* how) {
  handles_[pid] = sys::open_pidfd(pid);
  tree_.born(pid, pid, parent, how);
}

bool ProcSource::find_births() {
  bool any = false;
  std::vector<int> parents{init_};
  for (std::size_t i = 0; i < parents.size(); ++i) {
    for (const int child : sys::children_of(parents[i])) {
      parents.push_back(child);
      const auto state = sys::process_state(child);
      if (tree_.owner(child) != nullptr || !state || state->state == 'Z') continue;
      born(child, parents[i], "seen");
      any = true;
    }
  }
  return any;
}

std::optional<sys::ExitStatus> ProcSource::status_if_ended(int pid) const {
  const auto& handle = handles_.at(pid);
  pollfd ended{handle.get(), POLLIN, 0};
  if (handle && ::poll(&ended, 1, 0) == 0) return std::nullopt;
  if (const auto exact = sys::exit_status_of(handle.get())) return exact;
  const auto status = sys::zombie_status(pid);
  return status ? sys::exit_status_from_wait(*status) : kUnknownStatus;
}

bool ProcSource::find_deaths() {
  std::vector<std::pair<int, sys::ExitStatus>> ended;
  for (const auto& [pid, process] : tree_.live()) {
    if (const auto status = status_if_ended(pid)) {
      ended.emplace_back(pid, *status);
    } else {
      tree_.alive(pid);
    }
  }
  for (const auto& [pid, status] : ended) {
    tree_.ended(pid, status);
    handles_.erase(pid);
  }
  return !ended.empty();
}

bool ProcSource::pump() {
  const bool born = find_births();
  read_claims_();
  return find_deaths() || born;
}

}  // namespace

std::unique_ptr<Source> proc_source(Tree& tree, int init_pid, ReadClaims read_claims) {
  return std::make_unique<ProcSource>(tree, init_pid, std::move(read_claims));
}

}  // namespace poolproof::warden
