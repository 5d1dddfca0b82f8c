#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <initializer_list>
#include <iterator>
#include <memory>
#include <poolproof/child_info.hpp>
#include <poolproof/detail/bytes.hpp>
#include <poolproof/detail/event.hpp>
#include <poolproof/detail/task.hpp>
#include <poolproof/errors.hpp>
#include <poolproof/future.hpp>
#include <poolproof/options.hpp>
#include <type_traits>
#include <utility>
#include <vector>

namespace poolproof {

namespace detail {
class Core;
}

/// What a pool takes: tasks while running, nothing once closed or terminated.
/// There is no state for "joined", as in multiprocessing.
enum class PoolState { running, closed, terminated };

/// A pool of worker processes, as Python's multiprocessing.Pool.
///
/// Workers are daemons: they never keep main from exiting, and they die with
/// main whatever it dies of. A task that kills its worker fails alone, with
/// WorkerDied; the worker is replaced. The object is owned by the process that
/// made it and can be used from any of its threads; neither copied nor moved,
/// since other threads may be inside a call.
///
/// In a forked child every call throws WrongProcess and the destructor does
/// nothing.
class Pool {
 public:
  /// Starts all workers; all or none.
  /// Errors: std::invalid_argument (workers < 1), ThreadsPresent,
  /// std::system_error (no process, descriptor or thread to be had).
  explicit Pool(PoolOptions options);
  Pool() : Pool(PoolOptions{}) {}

  /// terminate and join, as leaving Python's `with` does.
  ~Pool();

  Pool(const Pool&) = delete;
  Pool& operator=(const Pool&) = delete;

  /// Runs `F(args...)` in a worker and waits for it. Arguments are converted
  /// to F's parameter types and copied to the worker.
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

  /// Submits `F(args...)` and returns at once. An argument that cannot be
  /// serialized is an error of the future, not of this call.
  /// Errors: PoolNotRunning, WrongProcess.
  template <auto F, class... Args>
  auto apply_async(const Args&... args) {
    return submit<detail::FixedFunction<F>>(args...);
  }
  template <class F, class... Args>
  auto apply_async(F, const Args&... args) {
    detail::refuse_captures<F>();
    return submit<F>(args...);
  }

  /// `F` of every item, results in the order of the items; nothing for a
  /// function without result. Items travel in chunks of `chunk_size`;
  /// 0: about four chunks for each worker, ceil(n / (4 * size())).
  /// Waits for all chunks, then throws the error of the first chunk (by
  /// position) that failed, as multiprocessing does; within a chunk the items
  /// after a failed one are not run.
  /// Errors: PoolNotRunning, WrongProcess; those of Future::get.
  template <auto F, class Range>
  auto map(const Range& items, std::size_t chunk_size = 0) {
    return map_items<detail::FixedFunction<F>>(items, chunk_size);
  }
  template <auto F, class Item>
  auto map(std::initializer_list<Item> items, std::size_t chunk_size = 0) {
    return map_items<detail::FixedFunction<F>>(items, chunk_size);
  }
  template <class F, class Range>
  auto map(F, const Range& items, std::size_t chunk_size = 0) {
    detail::refuse_captures<F>();
    return map_items<F>(items, chunk_size);
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

  /// The number of workers asked for. Errors: WrongProcess.
  [[nodiscard]] std::size_t size() const;
  /// Errors: WrongProcess.
  [[nodiscard]] PoolState state() const;

 private:
  using Result = std::shared_ptr<detail::ResultState>;

  template <class Callable, class... Args>
  auto submit(const Args&... args) {
    using Call = detail::CallFor<Callable, Args...>;
    using Future = poolproof::Future<typename Call::Result>;
    require_running();
    std::vector<detail::Bytes> payload;
    try {
      payload.push_back(Call::encode(args...));
    } catch (...) {
      return Future(failed(std::current_exception()));
    }
    return Future(accept(&Call::run, std::move(payload)).front());
  }

  template <class Callable, class Range>
  auto map_items(const Range& items, std::size_t chunk_size) {
    using Item = std::decay_t<decltype(*std::begin(items))>;
    using Call = detail::CallFor<Callable, Item>;
    require_running();
    const auto count = static_cast<std::size_t>(std::distance(std::begin(items), std::end(items)));
    const std::size_t chunk = chunk_size ? chunk_size : detail::default_chunk_size(count, size());
    const std::vector<Result> results =
        accept(&Call::run_chunk, encode_chunks<Call, Item>(items, count, chunk));
    for (const Result& result : results) result->wait_until(detail::kNever);
    return decode_chunks<typename Call::Result>(results, count, chunk);
  }

  template <class Call, class Item, class Range>
  static std::vector<detail::Bytes> encode_chunks(const Range& items, std::size_t count,
                                                  std::size_t chunk) {
    std::vector<detail::Bytes> payloads;
    auto item = std::begin(items);
    for (std::size_t done = 0; done < count; done += chunk) {
      const std::uint64_t size = std::min(chunk, count - done);
      detail::Encoder encoder(payloads.emplace_back());
      encoder(size);
      for (std::uint64_t i = 0; i < size; ++i, ++item) {
        Call::encode_items(encoder, static_cast<const Item&>(*item));
      }
    }
    return payloads;
  }

  template <class R>
  static auto decode_chunks(const std::vector<Result>& results, std::size_t count,
                            std::size_t chunk) {
    if constexpr (std::is_void_v<R>) {
      for (const Result& result : results) {
        static_cast<void>(result->value(detail::kNever));
      }
    } else {
      std::vector<R> values;
      values.reserve(count);
      for (const Result& result : results) {
        detail::Decoder decoder(result->value(detail::kNever));
        const std::size_t size = std::min(chunk, count - values.size());
        for (std::size_t i = 0; i < size; ++i) {
          R value{};
          decoder(value);
          values.push_back(std::move(value));
        }
      }
      return values;
    }
  }

  void require_running() const;
  [[nodiscard]] static Result failed(std::exception_ptr error);
  [[nodiscard]] std::vector<Result> accept(detail::Invoke invoke,
                                           std::vector<detail::Bytes> payloads);
  bool join_until(detail::Deadline deadline);

  std::unique_ptr<detail::Core> core_;
};

}  // namespace poolproof
