#pragma once

#include <atomic>
#include <memory>
#include <utility>

namespace poolproof::detail {

/// What is to happen once when a result is there. Owned by the list that it
/// was added to, which destroys it afterwards.
class Completion {
 public:
  Completion() = default;
  virtual ~Completion() = default;
  Completion(const Completion&) = delete;
  Completion& operator=(const Completion&) = delete;

  /// In whatever thread the result came, with no lock of the pool's held. Must
  /// be brief and may not run a user's code.
  virtual void completed() noexcept = 0;

 private:
  friend class CompletionList;
  Completion* next_ = nullptr;
};

/// Those that wait for one event. Thread safe without a lock: a result can be
/// looked at in a forked child, where whoever held one is not there to give it
/// back.
class CompletionList {
 public:
  CompletionList() = default;
  ~CompletionList() {
    if (head_.load() != closed()) destroy(head_.load());
  }
  CompletionList(const CompletionList&) = delete;
  CompletionList& operator=(const CompletionList&) = delete;

  /// Exactly one of the two calls of completed() happens: here, if run() was
  /// called already, or there.
  void add(std::unique_ptr<Completion> completion) {
    Completion* head = head_.load(std::memory_order_acquire);
    while (head != closed()) {
      completion->next_ = head;
      if (head_.compare_exchange_weak(head, completion.get(), std::memory_order_acq_rel)) {
        static_cast<void>(completion.release());
        return;
      }
    }
    completion->completed();
  }

  /// In the order in which they were added. Once.
  void run() noexcept {
    Completion* reversed = nullptr;
    Completion* head = head_.exchange(closed(), std::memory_order_acq_rel);
    while (head) {
      Completion* const next = std::exchange(head->next_, reversed);
      reversed = std::exchange(head, next);
    }
    while (reversed) {
      const std::unique_ptr<Completion> first(std::exchange(reversed, reversed->next_));
      first->completed();
    }
  }

 private:
  /// Stands for "it has happened": an address that no Completion can have.
  Completion* closed() const {
    return reinterpret_cast<Completion*>(const_cast<std::atomic<Completion*>*>(&head_));
  }

  static void destroy(Completion* head) {
    while (head) {
      const std::unique_ptr<Completion> first(std::exchange(head, head->next_));
    }
  }

  std::atomic<Completion*> head_{nullptr};
};

}  // namespace poolproof::detail
