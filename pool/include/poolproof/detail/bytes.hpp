#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

namespace poolproof::detail {

/// What crosses between main and a worker as one payload, while it is written and afterwards: bytes
/// that are appended, then read, and owned by one holder at a time. Thread: any one at a time.
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
  void append(const char* data, std::size_t size) { text_.append(data, size); }
  void push_back(char byte) { text_.push_back(byte); }

  [[nodiscard]] std::size_t size() const { return text_.size(); }
  [[nodiscard]] std::string_view view() const { return text_; }

  /// Empty again; what it had allocated may be kept for the next payload.
  void clear();

 private:
  std::string text_;
};

}  // namespace poolproof::detail
