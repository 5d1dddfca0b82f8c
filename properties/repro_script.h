#pragma once

#include <set>
#include <string>

#include "harness/case.h"
#include "harness/sys/result.h"
#include "properties/pools.h"
#include "properties/symptom.h"

namespace poolproof::properties {

struct ReproRequest {
  const Pool& pool;
  const harness::Scenario& scenario;
  const Rule& rule;
  Symptom symptom;
  std::string known_link;  // empty: nobody knows of it
  std::set<int> raising;   // steps that raise by rights
};

/// A program that needs nothing but the pool: it runs the scenario in a child program, looks for
/// the symptom, ends what is left, says what was expected and what happened, and exits 1 if it did,
/// 0 if not. Pure. Errors: one line: a language that we write no scripts in, a fault that a script
/// cannot place.
sys::Result<std::string> repro_script(const ReproRequest& request);

}  // namespace poolproof::properties
