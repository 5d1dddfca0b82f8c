#pragma once

#include <sys/types.h>

#include <atomic>
#include <cstdint>
#include <exception>
#include <memory>
#include <poolproof/detail/bytes.hpp>
#include <poolproof/detail/completion.hpp>
#include <poolproof/detail/event.hpp>
#include <poolproof/exit_status.hpp>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

namespace poolproof::detail {

/// A process, told apart from those forked from it. The counter is stepped in
/// every forked child, the pid also catches raw clone(2).
struct ProcessIdentity {
  pid_t pid;
  std::uint64_t generation;
  static ProcessIdentity here();
  friend bool operator==(const ProcessIdentity&, const ProcessIdentity&) = default;
};

/// What can become of a task. Encoded parts are decoded by who asks for them,
/// because the pool's thread must never run a user's code.
namespace outcome {
struct Pending {};
struct Value {
  Bytes encoded;
};
struct Failure {  // the task threw
  Bytes encoded;
  pid_t worker;
};
struct Died {  // its worker did
  pid_t worker;
  ExitStatus status;
};
struct Dropped {};    // the pool was terminated
struct Cancelled {};  // its caller took it back
struct Overdue {      // it ran longer than it may
  pid_t worker;
  std::chrono::nanoseconds limit;
};
struct Broken {
  std::string why;
};
struct Unsent {  // its arguments could not be encoded
  std::exception_ptr error;
};
}  // namespace outcome
using Outcome = std::variant<outcome::Pending, outcome::Value, outcome::Failure, outcome::Died,
                             outcome::Dropped, outcome::Cancelled, outcome::Overdue,
                             outcome::Broken, outcome::Unsent>;

class ResultState;

/// Who can bring a result sooner when its waiter helps: the pool.
class Fetcher {
 public:
  /// Works until `wanted` is ready or `deadline` has come, or returns earlier if others bring it.
  /// Thread safe.
  virtual void fetch(ResultState& wanted, Deadline deadline) = 0;

 protected:
  ~Fetcher() = default;
};

/// What becomes of one submitted task. Shared by the caller's futures and the
/// pool; completed exactly once, by whoever claimed it. Reading is thread safe,
/// also in a forked child: it takes no lock.
class ResultState {
 public:
  /// One that nobody fetches.
  ResultState() : owner_(ProcessIdentity::here()) {}
  ResultState(ProcessIdentity owner, std::weak_ptr<Fetcher> fetcher)
      : owner_(owner), fetcher_(std::move(fetcher)) {}

  /// The right to complete it: true for the first who asks, and for nobody
  /// else. Thread safe.
  [[nodiscard]] bool claim() { return !claimed_.exchange(true, std::memory_order_relaxed); }
  [[nodiscard]] bool claimed() const { return claimed_.load(std::memory_order_relaxed); }

  void complete(Outcome outcome);

  /// Has `completion` run once the result is there: at once if it is.
  void on_completion(std::unique_ptr<Completion> completion) {
    completions_.add(std::move(completion));
  }

  [[nodiscard]] bool ready() const { return done_.is_set(); }
  /// Errors: ResultNotReady.
  [[nodiscard]] bool successful() const;
  /// Errors: WrongProcess in a forked child, where it would never come.
  bool wait_until(Deadline deadline);
  /// The encoded value. Errors: TimeoutError, WrongProcess, the task's own.
  [[nodiscard]] const Bytes& value(Deadline deadline);

  /// Which worker, by its slot, has the task in hands; guarded by the pool's lock.
  static constexpr std::uint32_t kNobody = ~std::uint32_t{0};
  [[nodiscard]] std::uint32_t holder() const { return holder_; }
  void set_holder(std::uint32_t holder) { holder_ = holder; }

 private:
  const ProcessIdentity owner_;
  const std::weak_ptr<Fetcher> fetcher_;
  std::uint32_t holder_ = kNobody;
  Outcome outcome_;
  std::atomic<bool> claimed_{false};
  Event done_;  // set last: publishes outcome_
  CompletionList completions_;
};

using Result = std::shared_ptr<ResultState>;

/// One that failed before it was sent.
Result failed(std::exception_ptr error);

}  // namespace poolproof::detail
