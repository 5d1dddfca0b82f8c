#include "null_device.hpp"

#include <fcntl.h>

#include <utility>

// What workers read, and nothing else (its mutants replace this file).
namespace poolproof::detail {

Fd open_null_device() {
  Fd null(::open("/dev/null", O_RDWR | O_CLOEXEC));
  if (!null.valid()) throw_errno("poolproof: open /dev/null");
  return off_stdio(std::move(null));
}

}  // namespace poolproof::detail
