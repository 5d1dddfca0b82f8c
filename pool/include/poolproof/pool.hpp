#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <iterator>
#include <memory>
#include <optional>
#include <poolproof/child_info.hpp>
#include <poolproof/detail/bytes.hpp>
#include <poolproof/detail/event.hpp>
#include <poolproof/detail/items.hpp>
#include <poolproof/detail/task.hpp>
#include <poolproof/errors.hpp>
#include <poolproof/future.hpp>
#include <poolproof/init.hpp>
#include <poolproof/options.hpp>
#include <poolproof/register_error.hpp>
#include <poolproof/statistics.hpp>
#include <poolproof/stream.hpp>
#include <type_traits>
#include <utility>
#include <vector>

namespace poolproof {

/// What a pool takes: tasks while running, nothing once closed or terminated.
/// There is no state for "joined", as in multiprocessing.
enum class PoolState { running, closed, terminated };

/// A pool of worker processes, as Python's multiprocessing.Pool.
///
/// Workers are daemons: they never keep main from exiting, and they die with
/// main whatever it dies of. A task that kills its worker fails alone, with
/// WorkerDied; the worker is replaced. The object is owned by the process that
/// made it and can be used from any of its threads; neither copied nor moved,
/// since other threads may be inside a call: what is to move holds a
/// std::unique_ptr<Pool>, what is to begin later a std::optional<Pool>
/// (`emplace(PoolOptions{.workers = 2})`). No static object outside of a
/// function, in a program that calls `init`: it would be made before.
///
/// In a forked child every call throws WrongProcess and the destructor does
/// nothing.
class Pool {
 public:
  /// Starts all workers; all or none.
  /// Errors: std::invalid_argument (workers or tasks_per_worker < 1, a time limit of nothing, no
  /// such start method or containment),
  /// ThreadsPresent, InitMissing, ContainmentRefused, Error (/proc/self/exe is another program),
  /// std::system_error (no process, descriptor or thread to be had), std::bad_alloc. Unlike
  /// `resize` it has no greatest number of workers; more than this process can have are refused as
  /// there, before anything is started.
  explicit Pool(PoolOptions options);
  Pool() : Pool(PoolOptions{}) {}

  /// terminate and join, as leaving Python's `with` does.
  ~Pool();

  Pool(const Pool&) = delete;
  Pool& operator=(const Pool&) = delete;

  /// Runs `F(args...)` in a worker and waits for it. Arguments are converted
  /// to F's parameter types, as in a call, and copied to the worker; those with
  /// a default are given, too. `F` may be a member function (the object is the
  /// first argument), or one of a template: `apply<f<int>>`. Of an overload set
  /// take a lambda: `apply([](int x) { return f(x); }, 7)`.
  /// Errors: PoolNotRunning, WrongProcess; those of Future::get.
  template <auto F, class... Args>
  auto apply(const Args&... args) {
    return apply_async<F>(args...).get();
  }
  /// The same for a lambda without captures, or another empty functor.
  template <class F, class... Args>
  auto apply(F callable, const Args&... args) {
    return apply_async(callable, args...).get();
  }
  /// As above, with what can be said about a task: `apply<f>({.time_limit = 2s}, 7)`.
  /// Errors: also std::invalid_argument for the options.
  template <auto F, class... Args>
  auto apply(const TaskOptions& options, const Args&... args) {
    return apply_async<F>(options, args...).get();
  }
  template <class F, class... Args>
  auto apply(const TaskOptions& options, F callable, const Args&... args) {
    return apply_async(options, callable, args...).get();
  }

  /// Submits `F(args...)` and returns at once. An argument that cannot be
  /// serialized is an error of the future, not of this call.
  /// Errors: PoolNotRunning, WrongProcess; std::invalid_argument for the options.
  template <auto F, class... Args>
  auto apply_async(const Args&... args) {
    return submit<detail::FixedFunction<F>>(TaskOptions{}, args...);
  }
  template <class F, class... Args>
  auto apply_async(F, const Args&... args) {
    detail::refuse_captures<F>();
    return submit<F>(TaskOptions{}, args...);
  }
  template <auto F, class... Args>
  auto apply_async(const TaskOptions& options, const Args&... args) {
    return submit<detail::FixedFunction<F>>(options, args...);
  }
  template <class F, class... Args>
  auto apply_async(const TaskOptions& options, F, const Args&... args) {
    detail::refuse_captures<F>();
    return submit<F>(options, args...);
  }

