#include <poolproof/detail/stream.hpp>
#include <poolproof/errors.hpp>
#include <stdexcept>

#include "core.hpp"

namespace poolproof::detail {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t kChunksPerWorker = 4;
/// A portion of the input that takes longer waits for somebody: what is ready should not.
constexpr std::chrono::milliseconds kSlowInput{1};

std::size_t window_of(const StreamOptions& options, std::size_t workers) {
  require_chunk_size(options.chunk_size);
  if (options.chunk_size == 0) throw std::invalid_argument("chunk_size must be at least 1");
  if (options.ahead == 0) return kChunksPerWorker * workers;
  return (options.ahead - 1) / options.chunk_size + 1;
}

}  // namespace

Stream::Stream(std::shared_ptr<Core> core, Invoke invoke, std::unique_ptr<Source> source,
               Order order, const StreamOptions& options)
    : core_(std::move(core)),
      invoke_(invoke),
      source_(std::move(source)),
      order_(order),
      options_(options),
      window_(window_of(options, core_->size())) {
  core_->require_running();
  require_time_limit(options.time_limit);
  while (has_room()) take_portion();
}

Stream::~Stream() = default;

bool Stream::has_room() const {
  return !input_ended_ && in_flight_ < window_;
}

void Stream::take_portion() {
  const Clock::time_point before = Clock::now();
  Source::Portion portion = source_->take(options_.chunk_size);
  input_is_slow_ = Clock::now() - before > kSlowInput;
  if (portion.error) {
    enter({failed(portion.error), 1});
  } else if (portion.count > 0) {
    submit(std::move(portion));
  } else {
    input_ended_ = true;
  }
}

/// Where the input is slow, only until there is something to hand out. After `deadline` takes one
/// portion, or else who only looks would never get anything.
void Stream::refill(Deadline deadline) {
  while (has_room()) {
    if (input_is_slow_ && in_flight_ > 0 && next_comes(Clock::now())) return;
    take_portion();
    if (deadline != kNever && Clock::now() >= deadline) return;
  }
}

void Stream::submit(Source::Portion portion) {
  std::vector<Bytes> payload;
  payload.push_back(std::move(portion.arguments));
  try {
    enter({core_->submit(invoke_, std::move(payload), options_.time_limit).front(), portion.count});
  } catch (...) {  // closed meanwhile: what has been taken already still comes
    input_ended_ = true;
    enter({failed(std::current_exception()), 1});
  }
}

bool Stream::advance(Deadline deadline) {
  core_->require_own_process();
  if (index_ + 1 < current_.count) {
    ++index_;
  } else {
    refill(deadline);
    if (in_flight_ == 0) {
      current_ = {};
      return false;
    }
    if (!take_next(deadline)) throw TimeoutError("the next result did not come in time");
    index_ = 0;
  }
  if (index_ + 1 == current_.count) --in_flight_;  // it is out
  return true;
}

std::string_view Stream::value() const {
  const std::string_view result = current_.result->value(kNever).view();
  const batch::Item item = batch::item(result, index_, current_.count);
  if (item.failed) batch::throw_item(item.bytes);
  return item.bytes;
}

}  // namespace poolproof::detail
