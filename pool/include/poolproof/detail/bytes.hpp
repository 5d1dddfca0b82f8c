#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace poolproof::detail {

class PayloadFile;

/// What crosses between main and a worker as one payload, while it is written and afterwards: bytes
/// that are appended, then read, and owned by one holder at a time. Large ones are written straight
/// into a file in memory, which the other process reads in place: nobody keeps a copy. Where no
/// such file can be had (no descriptor left, a limit on the size of files) they stay in ordinary
/// memory. Thread: any one at a time; several may `read` what was received.
class Bytes {
 public:
  Bytes() = default;
  explicit Bytes(std::string text) : text_(std::move(text)) {}
  Bytes(Bytes&&) noexcept = default;
  Bytes& operator=(Bytes&&) noexcept = default;
  Bytes(const Bytes&) = delete;
  Bytes& operator=(const Bytes&) = delete;
  ~Bytes() = default;

  /// Errors: std::bad_alloc, std::length_error.
  void append(const char* data, std::size_t size) {
    if (size > kLargestInMemory - text_.size()) return append_large(data, size);
    text_.append(data, size);
  }
  void push_back(char byte) { append(&byte, 1); }

  [[nodiscard]] std::size_t size() const { return text_.size() + (file_ ? size_of_file() : 0); }
  /// All of it in memory. Errors: std::bad_alloc.
  [[nodiscard]] std::string_view view() const { return file_ ? view_of_file() : text_; }

  /// Whether it is so large that `view` would be as good as a copy; then rather `read`.
  [[nodiscard]] bool far() const { return file_ && file_is_far(); }
  /// Copies what lies at `offset`, or what there is of it; only if `far`. Errors: std::bad_alloc.
  std::size_t read(std::size_t offset, char* to, std::size_t size) const;

  /// Empty again; a little memory may be kept for the next payload.
  void clear();

  /// A file with these bytes, for sending; remains ours. May be asked for again. Not to be appended
  /// to any more.
  /// Errors: std::system_error if there is no descriptor, no memory, or a limit in the way.
  PayloadFile& file_to_send();

  /// In a forked child, of what is the parent's to send: closes the file, touches nothing else. Not
  /// to be used or destroyed any more. Async-signal-safe.
  void abandon() const;

  /// Takes a file that was received; null: std::bad_alloc.
  static Bytes of_received(PayloadFile* file);

 private:
  struct Closer {
    void operator()(PayloadFile* file) const;
  };

  /// What is larger than that has a file, if one can be had.
  static constexpr std::size_t kLargestInMemory = std::size_t{16} << 10;

  void append_large(const char* data, std::size_t size);
  [[nodiscard]] std::string_view view_of_file() const;
  [[nodiscard]] std::size_t size_of_file() const;
  [[nodiscard]] bool file_is_far() const;
  bool flush() const;
  void take_into_memory() const;

  // What has been appended last is not in the file yet.
  mutable std::string text_;
  mutable std::unique_ptr<PayloadFile, Closer> file_;
};

}  // namespace poolproof::detail