  /// `F` of every item, results in the order of the items; nothing for a
  /// function without result. Items travel in chunks of `chunk_size`;
  /// 0: about four chunks for each worker, ceil(n / (4 * size())). Any range
  /// will do, also one that can be gone through but once, and a list in braces
  /// where the function names its parameters; an error that the range throws is
  /// this call's, before anything is submitted.
  /// Waits for all chunks, then throws the error of the first chunk (by
  /// position) that failed, as multiprocessing does; within a chunk the items
  /// after a failed one are not run.
  /// Errors: PoolNotRunning, WrongProcess; std::invalid_argument for a negative
  /// chunk size; those of Future::get.
  template <auto F, class Range = detail::ListOfItems<detail::FixedFunction<F>>>
  auto map(Range&& items, std::size_t chunk_size = 0) {
    return map_async<F>(items, {.chunk_size = chunk_size}).get();
  }
  template <class F, class Range = detail::ListOfItems<F>>
  auto map(F callable, Range&& items, std::size_t chunk_size = 0) {
    return map_async(callable, items, {.chunk_size = chunk_size}).get();
  }
  /// As above, with all that can be said: `map<f>(items, {.time_limit = 2s})`.
  /// Errors: also std::invalid_argument for the options.
  template <auto F, class Range = detail::ListOfItems<detail::FixedFunction<F>>>
  auto map(Range&& items, const MapOptions& options) {
    return map_async<F>(items, options).get();
  }
  template <class F, class Range = detail::ListOfItems<F>>
  auto map(F callable, Range&& items, const MapOptions& options) {
    return map_async(callable, items, options).get();
  }

  /// As `map`, without waiting: a MapFuture, whose `get` gives all results.
  /// Errors: PoolNotRunning, WrongProcess; std::invalid_argument for the options.
  template <auto F, class Range = detail::ListOfItems<detail::FixedFunction<F>>>
  auto map_async(Range&& items, const MapOptions& options = {}) {
    return submit_all<detail::OneArgument, detail::FixedFunction<F>>(items, options);
  }
  template <class F, class Range = detail::ListOfItems<F>>
  auto map_async(F, Range&& items, const MapOptions& options = {}) {
    detail::refuse_captures<F>();
    return submit_all<detail::OneArgument, F>(items, options);
  }

  /// As `map`, for functions of several parameters: an item is a tuple, a pair
  /// or an array of arguments.
  template <auto F, class Range = detail::ListOfCalls<detail::FixedFunction<F>>>
  auto starmap(Range&& items, const MapOptions& options = {}) {
    return starmap_async<F>(items, options).get();
  }
  template <class F, class Range = detail::ListOfCalls<F>>
  auto starmap(F callable, Range&& items, const MapOptions& options = {}) {
    return starmap_async(callable, items, options).get();
  }
  template <auto F, class Range = detail::ListOfCalls<detail::FixedFunction<F>>>
  auto starmap_async(Range&& items, const MapOptions& options = {}) {
    return submit_all<detail::AllArguments, detail::FixedFunction<F>>(items, options);
  }
  template <class F, class Range = detail::ListOfCalls<F>>
  auto starmap_async(F, Range&& items, const MapOptions& options = {}) {
    detail::refuse_captures<F>();
    return submit_all<detail::AllArguments, F>(items, options);
  }

  /// `F` of every item, each result as it comes: in the order of the items, or
  /// (imap_unordered) in that of their completion. Returns at once. The input
  /// may be any range, a list in braces, or two iterators; it may have no end. It is taken bit by
  /// bit, in the thread that takes the results, and kept alive by its owner if
  /// it is an lvalue.
  /// Errors: PoolNotRunning, WrongProcess; std::invalid_argument for the options.
  template <auto F, class Range = detail::ListOfItems<detail::FixedFunction<F>>>
  auto imap(Range&& items, const StreamOptions& options = {}) {
    return stream_of<detail::FixedFunction<F>>(kOrdered, std::forward<Range>(items), options);
  }
  template <auto F, std::input_or_output_iterator Iterator, std::sentinel_for<Iterator> Sentinel>
  auto imap(Iterator first, Sentinel last, const StreamOptions& options = {}) {
    return stream_of<detail::FixedFunction<F>>(kOrdered, std::move(first), std::move(last),
                                               options);
  }
  template <class F, class Range = detail::ListOfItems<F>>
  auto imap(F, Range&& items, const StreamOptions& options = {}) {
    detail::refuse_captures<F>();
    return stream_of<F>(kOrdered, std::forward<Range>(items), options);
  }
  template <auto F, class Range = detail::ListOfItems<detail::FixedFunction<F>>>
  auto imap_unordered(Range&& items, const StreamOptions& options = {}) {
    return stream_of<detail::FixedFunction<F>>(kUnordered, std::forward<Range>(items), options);
  }
  template <auto F, std::input_or_output_iterator Iterator, std::sentinel_for<Iterator> Sentinel>
  auto imap_unordered(Iterator first, Sentinel last, const StreamOptions& options = {}) {
    return stream_of<detail::FixedFunction<F>>(kUnordered, std::move(first), std::move(last),
                                               options);
  }
  template <class F, class Range = detail::ListOfItems<F>>
  auto imap_unordered(F, Range&& items, const StreamOptions& options = {}) {
    detail::refuse_captures<F>();
    return stream_of<F>(kUnordered, std::forward<Range>(items), options);
  }

  /// Accepts nothing more; what was accepted still runs, then the workers
  /// leave. Returns at once; no-op if closed or terminated.
  /// Errors: WrongProcess.
  void close();

  /// Fails every pending result with Terminated at once, then ends the
  /// workers: SIGTERM, after `terminate_patience` SIGKILL. Returns when they
  /// are gone. Legal in every state, and repeatable.
  /// Errors: WrongProcess.
  void terminate();

