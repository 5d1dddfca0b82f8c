#pragma once

#include <pthread.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <list>
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
#include "kept_files.hpp"
#include "processors.hpp"
#include "spin.hpp"

namespace poolproof::detail {

/// Errors: std::invalid_argument.
void require_time_limit(std::optional<std::chrono::nanoseconds> limit);

/// A pool behind its public face: queue, state, crew, and the dispatcher, the
/// one thread that the library runs in main. Owned by its Pool, which joins
/// the dispatcher before it goes.
///
/// One lock guards everything but what is said to be const or atomic. It is
/// never held while a user's code runs, and results are completed outside it.
class Core final : public ForkAware, public Fetcher, public std::enable_shared_from_this<Core> {
 public:
  /// Starts nothing yet. Errors: std::invalid_argument, InitMissing, std::system_error.
  explicit Core(PoolOptions options);
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
  void fetch(ResultState& wanted, Deadline deadline) override;
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
  struct Rounds;

  void start_dispatcher();
  void join_dispatcher();
  static void* dispatcher_entry(void* rounds);
  void wake_dispatcher();

  // Dispatcher; the second group with the lock held.
  void run_dispatcher(Rounds& rounds);
  bool go_round(Watched& watched, Completions& done);
  void wait_for_something(Watched& watched);

  void collect_watched(Watched& watched);
  [[nodiscard]] int next_timeout();
  void serve(const Watched& watched, Completions& done);
  void take_reports(Completions& done);
  void take_in(const Report& report, Completions& done);

  // limits.cc; with the lock held.
  [[nodiscard]] Deadline next_task_due();
  [[nodiscard]] Deadline due(std::size_t slot);
  void kill_overdue_tasks(Completions& done);
  void drop_cancelled();
  /// Kills the worker that has begun the task, if one has.
  void abandon(const Result& result);
  void kill_for_its_task(std::size_t slot, const Result& result);

  // initializer.cc; with the lock held. A worker that has just been started runs the initializer,
  // as a task without a result, before it is given any other.
  void prepare(std::size_t slot);
  void on_initialised(std::size_t slot, const Frame& answer, Completions& done);
  void on_initializer_death(const Report& report, Completions& done);

  // deaths.cc; with the lock held.
  void on_death(const Report& report, Completions& done);
  void settle_hands(std::size_t slot, const Report& death, Completions& done);

  // hiring.cc; with the lock held.
  void vacate_after(const Report& death);
  void fill_vacancies(Completions& done);
  [[nodiscard]] std::string why_none_starts(const Slot& slot) const;
  [[nodiscard]] Deadline start_due(std::size_t slot) const;
  [[nodiscard]] Deadline next_start_due() const;
  void kill_overdue_starts();

  void dismiss_if_spent(std::size_t slot);
  /// Since it was resized: it has more workers than it is to have.
  [[nodiscard]] bool is_too_large() const { return shrinks_ && crew_.staying() > target_; }
  [[nodiscard]] std::size_t quota_left(std::size_t slot) const;
  void ring_dispatcher();

  // Which worker has which task: hands.cc.
  void dispatch(Completions& done);
  void note_idle(std::size_t slot);
  std::optional<std::size_t> take_idle();
  [[nodiscard]] bool can_take(std::size_t slot) const;
  [[nodiscard]] std::size_t room_of(std::size_t slot) const;
  void give(std::size_t slot, std::size_t most, Completions& done);
  void requeue_last(Slot& slot);
  bool give_one(std::size_t slot, std::list<Task>& from);
  void hand_out(std::size_t slot);
  void give_ahead(std::size_t share, Completions& done);
  [[nodiscard]] bool anybody_idle() const;
  void take_back_for_idle();
  void take_back(std::size_t slot, std::uint32_t most);
  void grant_spinning(std::size_t slot);

  // Whom it pays to wake: waking.cc; with the lock held.
  bool give_to_who_is_awake(Completions& done);
  [[nodiscard]] bool soon_done(std::size_t slot) const;
  [[nodiscard]] bool is_looking(std::size_t slot) const;
  void look_at_last(Completions& done);
  void call_dispatcher();
  [[nodiscard]] bool somebody_could_help() const { return ahead_ > 0 && anybody_idle(); }

