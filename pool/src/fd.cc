#include "fd.hpp"

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

namespace poolproof::detail {

void Fd::reset(int fd) {
  const int old = std::exchange(fd_, fd);
  if (old >= 0) ::close(old);
}

Fd off_stdio(Fd fd) {
  if (!fd.valid()) return fd;
  Fd moved = off_stdio_or_none(std::move(fd));
  if (!moved.valid()) throw_errno("poolproof: duplicate a descriptor");
  return moved;
}

Fd off_stdio_or_none(Fd fd) {
  if (!fd.valid() || fd.get() > 2) return fd;
  const int moved = ::fcntl(fd.get(), F_DUPFD_CLOEXEC, 3);
  const int error = errno;
  fd.reset(moved);
  errno = error;
  return fd;
}

bool may_have_size(std::size_t size) {
  rlimit limit{};
  if (::getrlimit(RLIMIT_FSIZE, &limit) != 0) return true;
  return limit.rlim_cur == RLIM_INFINITY || size <= limit.rlim_cur;
}

std::string limit_in_words(const char* name, int resource) {
  rlimit limit{};
  const bool known = ::getrlimit(static_cast<__rlimit_resource_t>(resource), &limit) == 0;
  const bool any = known && limit.rlim_cur != RLIM_INFINITY;
  return std::string(name) + ": " + (any ? std::to_string(limit.rlim_cur) : "unlimited");
}

void throw_errno(const char* what) {
  const int error = errno;
  throw std::system_error(error, std::system_category(), what);
}

}  // namespace poolproof::detail
