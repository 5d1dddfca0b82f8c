#include "core.hpp"

#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <new>
#include <stdexcept>
#include <system_error>
#include <utility>

#include "completions.hpp"
#include "reexec.hpp"
#include "state.hpp"
#include "threads.hpp"

namespace poolproof::detail {
namespace {

std::size_t checked_workers(const PoolOptions& options) {
  const int workers = options.workers.value_or(usable_processors());
  if (workers < 1) {
    throw std::invalid_argument("number of workers must be at least 1");
  }
  const auto count = static_cast<std::size_t>(workers);
  Crew::require_means_to_begin_with(count);
  return count;
}

PoolOptions checked(PoolOptions options) {
  if (options.tasks_per_worker.value_or(1) < 1) {
    throw std::invalid_argument("tasks_per_worker must be at least 1");
  }
  require_time_limit(options.time_limit);
  // An enum may have any number, as one that was read from a file has.
  switch (options.start_method.value_or(StartMethod::fork)) {
    case StartMethod::fork:
    case StartMethod::forkserver:
    case StartMethod::spawn:
      break;
    default:
      throw std::invalid_argument("start_method must be fork, forkserver or spawn");
  }
  switch (options.containment) {
    case Containment::supervisor:
    case Containment::pid_namespace:
      break;
    default:
      throw std::invalid_argument("containment must be supervisor or pid_namespace");
  }
  return options;
}

StartMethod chosen_method(const PoolOptions& options) {
  const StartMethod by_default = reexec::possible() ? StartMethod::forkserver : StartMethod::fork;
  const StartMethod method = options.start_method.value_or(by_default);
  const bool is_copy = reexec::is_unfinished_copy();
  if (is_copy) {
    throw InitMissing(
        "a pool was made in a copy of this program that a start method has started, before it came "
        "to poolproof::init: make `poolproof::init(argc, argv);` the first line of main, and no "
        "pool in a static object outside of functions");
  }
  if (method != StartMethod::fork && !reexec::possible()) {
    throw InitMissing(std::string("start method ") + to_string(method) +
                      " starts this program again: make `poolproof::init(argc, argv);` the first "
                      "line of main, so that the copy knows what it is (in a program whose main is "
                      "another's, `poolproof::init();` from a GoogleTest environment, say)");
  }
  return method;
}

}  // namespace

void require_time_limit(std::optional<std::chrono::nanoseconds> limit) {
  if (limit && limit->count() <= 0) throw std::invalid_argument("a time limit must be positive");
}

Core::Core(PoolOptions options)
    : options_(checked(std::move(options))),
      method_(chosen_method(options_)),
      crew_(checked_workers(options_), method_, options_.containment),
      callbacks_(options_.on_callback_error) {
  idle_.reserve(crew_.room());
  busy_.reserve(crew_.room());
  spinning_workers_.reserve(static_cast<std::size_t>(processors_));
  wake_ = off_stdio(Fd(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)));
  if (!wake_.valid()) throw_errno("poolproof: eventfd");
  // Known to the fork hooks before our own fork: it is they that close main's
  // ends in the supervisor.
  ForkRegistry::instance().add(*this);
}

void Core::start() {
  const bool force = options_.force_fork_with_threads;
  if (method_ == StartMethod::fork && !force && other_threads_present()) {
    throw ThreadsPresent(
        "start method fork in a process with threads: the workers would inherit locks that nobody "
        "releases (a callback of a future starts one, too); create the pool first, make "
        "`poolproof::init(argc, argv);` the first line of main, so that forkserver is the default, "
        "or set force_fork_with_threads");
  }
  // The thread comes after all processes: none of them is a copy of a process in which it ran.
  crew_.start(force);
  target_ = crew_.size();
  for (std::size_t i = crew_.size(); i-- > 0;) prepare(i);
  start_dispatcher();
}

void Core::require_running() {
  require_own_process();
  const std::lock_guard lock(mutex_);
  if (broken_) throw PoolBroken(*broken_);
  state::require_submittable(state_);
}

std::vector<Result> Core::submit(Invoke invoke, std::vector<Bytes> payloads,
                                 std::optional<std::chrono::nanoseconds> time_limit) {
  require_time_limit(time_limit);
  const std::chrono::nanoseconds limit =
      time_limit.value_or(options_.time_limit.value_or(std::chrono::nanoseconds(0)));
  std::vector<Result> results;
  results.reserve(payloads.size());
  for (std::size_t i = 0; i < payloads.size(); ++i) {
    results.push_back(std::make_shared<ResultState>(owner_, weak_from_this()));
  }
  require_own_process();
  const std::uint64_t function = crew_.name_of(invoke);
  Completions done(undelivered_);
  {
    const std::lock_guard lock(mutex_);
    if (broken_) throw PoolBroken(*broken_);
    state::require_submittable(state_);
    std::list<Task> tasks;  // all or none: memory may run out
    for (std::size_t i = 0; i < payloads.size(); ++i) {
      tasks.push_back({++last_task_, function, std::move(payloads[i]), results[i], limit});
    }
    queue_.splice(queue_.end(), tasks);
    ++submissions_;
    try {
      // The caller hands them to workers itself: one wake-up less.
      look_at_last(done);
      dispatch(done);
    } catch (const std::bad_alloc&) {  // they are accepted all the same
      ring_dispatcher();
    }
  }
  done.deliver();
  return results;
}

void Core::close() {
  require_own_process();
  {
    const std::lock_guard lock(mutex_);
    state_ = state::after_close(state_);
  }
  wake_dispatcher();  // there may be nothing to wait for
}

void Core::call_back(Results results, std::function<void()> call) {
  require_own_process();
  callbacks_.add(results, std::move(call));
}

std::vector<ChildInfo> Core::active_children() {
  require_own_process();
  const std::lock_guard lock(mutex_);
  return crew_.living();
}

std::size_t Core::size() {
  require_own_process();
  return target_;
}

Containment Core::containment() {
  require_own_process();
  return options_.containment;
}

PoolState Core::state() {
  require_own_process();
  const std::lock_guard lock(mutex_);
  return state_;
}

template <class Fate>
void Core::fail_all(const Fate& fate, Completions& done) {
  for (Slot& slot : crew_.slots()) {
    for (Task& task : slot.in_hands) {
      if (!task.result) continue;
      task.result->set_holder(ResultState::kNobody);
      done.add(task.result, fate);  // a copy: without memory it is tried again
      task.result.reset();
    }
    // Who sleeps for an answer shall not wait for the worker.
    slot.rouse_caller();
  }
  for (Task& task : queue_) {
    if (task.result) done.add(task.result, fate);
  }
  queue_.clear();
}
template void Core::fail_all(const outcome::Dropped&, Completions&);
template void Core::fail_all(const outcome::Broken&, Completions&);

void Core::before_fork() {
  mutex_.lock();
}

void Core::after_fork_in_parent() {
  mutex_.unlock();
}

void Core::after_fork_in_child() {
  crew_.abandon_in_child();
  for (const Task& task : queue_) task.payload.abandon();
  wake_.reset();
  mutex_.unlock();
}

}  // namespace poolproof::detail
