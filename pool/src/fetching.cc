#include <poll.h>
#include <sched.h>

#include <algorithm>
#include <array>
#include <new>
#include <utility>

#include "completions.hpp"
#include "core.hpp"

// Who reads the workers' answers. One who attends looks at all of them, so that no worker needs to
// ring: a caller who waits for a result, best of all, since then no other thread stands between; or
// the dispatcher, after it was rung. When nobody does, workers ring the dispatcher; but a worker
// for whose answer a caller has gone to sleep rings that caller.
namespace poolproof::detail {
namespace {

using Clock = std::chrono::steady_clock;

/// Looks at the wanted worker between two at all of them.
constexpr int kLooks = 32;
/// Rounds in vain after which the processor is offered to others.
constexpr int kRoundsBeforeYield = 4;
/// How often the dispatcher looks in vain before it sleeps until it is rung.
constexpr int kDispatchersRounds = 7;
/// How long it rests between two looks, and how often that doubles, where others read the answers.
constexpr std::chrono::nanoseconds kNap{50'000};
constexpr int kLongestNap = 2;
/// And how long at most before it looks after all else.
constexpr std::chrono::milliseconds kDispatchersMost{10};

}  // namespace

/// From now on the dispatcher is rung, unless it looks by itself; what came before is read here.
void Core::hand_over(Completions& done) {
  attend(dispatcher_awake_ ? Attending::dispatcher : Attending::nobody);
  if (read_all_answers(done)) dispatch(done);
}

bool Core::read_all_answers(Completions& done) {
  bool any = false;
  for (std::size_t i = 0; i < busy_.size();) {
    Slot& slot = crew_.slots()[busy_[i]];
    if (!slot.caller_asleep) any |= read_answers(busy_[i], done);
    if (slot.in_hands.empty()) {
      slot.listed_busy = false;
      busy_[i] = busy_.back();
      busy_.pop_back();
    } else {
      ++i;
    }
  }
  // Only the dispatcher ends the crew of a closed pool.
  if (any && state_ != PoolState::running) ring_dispatcher();
  return any;
}

/// The dispatcher's: reads until for a while there is nothing, unless a caller does; stays as long
/// as tasks wait for one worker that another could do.
void Core::attend_for_a_while(std::unique_lock<std::mutex>& lock, Completions& done) {
  dispatcher_awake_ = true;
  dispatcher_called_ = false;
  if (attending_ == Attending::nobody) attend(Attending::dispatcher);
  const auto end = Clock::now() + kDispatchersMost;
  std::uint64_t seen = submissions_;
  int in_vain = 0;  // nothing came to us
  int quiet = 0;    // nor to others
  for (;;) {
    const bool any = attending_ == Attending::dispatcher && read_all_answers(done);
    if (any || ahead_ > 0) dispatch(done);
    in_vain = any ? 0 : in_vain + 1;
    quiet = any || std::exchange(seen, submissions_) != submissions_ ? 0 : quiet + 1;
    const int rounds = state_ == PoolState::running ? kDispatchersRounds : 1;
    if (stopping_ || (quiet > rounds && !somebody_could_help())) break;
    lock.unlock();
    done.deliver();
    bool news = Clock::now() >= end;
    if (in_vain < kRoundsBeforeYield) {
      ::sched_yield();
    } else {
      news |= news_within(kNap * (1 << std::min(in_vain - kRoundsBeforeYield, kLongestNap)));
    }
    lock.lock();
    if (news) break;
  }
  dispatcher_awake_ = false;
  if (!stopping_ && somebody_could_help()) call_dispatcher();
  if (attending_ == Attending::dispatcher) hand_over(done);
}

/// Whether there is something to do for the dispatcher other than to read answers.
bool Core::news_within(std::chrono::nanoseconds time) const {
  std::array<pollfd, 2> watched{{{wake_.get(), POLLIN, 0}, {crew_.control(), POLLIN, 0}}};
  const timespec limit{0, static_cast<long>(time.count())};
  return ::ppoll(watched.data(), watched.size(), &limit, nullptr) != 0;
}

void Core::fetch(ResultState& wanted, Deadline deadline) {
  Completions done(undelivered_);
  std::unique_lock lock(mutex_);
  auto since = Clock::now();
  Clock::duration asleep{};
  while (!wanted.ready()) {
    try {
      if (attending_ != Attending::caller) {
        attend_for(wanted, deadline, since, lock, done);
        lock.unlock();
        done.deliver();
        lock.lock();
        if (wanted.ready()) break;
      }
      const auto lay_down = Clock::now();
      const bool going_on = sleep_for(wanted, deadline, lock, done);
      asleep += Clock::now() - lay_down;
      if (!going_on) break;
    } catch (const std::bad_alloc&) {  // the dispatcher tries again
      ring_dispatcher();
      break;
    }
  }
  if (asleep.count() == 0) {
    spinning_.paid();
  } else {
    spinning_.slept(Clock::now() - since, asleep);
  }
  lock.unlock();
  done.deliver();
}

/// Reads all answers until there is the wanted one, or none at all for a while.
/// since: when there was one last.
void Core::attend_for(ResultState& wanted, Deadline deadline, Clock::time_point& since,
                      std::unique_lock<std::mutex>& lock, Completions& done) {
  attend(Attending::caller);
  const auto budget = processors_ > 1 ? spinning_.budget() : SpinBudget::Duration{0};
  int in_vain = 0;
  for (;;) {
    bool any = false;
    try {
      any = read_all_answers(done);
      if (any) dispatch(done);
    } catch (...) {  // or nobody would read answers any more
      attend(dispatcher_awake_ ? Attending::dispatcher : Attending::nobody);
      throw;
    }
    const Lookout lookout = lookout_for(wanted);
    lock.unlock();
    done.deliver();
    const auto now = Clock::now();
    if (any) since = now;
    in_vain = any ? 0 : in_vain + 1;
    const bool finished = wanted.ready() || now >= deadline || now - since >= budget;
    if (!finished) look_out(lookout, in_vain);
    lock.lock();
    if (finished) break;
  }
  hand_over(done);
}

/// Where the wanted answer will be, for a look without the lock.
Core::Lookout Core::lookout_for(const ResultState& wanted) {
  const std::uint32_t holder = wanted.holder();
  if (holder == ResultState::kNobody) return {};
  const Channel& channel = crew_.slots()[holder].channel;
  if (!channel.open()) return {};
  return {channel.memory(), channel.read_position()};
}

void Core::look_out(const Lookout& lookout, int in_vain) {
  if (in_vain > kRoundsBeforeYield) ::sched_yield();
  for (int i = 0; i < kLooks; ++i) {
    if (lookout.memory && ResultReader::is_past(lookout.memory->ring(), lookout.position)) return;
    pause_briefly();
  }
}

/// Sleeps until the worker that has the wanted task in hands gives an answer, and reads it. False
/// if it is for others to bring the result.
bool Core::sleep_for(ResultState& wanted, Deadline deadline, std::unique_lock<std::mutex>& lock,
                     Completions& done) {
  const std::uint32_t index = wanted.holder();
  if (index == ResultState::kNobody || crew_.slots()[index].caller_asleep ||
      !crew_.slots()[index].channel.listening()) {
    return false;
  }
  crew_.slots()[index].caller_asleep = true;
  const std::shared_ptr<RingMemory> memory = crew_.slots()[index].channel.memory();
  const std::uint32_t seen = crew_.slots()[index].channel.arm(Rest::futex);
  bool in_time = true;
  if (!crew_.slots()[index].channel.available()) {
    lock.unlock();
    in_time = Sleeper::sleep(memory->ring().for_results, seen, deadline);
    lock.lock();
  }
  Slot& slot = crew_.slots()[index];
  if (slot.channel.open() && slot.channel.memory() == memory) {  // else it has died meanwhile
    slot.caller_asleep = false;
    await_answers(slot);
    if (read_answers(index, done)) dispatch(done);
    if (state_ != PoolState::running) ring_dispatcher();
  }
  lock.unlock();
  done.deliver();
  lock.lock();
  return in_time;
}

}  // namespace poolproof::detail
