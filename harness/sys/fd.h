#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <utility>

#include "harness/sys/result.h"

namespace poolproof::sys {

/// Owns one file descriptor. Closing is never retried: after EINTR Linux has already closed it, and
/// a second close could hit a descriptor that somebody else has just opened.
class Fd {
 public:
  Fd() = default;
  explicit Fd(int fd) noexcept : fd_(fd) {}
  Fd(Fd&& other) noexcept : fd_(other.release()) {}
  Fd& operator=(Fd&& other) noexcept {
    reset(other.release());
    return *this;
  }
  Fd(const Fd&) = delete;
  Fd& operator=(const Fd&) = delete;
  ~Fd() { reset(); }

  int get() const noexcept { return fd_; }
  explicit operator bool() const noexcept { return fd_ >= 0; }
  int release() noexcept { return std::exchange(fd_, -1); }
  void reset(int fd = -1) noexcept;

 private:
  int fd_ = -1;
};

struct Pipe {
  Fd read;
  Fd write;
};

/// Both ends close-on-exec. Source: pipe2(2).
Result<Pipe> make_pipe();

/// open(2), close-on-exec. Errors: "open PATH: why".
Result<Fd> open_file(const std::string& path, int flags, unsigned mode = 0);

/// A descriptor that stands for a process, whoever gets its number later. Source: pidfd_open(2).
Fd open_pidfd(int pid);

/// The whole of a small file (as in /proc), in one go of reads.
Result<std::string> read_file(const std::string& path);
Result<std::string> read_file_at(int directory, const char* name);

/// As read_file, of what a user has named: a regular file of at most so many bytes. Anything else
/// is an error that says what it is.
Result<std::string> read_regular_file(const std::string& path, std::size_t most);

Result<void> write_all(int fd, std::string_view bytes);
Result<void> set_nonblocking(int fd);

/// Whether there is something to read, or its end, within the time. False also when a signal came.
bool await_readable(int fd, std::chrono::milliseconds at_most);

bool errno_is_eintr() noexcept;

/// Calls again while it fails with EINTR.
template <class Call>
auto retry_eintr(Call call) {
  decltype(call()) result;
  do {
    result = call();
  } while (result == -1 && errno_is_eintr());
  return result;
}

}  // namespace poolproof::sys