  // answers.cc; with the lock held.
  bool read_answers(std::size_t slot, Completions& done);
  [[nodiscard]] bool must_arm_anew(const Slot& slot) const;
  void take_answer(std::size_t slot, Frame& frame, Completions& done);
  void distrust(std::size_t slot);

  // Whom workers ring: arming.cc; with the lock held.
  enum class Attending { nobody, dispatcher, caller };
  void attend(Attending who);
  void await_answers(Slot& slot);

  // Who reads the answers: fetching.cc.
  struct Lookout {
    std::shared_ptr<RingMemory> memory;
    std::uint64_t position = 0;
  };
  void hand_over(Completions& done);
  bool read_all_answers(Completions& done);
  void attend_for_a_while(std::unique_lock<std::mutex>& lock, Completions& done);
  [[nodiscard]] bool news_within(std::chrono::nanoseconds time) const;
  void attend_for(ResultState& wanted, Deadline deadline,
                  std::chrono::steady_clock::time_point& since, std::unique_lock<std::mutex>& lock,
                  Completions& done);
  Lookout lookout_for(const ResultState& wanted);
  static void look_out(const Lookout& lookout, int in_vain);
  bool sleep_for(ResultState& wanted, Deadline deadline, std::unique_lock<std::mutex>& lock,
                 Completions& done);

  // stopping.cc; with the lock held.
  void stop_when_drained();
  void stop(Command::Kind how);
  void kill_when_overdue();
  void break_down(const std::string& why, Completions& done);

  /// Fate: outcome::Dropped or outcome::Broken.
  template <class Fate>
  void fail_all(const Fate& fate, Completions& done);

  const PoolOptions options_;
  const StartMethod method_;
  const ProcessIdentity owner_ = ProcessIdentity::here();
  const int processors_ = usable_processors();

  std::mutex mutex_;
  PoolState state_ = PoolState::running;
  std::optional<std::string> broken_;  // why, if the pool broke down
  std::list<Task> queue_;
  Report last_failed_start_;   // who died last before it could take a task; pid 0: nobody has
  std::size_t cancelled_ = 0;  // at most so many tasks in the queue, if they are in it
  std::uint64_t last_task_ = 0;
  std::size_t ahead_ = 0;  // tasks in hands beyond the first of each worker
  bool full_ = false;      // nobody takes more until somebody has answered
  // These three have room for each slot, since memory may run out when one is noted.
  std::vector<std::size_t> idle_;  // slots, the last busy one last; perhaps more than are idle
  std::vector<std::size_t> busy_;  // slots; perhaps more than have something in hands
  std::size_t next_busy_ = 0;      // whose turn it is to get more
  std::size_t last_given_ = 0;     // the slot that was given something last
  std::uint64_t submissions_ = 0;
  bool dispatcher_awake_ = false;   // it looks at the workers again soon ...
  bool dispatcher_called_ = false;  // ... or has been rung for that
  std::vector<std::size_t> spinning_workers_;
  Attending attending_ = Attending::nobody;
  SpinBudget spinning_;  // of callers
  Crew crew_;
  std::optional<Report> untaken_;       // a report that has been received, and not taken in
  std::atomic<std::size_t> target_{0};  // so many of its slots are to be filled
  bool shrinks_ = false;                // there are more, or there will be
  Fd wake_;
  bool stopping_ = false;       // the crew was told to leave ...
  bool terminating_ = false;    // ... and not to wait for anything
  bool to_be_dropped_ = false;  // terminate lacked the memory to fail what is pending
  Deadline overdue_ = kNever;

  Callbacks callbacks_;
  std::atomic<int> undelivered_{0};  // Completions that some thread has yet to deliver
  Event ended_;                      // every process is gone and every descriptor closed

  std::mutex thread_mutex_;
  std::optional<KeptFiles::User> keeps_files_;  // while there are workers
  pthread_t thread_{};
  std::atomic<pid_t> thread_id_{0};
  bool thread_joined_ = true;
};

}  // namespace poolproof::detail
