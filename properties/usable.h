#pragma once

#include <optional>
#include <string>

#include "harness/case.h"
#include "harness/trace.h"
#include "properties/pools.h"

namespace poolproof::properties {

/// Whether a pool does anything at all. One that cannot be created, or that takes no task, breaks
/// hardly a rule, and yet nothing was tested. Fed with every case of one pool.
class Usable {
 public:
  /// `number`: the case's, as a person counts them.
  void add(const Pool& pool, const harness::Scenario& scenario, const harness::Trace& trace,
           int number);

  /// One line: what, where, what to do; nullopt where the pool was created and took a task, or was
  /// never asked to.
  std::optional<std::string> trouble(const Pool& pool) const;

 private:
  /// Calls that any pool must take, and how the first of them failed.
  struct Calls {
    int asked = 0;
    int taken = 0;
    std::string first_failure;

    void add(const harness::StepResult& result, int step, int number);
    bool all_failed() const { return asked > 0 && taken == 0; }
  };
  Calls creates_;
  Calls submits_;
};

}  // namespace poolproof::properties
