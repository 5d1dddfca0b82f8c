#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <list>
#include <memory>
#include <poolproof/child_info.hpp>
#include <poolproof/detail/result_state.hpp>
#include <poolproof/detail/task.hpp>
#include <poolproof/exit_status.hpp>
#include <poolproof/options.hpp>
#include <poolproof/statistics.hpp>
#include <string>
#include <vector>

#include "channel.hpp"
#include "fd.hpp"
#include "wire.hpp"

namespace poolproof::detail {

/// One message to a worker, kept until its outcome is known. Without a result: it has failed
/// already.
struct Task {
  std::uint64_t number = 0;
  std::uint64_t function = 0;  ///< as Crew::name_of names it
  Bytes payload;
  std::shared_ptr<ResultState> result;
  std::chrono::nanoseconds limit{0};  ///< how long it may run; 0: without end

  void set_holder(std::uint32_t slot) const {
    if (result) result->set_holder(slot);
  }
};

/// Why a slot is empty; decides when it is filled again.
enum class Vacancy {
  after_work,    ///< it had come as far as to take tasks: at once
  failed_start,  ///< it had not, whatever ended it: later and later
};

/// A place for one worker; workers come and go in it.
struct Slot {
  enum class Life {
    vacant,    ///< nobody; `hire_at` says when to try again
    starting,  ///< commanded, not yet confirmed
    alive,
  };
  Life life = Life::vacant;
  pid_t pid = 0;
  std::string name;
  std::uint64_t serial = 0;
  Fd pidfd;
  Channel channel;
  std::list<Task> in_hands;  ///< given to it and not answered, the oldest first
  std::size_t given = 0;     ///< tasks that this worker was given
  std::chrono::steady_clock::time_point busy_since{};  ///< given something when it had nothing
  bool initialising = false;  ///< what it has in hands is the pool's initializer
  bool leaving = false;       ///< it was told to quit, or killed
  bool never_came = false;    ///< it was killed, since it did not come to `init` in time
  bool listed_idle = false;   ///< the dispatch's notes, see hands.cc
  bool listed_busy = false;
  bool caller_asleep = false;  ///< a caller sleeps for its next answer, see fetching.cc
  int failures = 0;            ///< starts in a row that came to nothing, see Crew::vacate
  std::chrono::steady_clock::time_point failing_since{};
  std::chrono::steady_clock::time_point hire_at{};
  std::chrono::steady_clock::time_point hired_at{};

  /// Lets a caller who sleeps for the worker's next answer look again.
  void rouse_caller() const;
};

/// The processes of a pool as main sees them: the supervisor, and a slot for
/// each worker. Starts, counts and ends them; knows nothing of futures or
/// states. Thread: guarded by the pool's lock, but the constructor.
class Crew {
 public:
  /// Starts nothing yet. Errors: std::system_error.
  Crew(std::size_t workers, StartMethod method, Containment containment);
  /// Ends what is left, by hanging up.
  ~Crew();
  Crew(const Crew&) = delete;
  Crew& operator=(const Crew&) = delete;

  /// For fork hooks: closes main's ends, in a forked child.
  void abandon_in_child();

  /// Starts the supervisor and has it start all workers. Separate from
  /// construction, so that the fork hooks know the crew already. If it throws,
  /// the destructor ends what was started.
  /// force: also if the fork server has threads.
  /// Errors: std::system_error, InitMissing, ThreadsPresent, ContainmentRefused.
  void start(bool force);

  /// How the workers know this function. Errors: Error if they can't.
  [[nodiscard]] std::uint64_t name_of(Invoke function) const;

  [[nodiscard]] std::vector<Slot>& slots() { return slots_; }
  [[nodiscard]] const std::vector<Slot>& slots() const { return slots_; }
  [[nodiscard]] std::size_t size() const { return slots_.size(); }

  /// growth.cc: more slots, vacant ones, up to room().
  void grow(std::size_t workers);
  [[nodiscard]] std::size_t room() const;
  /// How many are there, and have not been told to leave.
  [[nodiscard]] std::size_t staying() const;
  /// How many were asked for, and have not come yet.
  [[nodiscard]] std::size_t coming() const;
  /// How many more are to be hired for so many workers: the first so many vacant slots are theirs.
  /// Who leaves is there until it has gone.
  [[nodiscard]] std::size_t missing(std::size_t workers) const;
  /// Whether this process may have what so many workers take beyond what it has, as far as that can
  /// be known. Processes cannot: their limit is the user's, everywhere.
  /// Errors: std::system_error with the limit in its text.
  void require_means_for(std::size_t workers) const;
  /// The same for a pool that is still to be made.
  static void require_means_to_begin_with(std::size_t workers);

