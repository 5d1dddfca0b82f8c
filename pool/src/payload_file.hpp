#pragma once

#include <cstddef>
#include <memory>
#include <string_view>

#include "fd.hpp"

namespace poolproof::detail {

/// A large payload in a memfd: written through a mapping that grows, sealed, sent, mapped for
/// reading by who receives it. Thread: any one at a time.
class PayloadFile {
 public:
  /// For writing. Null where none can be had: no descriptor (a process keeps a bounded number of
  /// them for payloads that wait), no memory, RLIMIT_FSIZE.
  static std::unique_ptr<PayloadFile> create(std::size_t capacity);
  /// For reading. Null without memory to map it.
  /// Errors: std::invalid_argument if it is shorter, or could be made so.
  static std::unique_ptr<PayloadFile> open(Fd file, std::size_t size);

  ~PayloadFile();
  PayloadFile(const PayloadFile&) = delete;
  PayloadFile& operator=(const PayloadFile&) = delete;

  /// False if it cannot grow; then it is as it was.
  bool append(const char* data, std::size_t size);
  [[nodiscard]] std::string_view view() const { return {at_, size_}; }

  /// Ends the writing: nobody can change the file, and it is unmapped here. The descriptor, or -1
  /// with errno. Repeatable.
  int seal();

 private:
  PayloadFile() = default;
  bool reserve(std::size_t capacity);
  void unmap();

  Fd file_;
  char* at_ = nullptr;
  std::size_t size_ = 0;
  std::size_t mapped_ = 0;
  bool counted_ = false;
  bool sealed_ = false;
};

}  // namespace poolproof::detail
