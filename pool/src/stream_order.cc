#include <list>
#include <mutex>
#include <poolproof/detail/event.hpp>
#include <poolproof/detail/stream.hpp>

#include "core.hpp"

// In which order a stream gives its results.
namespace poolproof::detail {

/// Entries whose results are there, in the order in which they came. Shared with
/// those that are still to come, which may outlive the stream.
class Stream::Arrivals {
 public:
  /// One that is to come; its place in the list is made beforehand, because
  /// arriving must not fail.
  class Expected final : public Completion {
   public:
    Expected(std::shared_ptr<Arrivals> arrivals, Entry entry) : arrivals_(std::move(arrivals)) {
      place_.push_back(std::move(entry));
    }
    void completed() noexcept override {
      {
        const std::lock_guard lock(arrivals_->mutex_);
        arrivals_->entries_.splice(arrivals_->entries_.end(), place_);
      }
      arrivals_->arrived_.raise();
    }

   private:
    std::shared_ptr<Arrivals> arrivals_;
    std::list<Entry> place_;
  };

  /// False if there is none before `deadline`.
  bool await(Deadline deadline) {
    for (;;) {
      const std::uint32_t seen = arrived_.count();
      {
        const std::lock_guard lock(mutex_);
        if (!entries_.empty()) return true;
      }
      if (!arrived_.wait_until(seen, deadline)) return false;
    }
  }

  /// The first of those that are there.
  Entry take() {
    const std::lock_guard lock(mutex_);
    Entry entry = std::move(entries_.front());
    entries_.pop_front();
    return entry;
  }

 private:
  std::mutex mutex_;
  std::list<Entry> entries_;
  Signal arrived_;
};

void Stream::enter(Entry entry) {
  if (order_ == Order::of_input) {
    entries_.push_back(std::move(entry));
  } else {
    if (!arrivals_) arrivals_ = std::make_shared<Arrivals>();
    const Result result = entry.result;
    result->on_completion(std::make_unique<Arrivals::Expected>(arrivals_, std::move(entry)));
  }
  ++in_flight_;  // now: what found no memory has not entered
}

bool Stream::next_comes(Deadline deadline) const {
  return order_ == Order::of_completion ? arrivals_->await(deadline)
                                        : entries_.front().result->wait_until(deadline);
}

bool Stream::take_next(Deadline deadline) {
  if (!next_comes(deadline)) return false;
  if (order_ == Order::of_completion) {
    current_ = arrivals_->take();
  } else {
    current_ = std::move(entries_.front());
    entries_.pop_front();
  }
  return true;
}

}  // namespace poolproof::detail
