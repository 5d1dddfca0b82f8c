#include "harness/sys/fd.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <utility>

extern "C" {  // glibc 2.36 forgets it
#include <sys/pidfd.h>
}

namespace poolproof::sys {

bool await_readable(int fd, std::chrono::milliseconds at_most) {
  pollfd wanted{fd, POLLIN, 0};
  return ::poll(&wanted, 1, static_cast<int>(at_most.count())) > 0;
}

bool errno_is_eintr() noexcept {
  return errno == EINTR;
}

void Fd::reset(int fd) noexcept {
  if (fd_ >= 0) ::close(fd_);
  fd_ = fd;
}

Result<Pipe> make_pipe() {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return Error::from_errno("pipe2");
  return Pipe{Fd(ends[0]), Fd(ends[1])};
}

Result<Fd> open_file(const std::string& path, int flags, unsigned mode) {
  const int fd = retry_eintr([&] { return ::open(path.c_str(), flags | O_CLOEXEC, mode); });
  if (fd < 0) return Error::from_errno("open " + path);
  return Fd(fd);
}

Fd open_pidfd(int pid) {
  return Fd(::pidfd_open(pid, 0));
}

namespace {

Result<std::string> read_to_end(int fd, std::string_view what) {
  std::string text;
  std::array<char, 4096> chunk{};
  for (;;) {
    const ssize_t got = retry_eintr([&] { return ::read(fd, chunk.data(), chunk.size()); });
    if (got < 0) return Error::from_errno("read " + std::string(what));
    if (got == 0) return text;
    text.append(chunk.data(), static_cast<std::size_t>(got));
  }
}

}  // namespace

Result<std::string> read_file(const std::string& path) {
  auto file = open_file(path, O_RDONLY);
  if (!file) return file.error();
  return read_to_end(file->get(), path);
}

Result<std::string> read_regular_file(const std::string& path, std::size_t most) {
  // A FIFO is opened without waiting for its writer.
  auto file = open_file(path, O_RDONLY | O_NONBLOCK);
  if (!file) return file.error();
  struct stat status {};
  if (::fstat(file->get(), &status) != 0) return Error::from_errno("stat " + path);
  if (S_ISDIR(status.st_mode)) return Error(path + ": is a folder, not a file");
  if (!S_ISREG(status.st_mode)) return Error(path + ": is no regular file");
  if (std::cmp_greater(status.st_size, most))
    return Error(path + ": is larger than " + std::to_string(most >> 20) + " MiB");
  return read_to_end(file->get(), path);
}

Result<std::string> read_file_at(int directory, const char* name) {
  const Fd file(retry_eintr([&] { return ::openat(directory, name, O_RDONLY | O_CLOEXEC); }));
  if (!file) return Error::from_errno(std::string("open ") + name);
  return read_to_end(file.get(), name);
}

Result<void> write_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t put = retry_eintr([&] { return ::write(fd, bytes.data(), bytes.size()); });
    if (put < 0) return Error::from_errno("write");
    bytes.remove_prefix(static_cast<std::size_t>(put));
  }
  return {};
}

Result<void> set_nonblocking(int fd) {
  const int flags = ::fcntl(fd, F_GETFL);
  if (flags < 0 || ::fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0) return Error::from_errno("fcntl");
  return {};
}

}  // namespace poolproof::sys
