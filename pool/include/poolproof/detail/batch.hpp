#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <poolproof/detail/bytes.hpp>
#include <string_view>
#include <vector>

/// Several calls in one message, each with an outcome of its own: what `imap`
/// sends. Numbers stand behind what they are about, since they are known later.
namespace poolproof::detail::batch {

/// Behind the arguments of several calls: where those of each but the last end, and how many they
/// are. So one whose arguments cannot be read does not spoil those of the next.
inline void append_ends(Bytes& arguments, const std::vector<std::uint64_t>& ends) {
  const std::uint64_t count = ends.size();
  if (count > 1) {
    arguments.append(reinterpret_cast<const char*>(ends.data()), (count - 1) * sizeof count);
  }
  arguments.append(reinterpret_cast<const char*>(&count), sizeof count);
}
inline std::uint64_t count_in(std::string_view arguments) {
  std::uint64_t count = 0;
  std::memcpy(&count, arguments.data() + arguments.size() - sizeof count, sizeof count);
  return count;
}

/// The arguments of call `index` of `count`, and what comes behind them.
inline std::string_view arguments_from(std::string_view arguments, std::uint64_t index,
                                       std::uint64_t count) {
  if (index == 0) return arguments;
  std::uint64_t begin = 0;
  const char* const behind = arguments.data() + arguments.size();
  std::memcpy(&begin, behind - (count + 1 - index) * sizeof begin, sizeof begin);
  return arguments.substr(begin);
}

/// Behind all outcomes: for each where it ends, and whether it is an error.
struct Mark {
  std::uint64_t end = 0;
  std::uint64_t failed = 0;
};

/// One outcome: an encoded value, or an encoded error and who had it.
struct Item {
  std::string_view bytes;
  bool failed = false;
};

/// Outcome `index` of `count`.
inline Item item(std::string_view result, std::size_t index, std::size_t count) {
  const std::size_t marks = result.size() - count * sizeof(Mark);
  const auto mark = [&](std::size_t at) {
    Mark found;
    std::memcpy(&found, result.data() + marks + at * sizeof(Mark), sizeof found);
    return found;
  };
  const std::size_t begin = index == 0 ? 0 : mark(index - 1).end;
  return {result.substr(begin, mark(index).end - begin), mark(index).failed != 0};
}

/// Writes outcomes. Thread: any one at a time.
class Writer {
 public:
  /// count: how many there will be.
  Writer(Bytes& result, std::uint64_t count) : result_(result), alone_(count == 1) {}

  /// Calls `write(bytes)` for one outcome; what it throws becomes the outcome.
  template <class Write>
  void add(Write write) {
    // One alone is written in place: it may be large.
    Bytes& bytes = alone_ ? result_ : scratch_;
    bytes.clear();
    bool failed = false;
    try {
      write(bytes);
    } catch (...) {
      failed = true;
      take_failure(bytes);
    }
    if (!alone_) result_.append(bytes.view().data(), bytes.size());
    const Mark mark{result_.size(), failed};
    marks_.append(reinterpret_cast<const char*>(&mark), sizeof mark);
  }

  void finish() { result_.append(marks_.view().data(), marks_.size()); }

 private:
  /// Of the exception being handled, with this process's pid.
  static void take_failure(Bytes& bytes);

  Bytes& result_;
  const bool alone_;
  Bytes scratch_;
  Bytes marks_;
};

/// Throws the error that an outcome is.
[[noreturn]] void throw_item(std::string_view bytes);

}  // namespace poolproof::detail::batch
