#include <cstdlib>

#include "reexec.hpp"

// In the stead of src/patience.cc: the environment's PATIENCE, in milliseconds.
namespace poolproof::detail::reexec {

std::chrono::milliseconds patience() {
  return std::chrono::milliseconds(std::atoi(std::getenv("PATIENCE")));
}

}  // namespace poolproof::detail::reexec
