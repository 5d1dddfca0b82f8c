#include "reexec.hpp"

// In the stead of src/patience.cc.
namespace poolproof::detail::reexec {

std::chrono::milliseconds patience() {
  return std::chrono::milliseconds(50);
}

}  // namespace poolproof::detail::reexec
