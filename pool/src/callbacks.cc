#include "callbacks.hpp"

#include <sys/syscall.h>
#include <unistd.h>

#include <cstdio>
#include <system_error>
#include <utility>
#include <vector>

#include <poolproof/detail/failure.hpp>
#include "signals.hpp"
#include "threads.hpp"

namespace poolproof::detail {
namespace {

void print(const std::exception_ptr& error) noexcept {
  try {
    const std::string text = "poolproof: error in a callback: " + describe_error(error) + "\n";
    std::fputs(text.c_str(), stderr);
  } catch (...) {  // no memory: the line is lost, the pool is not
  }
}

}  // namespace

struct Callbacks::Callback {
  std::function<void()> call;
  std::atomic<std::size_t> awaited;
  std::shared_ptr<Callback> next;
};

/// One of the results that a callback waits for.
class Callbacks::Awaited final : public Completion {
 public:
  Awaited(Callbacks& where, std::shared_ptr<Callback> callback)
      : where_(where), callback_(std::move(callback)) {}

  void completed() noexcept override {
    if (callback_->awaited.fetch_sub(1) == 1) where_.post(callback_);
  }

 private:
  Callbacks& where_;
  std::shared_ptr<Callback> callback_;
};

void Callbacks::add(std::span<const std::shared_ptr<ResultState>> results,
                    std::function<void()> call) {
  require_thread();
  auto callback = std::make_shared<Callback>();
  callback->call = std::move(call);
  callback->awaited = results.size();
  if (results.empty()) return post(callback);
  std::vector<std::unique_ptr<Completion>> awaited;  // all or none: memory may run out
  for (std::size_t i = 0; i < results.size(); ++i) {
    awaited.push_back(std::make_unique<Awaited>(*this, callback));
  }
  for (std::size_t i = 0; i < results.size(); ++i) {
    results[i]->on_completion(std::move(awaited[i]));
  }
}

void Callbacks::require_thread() {
  const std::lock_guard lock(mutex_);
  if (started_ || finishing_) return;
  // A signal for main must find a thread of main's.
  const SignalsBlocked blocked;
  const int error = ::pthread_create(&thread_, nullptr, &Callbacks::thread_entry, this);
  if (error != 0) {
    throw std::system_error(error, std::system_category(), "poolproof: start the callback thread");
  }
  started_ = true;
}

void* Callbacks::thread_entry(void* self) {
  auto* callbacks = static_cast<Callbacks*>(self);
  callbacks->thread_id_ = static_cast<pid_t>(::syscall(SYS_gettid));
  callbacks->run();
  return nullptr;
}

void Callbacks::run() {
  for (;;) {
    const std::uint32_t seen = posted_.count();
    if (const std::shared_ptr<Callback> callback = next()) {
      call(*callback);
      continue;
    }
    {
      const std::lock_guard lock(mutex_);
      has_left_ = finishing_ && !first_;
      if (has_left_) break;
    }
    posted_.wait_until(seen, kNever);
  }
  gone_.set();
}

void Callbacks::post(const std::shared_ptr<Callback>& callback) noexcept {
  if (!enqueue(callback)) return call(*callback);  // nobody else is there for it
  posted_.raise();
}

bool Callbacks::enqueue(const std::shared_ptr<Callback>& callback) noexcept {
  const std::lock_guard lock(mutex_);
  if (finishing_ && (!started_ || has_left_)) return false;
  (last_ ? last_->next : first_) = callback;
  last_ = callback.get();
  return true;
}

std::shared_ptr<Callbacks::Callback> Callbacks::next() {
  const std::lock_guard lock(mutex_);
  std::shared_ptr<Callback> first = std::move(first_);
  if (first) first_ = std::move(first->next);
  if (!first_) last_ = nullptr;
  return first;
}

void Callbacks::call(Callback& callback) const noexcept {
  try {
    std::exchange(callback.call, nullptr)();
  } catch (...) {
    try {
      sink_ ? sink_(std::current_exception()) : print(std::current_exception());
    } catch (...) {  // one error is enough
    }
  }
}

bool Callbacks::on_own_thread() const {
  return thread_id_ == static_cast<pid_t>(::syscall(SYS_gettid));
}

bool Callbacks::finish(Deadline deadline) {
  if (on_own_thread()) return true;
  {
    const std::lock_guard lock(mutex_);
    finishing_ = true;
    if (!started_) return true;
  }
  posted_.raise();
  if (!gone_.wait_until(deadline)) return false;
  const std::lock_guard lock(joining_);
  if (joined_) return true;
  ::pthread_join(thread_, nullptr);
  await_thread_gone(thread_id_);
  joined_ = true;
  return true;
}

}  // namespace poolproof::detail
