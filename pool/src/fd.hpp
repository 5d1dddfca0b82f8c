#pragma once

#include <cstddef>
#include <string>
#include <utility>

namespace poolproof::detail {

/// Owns a descriptor. Every one that this library makes is close-on-exec from
/// birth.
class Fd {
 public:
  Fd() = default;
  explicit Fd(int fd) : fd_(fd) {}
  Fd(Fd&& other) noexcept : fd_(other.release()) {}
  Fd& operator=(Fd&& other) noexcept {
    if (this != &other) reset(other.release());
    return *this;
  }
  ~Fd() { reset(); }

  [[nodiscard]] int get() const { return fd_; }
  [[nodiscard]] bool valid() const { return fd_ >= 0; }
  int release() { return std::exchange(fd_, -1); }
  /// Closes once and never again: after EINTR the number may be somebody
  /// else's already.
  void reset(int fd = -1);

 private:
  int fd_ = -1;
};

/// The same descriptor with a number above 2. A main that was started with
/// 0-2 closed would otherwise get ours there, print into them, and put its own in their stead.
/// None stays none. Errors: std::system_error.
Fd off_stdio(Fd fd);
/// The same without exceptions: none if there is no number.
Fd off_stdio_or_none(Fd fd);

/// Whether this process may make a file of so many bytes: past RLIMIT_FSIZE the kernel would send
/// SIGXFSZ.
bool may_have_size(std::size_t size);

/// "RLIMIT_FSIZE: 4096", for the text of an error.
std::string limit_in_words(const char* name, int resource);

/// Throws std::system_error for errno, read first. `what`: what was being
/// done.
[[noreturn]] void throw_errno(const char* what);

}  // namespace poolproof::detail
