#include <poolproof/detail/stream.hpp>
#include <poolproof/errors.hpp>
#include <stdexcept>

#include "core.hpp"

namespace poolproof::detail {
namespace {

constexpr std::size_t kChunksPerWorker = 4;

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
  refill();
}

Stream::~Stream() = default;

void Stream::refill() {
  while (!input_ended_ && in_flight_ < window_) {
    Source::Portion portion = source_->take(options_.chunk_size);
    if (portion.error) {
      enter({failed(portion.error), 1});
    } else if (portion.count > 0) {
      submit(std::move(portion));
    } else {
      input_ended_ = true;
    }
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
  refill();
  if (index_ + 1 < current_.count) {
    ++index_;
  } else {
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