  [[nodiscard]] int control() const { return control_.get(); }
  /// Becomes readable at the supervisor's end; -1 if there was no descriptor for it. The socket
  /// alone does not tell: who was forked while the pool was made may hold a copy of the other end.
  [[nodiscard]] int supervisor() const { return supervisor_pidfd_.get(); }

  /// Commands a worker for a vacant slot. A failure postpones it.
  void hire(std::size_t slot);
  /// When that is to be done. Where several starts have failed one is tried at a time: what one
  /// lacks the others lack, too.
  [[nodiscard]] std::chrono::steady_clock::time_point due(std::size_t slot) const;
  /// How many more may be commanded now: with the others still unanswered, a command to end must
  /// find room on the socket.
  [[nodiscard]] std::size_t hires_left() const;

  /// Takes one report of the supervisor, and makes the slot alive if it says
  /// `started`. False when there is none. supervisor_lost() afterwards tells whether there will be
  /// no more.
  bool take_report(Report& report, bool wait);
  [[nodiscard]] bool supervisor_lost() const { return lost_; }
  /// Of one that is lost, before `bury`, for a text: "the pool's supervisor died: signal 9
  /// (Killed)", without the cause if that is not to be had.
  [[nodiscard]] std::string supervisor_fate() const;

  /// After `fork_failed`, and after `died` once its channel has been read
  /// out: empties the slot and says when to fill it again. Counts failed starts in a row, between
  /// which no worker of any slot was started and got ready: so a program that cannot start is told
  /// from workers that somebody kills now and then.
  void vacate(std::size_t slot, Vacancy why);
  /// Whether there is no worker in any slot, and for so long has been none that could work.
  [[nodiscard]] bool deserted_for(std::chrono::steady_clock::duration time) const;

  /// Whether the slot's worker has begun the oldest task in its hands, and when it
  /// began that, or the last item of it.
  [[nodiscard]] bool had_started(std::size_t slot);
  [[nodiscard]] std::chrono::steady_clock::time_point began(std::size_t slot) const;

  /// Ends the workers: `drain` waits for them to leave, `terminate` signals.
  void stop(Command::Kind how, std::chrono::milliseconds patience);

  /// Has a worker leave that has no task in its hands; nothing more may be sent to it.
  void dismiss(std::size_t slot);

  void kill_worker(std::size_t slot);
  /// For a supervisor that does not answer.
  void kill_supervisor();

  /// The supervisor has gone, or is going: makes sure that no worker is left,
  /// reaps the supervisor, closes all descriptors.
  void bury();

  [[nodiscard]] std::vector<ChildInfo> living() const;

  /// statistics.cc: of those that live, and of those that do no longer.
  [[nodiscard]] PoolStatistics statistics();

 private:
  void await_supervisor(bool force);
  /// in_time: it was gone before its time was over.
  [[noreturn]] void supervisor_never_came(bool in_time);
  [[nodiscard]] WorkerStatistics statistics_of(std::size_t slot) const;
  void add_departed(std::size_t slot);
  void hire_all();
  int send_spawn(std::size_t slot);
  void welcome(const Report& report, int pidfd);
  [[nodiscard]] bool supervisor_gone(int wait_ms) const;
  void note_failure(Slot& slot);
  [[nodiscard]] bool any_ready_since(std::chrono::steady_clock::time_point time) const;
  static void close_channel(Slot& slot);

  const pid_t owner_;
  const StartMethod method_;
  const Containment containment_;
  const std::size_t beginning_;  // so many workers from the start on
  std::vector<Slot> slots_;
  PoolStatistics::Totals departed_;
  std::chrono::steady_clock::time_point last_departed_hire_{};  // of those that had got ready
  std::chrono::steady_clock::time_point last_departure_{};      // likewise
  std::chrono::steady_clock::time_point next_try_{};  // of a slot whose last start has failed
  Fd control_;
  pid_t supervisor_ = 0;
  Fd supervisor_pidfd_;
  bool lost_ = false;
};

/// How a worker ended, from the supervisor's words.
ExitStatus status_of(const Report& report);

}  // namespace poolproof::detail
