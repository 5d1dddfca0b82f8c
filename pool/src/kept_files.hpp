#pragma once

#include <cstddef>
#include <memory>

namespace poolproof::detail {

class PayloadFile;

/// Files of payloads gone by, a few for each process, for the next ones: a page that is there
/// already is filled in a tenth of the time that a fresh one takes. Only while somebody uses them:
/// a pool, or a worker. Thread safe, without a lock, since a fork beside threads would leave it
/// held.
class KeptFiles {
 public:
  /// What is larger is not kept.
  static constexpr std::size_t kLargest = std::size_t{4} << 20;

  /// As long as it lives, files are kept; the last one's end lets go of them.
  class User {
   public:
    User();
    ~User();
    User(const User&) = delete;
    User& operator=(const User&) = delete;
  };

  /// Null if there is none. One that was lent comes when it is back.
  static std::unique_ptr<PayloadFile> take();
  /// Destroys it if it is not to be kept.
  static void keep(std::unique_ptr<PayloadFile> file);
  /// Gives their memory back to the system, also that of their other holders' mappings.
  static void let_go();
  /// They are the parent's. Async-signal-safe.
  static void forget_in_child();
};

}  // namespace poolproof::detail
