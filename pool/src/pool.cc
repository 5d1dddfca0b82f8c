#include <poolproof/pool.hpp>

#include "core.hpp"

namespace poolproof {

void Pool::close() {
  core_->close();
}

void Pool::terminate() {
  core_->terminate();
}

bool Pool::join_until(detail::Deadline deadline) {
  return core_->join(deadline);
}

std::vector<ChildInfo> Pool::active_children() const {
  return core_->active_children();
}

std::size_t Pool::size() const {
  return core_->size();
}

Containment Pool::containment() const {
  return core_->containment();
}

void Pool::resize(int workers) {
  core_->resize(workers);
}

PoolStatistics Pool::statistics() const {
  return core_->statistics();
}

PoolState Pool::state() const {
  return core_->state();
}

void Pool::require_running() const {
  core_->require_running();
}

std::vector<detail::Result> Pool::accept(detail::Invoke invoke, std::vector<detail::Bytes> payloads,
                                         std::optional<std::chrono::nanoseconds> time_limit) {
  return core_->submit(invoke, std::move(payloads), time_limit);
}

namespace detail {

Result failed(std::exception_ptr error) {
  auto result = std::make_shared<ResultState>();
  static_cast<void>(result->claim());
  result->complete(outcome::Unsent{std::move(error)});
  return result;
}

void call_back(Core& core, Results results, std::function<void()> call) {
  core.call_back(results, std::move(call));
}

bool cancel(Core& core, Results results) {
  return core.cancel(results);
}

}  // namespace detail

}  // namespace poolproof
