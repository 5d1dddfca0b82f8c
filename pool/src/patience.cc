#include "reexec.hpp"

// How long a copy of the program may take to come to `init`, and nothing else (a test replaces this
// file).
namespace poolproof::detail::reexec {

/// Between lie its loader and its static objects only.
std::chrono::milliseconds patience() {
  return std::chrono::seconds(60);
}

}  // namespace poolproof::detail::reexec
