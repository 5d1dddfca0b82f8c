#pragma once

#include <optional>

#include "properties/rules.h"

namespace poolproof::properties {

/// What somebody sees of a violation who has neither tracer nor recording: only the program, its
/// exit status, and what is left when it is over.
struct Symptom {
  enum class Kind {
    kDoesNotEnd,       // the program goes on for ever, in `step` or (0) in its exit
    kLeavesProcesses,  // main is gone, and others of its tree are not
    kEndsOtherwise,    // main's exit status, `status`, is not what its ending stands for
    kKeepsWorkers,     // after `step` a worker is there, alive or as a zombie, that should be gone
    kComesOutWrong,    // the result of `step` is not what it should be
    kLeavesFiles,      // in the temporary folder or in /dev/shm, when all are gone
  };
  Kind kind = Kind::kDoesNotEnd;
  int step = 0;
  int status = 0;  // as a parent sees it: n of exit n, -n of signal n
  bool operator==(const Symptom&) const = default;
};

/// What shows of this rule's violation in this recording, or nullopt: then a program of its own
/// cannot tell. Pure.
std::optional<Symptom> symptom_of(const Evidence& evidence, const Rule& rule,
                                  const Violated& violated);

}  // namespace poolproof::properties
