#include <poolproof/errors.hpp>
#include <string>

#include "core.hpp"

// Whose a pool is, and nothing else (its mutants replace this file).
namespace poolproof::detail {

void Core::require_own_process() const {
  if (is_foreign()) {
    throw WrongProcess("this pool belongs to process " + std::to_string(owner_.pid));
  }
}

}  // namespace poolproof::detail
