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
/// into a file in memory, which the other process maps: nobody copies them. Where no such file can
/// be had (no descriptor left, a limit on the size of files) they stay in ordinary memory.
/// Thread: any one at a time.
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
    if (file_ || size > kLargestInMemory - text_.size()) return append_large(data, size);
    text_.append(data, size);
  }
  void push_back(char byte) { append(&byte, 1); }

  [[nodiscard]] std::size_t size() const { return view().size(); }
  [[nodiscard]] std::string_view view() const { return file_ ? view_of_file() : text_; }

  /// Empty again; a little memory may be kept for the next payload.
  void clear();

  /// The descriptor of a sealed file with these bytes, for sending; remains ours. May be asked for
  /// again. Not to be appended to any more, nor viewed.
  /// Errors: std::system_error if there is no descriptor, no memory, or a limit in the way.
  int file_to_send();

  /// The first `size` bytes of a received file, which is checked: its sender cannot shrink it any
  /// more. Takes `file`. Errors: std::invalid_argument if it is not as it should be;
  /// std::bad_alloc.
  static Bytes of_received(int file, std::size_t size);

 private:
  struct Closer {
    void operator()(PayloadFile* file) const;
  };

  /// What is larger than that has a file, if one can be had.
  static constexpr std::size_t kLargestInMemory = std::size_t{16} << 10;

  void append_large(const char* data, std::size_t size);
  [[nodiscard]] std::string_view view_of_file() const;

  std::string text_;
  std::unique_ptr<PayloadFile, Closer> file_;
};

}  // namespace poolproof::detail
