#pragma once

#include <pthread.h>

#include <atomic>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <poolproof/detail/event.hpp>
#include <poolproof/detail/result_state.hpp>
#include <poolproof/pool.hpp>
#include <string>
#include <vector>

#include "at_fork.hpp"
#include "callbacks.hpp"
#include "crew.hpp"

namespace poolproof::detail {

/// A pool behind its public face: queue, state, crew, and the dispatcher, the
/// one thread that the library runs in main. Owned by its Pool, which joins
/// the dispatcher before it goes.
///
/// One lock guards everything but what is said to be const or atomic. It is
/// never held while a user's code runs, and results are completed outside it.
class Core final : public ForkAware {
 public:
  /// Starts nothing yet. Errors: std::invalid_argument, InitMissing, std::system_error.
  explicit Core(const PoolOptions& options);
  ~Core();
  Core(const Core&) = delete;
  Core& operator=(const Core&) = delete;

  /// Starts all processes and the dispatcher, or throws; then the destructor ends what there is.
  /// Errors: ThreadsPresent, std::system_error.
  void start();

  // What Pool offers; contracts there. From any thread.
  void require_own_process() const;
  void require_running();
  std::vector<Result> submit(Invoke invoke, std::vector<Bytes> payloads,
                             std::optional<std::chrono::nanoseconds> time_limit);
  bool cancel(Results results);
  void close();
  void terminate();
  bool join(Deadline deadline);
  void call_back(Results results, std::function<void()> call);
  std::vector<ChildInfo> active_children();
  std::size_t size();
  void resize(int workers);
  PoolStatistics statistics();
  Containment containment();
  PoolState state();

  [[nodiscard]] bool is_foreign() const { return owner_ != ProcessIdentity::here(); }

  void before_fork() override;
  void after_fork_in_parent() override;
  void after_fork_in_child() override;

 private:
  /// Results to be completed once the lock is released.
  class Completions;
  struct Watched;

  void start_dispatcher();
  void join_dispatcher();
  static void* dispatcher_entry(void* self);
  void wake_dispatcher();

  // Dispatcher; the second group with the lock held.
  void run_dispatcher();
  void wait_for_something(Watched& watched);

  void collect_watched(Watched& watched);
  [[nodiscard]] int next_timeout();
  void serve(const Watched& watched, Completions& done);
  void serve_slot(std::size_t slot, short events, Completions& done);
  void read_results(std::size_t slot, Completions& done);
  void take_reports(Completions& done);
  void on_death(const Report& report, Completions& done);

  // limits.cc; with the lock held.
  [[nodiscard]] Deadline next_task_due();
  [[nodiscard]] Deadline due(std::size_t slot);
  void kill_overdue_tasks(Completions& done);
  void drop_cancelled();
  /// Kills the worker that holds the task, if one does.
  void abandon(const Result& result);

  // initializer.cc; with the lock held. A worker that has just been started runs the initializer,
  // as a task without a result, before it is given any other.
  void prepare(std::size_t slot);
  void on_initialised(std::size_t slot, const Frame& answer, Completions& done);
  void on_initializer_death(const Report& report, Completions& done);

  void fill_vacancies(Completions& done);
  void stop_when_drained();
  void kill_when_overdue();
  /// Gives queued tasks to idle workers. True if the dispatcher has to know of
  /// it: one could not be written in full, or has a time limit.
  bool dispatch();
  bool give(Slot& slot, Task task);
  [[nodiscard]] bool can_take(const Slot& slot) const;
  void dismiss_if_spent(std::size_t slot);
  [[nodiscard]] bool is_surplus(std::size_t slot) const { return slot >= target_; }

  void stop(Command::Kind how);
  /// Fate: outcome::Dropped or outcome::Broken.
  template <class Fate>
  void fail_all(const Fate& fate, Completions& done);
  void break_down(const std::string& why, Completions& done);

  const PoolOptions options_;
  const StartMethod method_;
  const ProcessIdentity owner_ = ProcessIdentity::here();

  std::mutex mutex_;
  PoolState state_ = PoolState::running;
  std::optional<std::string> broken_;  // why, if the pool broke down
  std::deque<Task> queue_;
  std::uint64_t last_task_ = 0;
  Crew crew_;
  std::atomic<std::size_t> target_;  // so many of its slots are to be filled
  Fd wake_;
  bool stopping_ = false;     // the crew was told to leave ...
  bool terminating_ = false;  // ... and not to wait for anything
  Deadline overdue_ = kNever;

  Callbacks callbacks_;
  Event ended_;  // every process is gone and every descriptor closed

  std::mutex thread_mutex_;
  pthread_t thread_{};
  std::atomic<pid_t> thread_id_{0};
  bool thread_joined_ = true;
};

}  // namespace poolproof::detail
