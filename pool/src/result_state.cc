#include <poolproof/detail/result_state.hpp>
#include <poolproof/errors.hpp>
#include <utility>

#include <poolproof/detail/failure.hpp>

namespace poolproof::detail {
namespace {

/// Throws what the outcome stands for; a value is handed out. Each call throws an object of its
/// own: threads that wait for the same result share nothing.
struct Open {
  const Bytes& operator()(const outcome::Value& value) const { return value.encoded; }
  const Bytes& operator()(const outcome::Failure& failure) const {
    throw_failure(failure.encoded.view(), failure.worker);
  }
  const Bytes& operator()(const outcome::Died& died) const {
    throw WorkerDied(died.worker, died.status);
  }
  const Bytes& operator()(const outcome::Dropped&) const {
    throw Terminated("the pool was terminated before this result came");
  }
  const Bytes& operator()(const outcome::Cancelled&) const {
    throw Cancelled("the task was cancelled");
  }
  const Bytes& operator()(const outcome::Overdue& overdue) const {
    throw TimeLimitExceeded(overdue.worker, overdue.limit);
  }
  const Bytes& operator()(const outcome::Broken& broken) const { throw PoolBroken(broken.why); }
  const Bytes& operator()(const outcome::Unsent& unsent) const {
    std::rethrow_exception(unsent.error);
  }
  const Bytes& operator()(const outcome::Pending&) const {  // not after the wait
    throw ResultNotReady("result is not ready");
  }
};

}  // namespace

void ResultState::complete(Outcome outcome) {
  outcome_ = std::move(outcome);
  done_.set();
  completions_.run();
}

bool ResultState::successful() const {
  if (!ready()) throw ResultNotReady("result is not ready");
  return std::holds_alternative<outcome::Value>(outcome_);
}

bool ResultState::wait_until(Deadline deadline) {
  if (done_.is_set()) return true;
  if (owner_ != ProcessIdentity::here()) {
    throw WrongProcess("this result belongs to process " + std::to_string(owner_.pid) +
                       " and never comes here");
  }
  if (const std::shared_ptr<Fetcher> fetcher = fetcher_.lock()) fetcher->fetch(*this, deadline);
  return done_.wait_until(deadline);
}

const Bytes& ResultState::value(Deadline deadline) {
  if (!wait_until(deadline)) throw TimeoutError("result not ready in time");
  return std::visit(Open(), outcome_);
}

}  // namespace poolproof::detail