  /// Waits until all work is done and every process and thread of the pool is
  /// gone and reaped. Repeatable, also from several threads.
  /// Errors: PoolStillRunning before close or terminate; WrongProcess.
  void join() { join_until(detail::kNever); }

  /// As above, but not for ever; true if the pool has ended in time.
  template <class Rep, class Period>
  [[nodiscard]] bool join(std::chrono::duration<Rep, Period> timeout) {
    return join_until(detail::deadline_after(timeout));
  }
  [[nodiscard]] bool join(std::chrono::steady_clock::time_point deadline) {
    return join_until(deadline);
  }

  /// The living workers, as the kernel has them at this moment.
  /// Errors: WrongProcess.
  [[nodiscard]] std::vector<ChildInfo> active_children() const;

  /// What is in force, which is what was asked for. Errors: WrongProcess.
  [[nodiscard]] Containment containment() const;

  /// The number of workers asked for. Errors: WrongProcess.
  [[nodiscard]] std::size_t size() const;

  /// Asks for another number of workers, and returns at once. As long as there are
  /// too many, whoever has nothing in hand leaves, and others, listed until then,
  /// get nothing more than what they have begun. Nothing is interrupted or lost.
  /// More than this process can have are refused, and all is as before: each
  /// takes two descriptors and some 140 kB of addresses. What cannot be known
  /// beforehand, such as how many processes the user may have, costs the pool
  /// none of its workers: it goes on with those that it has, and tries again,
  /// after a while once a second.
  /// Errors: std::invalid_argument for less than 1, or more than 1024 (or what
  /// the pool began with); std::system_error for what this process cannot have,
  /// with the limit in its text (RLIMIT_NOFILE: EMFILE, RLIMIT_AS: ENOMEM,
  /// RLIMIT_FSIZE: EFBIG); PoolNotRunning, WrongProcess.
  void resize(int workers);

  /// What each worker has done so far, and those that are gone together. Of an
  /// ended pool: the latter. Errors: WrongProcess.
  [[nodiscard]] PoolStatistics statistics() const;

  /// Errors: WrongProcess.
  [[nodiscard]] PoolState state() const;

 private:
  template <class Callable, class... Args>
  auto submit(const TaskOptions& options, const Args&... args) {
    using Call = detail::CallFor<Callable, Args...>;
    using Future = poolproof::Future<typename Call::Result>;
    require_running();
    std::vector<detail::Bytes> payload;
    try {
      payload.push_back(Call::encode(args...));
    } catch (...) {
      return Future(core_, detail::failed(std::current_exception()));
    }
    return Future(core_, accept(&Call::run, std::move(payload), options.time_limit).front());
  }

  template <template <class, class> class Encoding, class Callable, class Range>
  auto submit_all(Range& items, const MapOptions& options) {
    using Item = detail::ItemOf<Range>;
    using Encode = Encoding<Callable, Item>;
    using Call = typename Encode::Call;
    require_running();
    detail::require_chunk_size(options.chunk_size);
    if constexpr (detail::Countable<Range>) {
      const auto count =
          static_cast<std::size_t>(std::distance(std::begin(items), std::end(items)));
      const std::size_t chunk =
          options.chunk_size ? options.chunk_size : detail::default_chunk_size(count, size());
      return MapFuture<typename Call::Result>(
          core_,
          accept(&Call::run_chunk, detail::encode_chunks<Encode>(items, count, chunk),
                 options.time_limit),
          count, chunk);
    } else {
      const auto collected = detail::collect(items);
      return submit_all<Encoding, Callable>(collected, options);
    }
  }

  static constexpr auto kOrdered = detail::Stream::Order::of_input;
  static constexpr auto kUnordered = detail::Stream::Order::of_completion;

  template <class Callable, class Range>
  auto stream_of(detail::Stream::Order order, Range&& items, const StreamOptions& options) {
    return open_stream<Callable>(order, detail::RangeHolder<Range>{std::forward<Range>(items)},
                                 options);
  }
  template <class Callable, class Iterator, class Sentinel>
  auto stream_of(detail::Stream::Order order, Iterator first, Sentinel last,
                 const StreamOptions& options) {
    return open_stream<Callable>(
        order, detail::IteratorPair<Iterator, Sentinel>{std::move(first), std::move(last)},
        options);
  }
  template <class Callable, class Holder>
  auto open_stream(detail::Stream::Order order, Holder holder, const StreamOptions& options) {
    using Item = std::iter_value_t<decltype(holder.begin())>;
    using Call = detail::CallFor<Callable, Item>;
    using Source = detail::RangeSource<Callable, Holder>;
    return ResultStream<typename Call::Result>(std::make_unique<detail::Stream>(
        core_, &Call::run_each, std::make_unique<Source>(std::move(holder)), order, options));
  }

  void require_running() const;
  [[nodiscard]] std::vector<detail::Result> accept(
      detail::Invoke invoke, std::vector<detail::Bytes> payloads,
      std::optional<std::chrono::nanoseconds> time_limit);
  bool join_until(detail::Deadline deadline);

  std::shared_ptr<detail::Core> core_;
};

}  // namespace poolproof
