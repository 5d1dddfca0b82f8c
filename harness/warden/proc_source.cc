#include <map>
#include <utility>
#include <vector>

#include "harness/sys/exit_status.h"
#include "harness/sys/proc.h"
#include "harness/warden/source.h"

namespace poolproof::warden {
namespace {

/// Rung 3: the tree as /proc shows it now and then. A process that lived between two looks was never
/// seen, and the status of one that others reaped is unknown (Exited{-1}); Trace::exact is false, so
/// that no rule takes this for more than it is.
class ProcSource final : public Source {
 public:
  ProcSource(Tree& tree, int init_pid, OnSync on_sync)
      : tree_(tree), init_(init_pid), on_sync_(std::move(on_sync)) {}

  sys::Result<void> follow(int main_pid) override {
    tree_.born(main_pid, main_pid, 0, "main");
    return {};
  }
  bool exact() const override { return false; }
  bool pump() override;

 private:
  bool find_births();
  bool find_deaths();

  Tree& tree_;
  int init_;
  OnSync on_sync_;
};

bool ProcSource::find_births() {
  bool any = false;
  std::vector<int> parents{init_};
  for (std::size_t i = 0; i < parents.size(); ++i) {
    for (const int child : sys::children_of(parents[i])) {
      parents.push_back(child);
      const auto state = sys::process_state(child);
      if (tree_.owner(child) != nullptr || !state || state->state == 'Z') continue;
      tree_.born(child, child, parents[i], "seen");
      any = true;
    }
  }
  return any;
}

bool ProcSource::find_deaths() {
  std::vector<std::pair<int, sys::ExitStatus>> ended;
  for (const auto& [pid, process] : tree_.live()) {
    const auto state = sys::process_state(pid);
    if (state && state->state != 'Z' && state->state != 'X') continue;
    const auto status = sys::zombie_status(pid);
    ended.emplace_back(pid, status ? sys::exit_status_from_wait(*status) : sys::ExitStatus(sys::Exited{-1}));
  }
  for (const auto& [pid, status] : ended) {
    tree_.dying(pid, status);
    tree_.ended(pid, status);
  }
  return !ended.empty();
}

bool ProcSource::pump() {
  const bool born = find_births();
  on_sync_();
  return find_deaths() || born;
}

}  // namespace

std::unique_ptr<Source> proc_source(Tree& tree, int init_pid, OnSync on_sync) {
  return std::make_unique<ProcSource>(tree, init_pid, std::move(on_sync));
}

}  // namespace poolproof::warden
