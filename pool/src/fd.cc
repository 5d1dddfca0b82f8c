#include "fd.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

namespace poolproof::detail {

void Fd::reset(int fd) {
  const int old = std::exchange(fd_, fd);
  if (old >= 0) ::close(old);
}

Fd off_stdio(Fd fd) {
  if (fd.get() > 2) return fd;
  Fd moved(::fcntl(fd.get(), F_DUPFD_CLOEXEC, 3));
  if (!moved.valid()) throw_errno("poolproof: duplicate a descriptor");
  return moved;
}

void throw_errno(const char* what) {
  const int error = errno;
  throw std::system_error(error, std::system_category(), what);
}

}  // namespace poolproof::detail
