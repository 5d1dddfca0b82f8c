#include "properties/desk.h"

#include <algorithm>
#include <cstdlib>

#include "properties/model.h"

namespace poolproof::properties {
namespace {

/// How long Ctrl-C may go unnoticed.
constexpr std::chrono::milliseconds kSlice{100};

double time_scale() {
  const char* text = std::getenv("POOLPROOF_TIME_SCALE");
  const double scale = text == nullptr ? 1.0 : std::strtod(text, nullptr);
  return scale > 0.0 ? std::clamp(scale, 0.1, 100.0) : 1.0;
}

}  // namespace

CaseOptions CaseOptions::of_environment() {
  CaseOptions options;
  options.time_scale = properties::time_scale();
  return options;
}

std::chrono::milliseconds CaseOptions::fuse_here() const {
  return std::chrono::duration_cast<std::chrono::milliseconds>(fuse * time_scale);
}

harness::Settings Desk::settings(const Pool& pool) const {
  harness::Settings settings;
  settings.grace = options_.grace.value_or(pool.contract.grace);
  settings.fuse = options_.fuse;
  return settings;
}

std::uint64_t Desk::submit(const Pool& pool, const harness::Scenario& scenario) {
  const auto id = ++last_id_;
  sent_[id] = {&pool, scenario};
  runner_.submit({.id = id,
                  .command = pool.command,
                  .scenario = scenario,
                  .settings = settings(pool),
                  .prompt_steps = prompt_steps(scenario, pool.contract),
                  .waiting_steps = waiting_steps(scenario, pool.contract),
                  .hold = options_.hold});
  return id;
}

std::optional<Ran> Desk::next(Clock::time_point deadline) {
  if (kept_.empty()) return receive(deadline);
  auto ran = std::move(kept_.front());
  kept_.pop_front();
  return ran;
}

std::optional<Ran> Desk::next_of(const std::set<std::uint64_t>& ids, Clock::time_point deadline) {
  const auto kept = std::find_if(kept_.begin(), kept_.end(),
                                 [&](const Ran& ran) { return ids.contains(ran.id); });
  if (kept != kept_.end()) {
    auto ran = std::move(*kept);
    kept_.erase(kept);
    return ran;
  }
  while (auto ran = receive(deadline)) {
    if (ids.contains(ran->id)) return ran;
    kept_.push_back(std::move(*ran));
  }
  return std::nullopt;
}

void Desk::forget(std::uint64_t id) {
  sent_.erase(id);
  std::erase_if(kept_, [&](const Ran& ran) { return ran.id == id; });
}

void Desk::forget_all() {
  sent_.clear();
  kept_.clear();
  runner_.cancel_all();
}

std::set<std::uint64_t> Desk::under_way() const {
  std::set<std::uint64_t> ids;
  for (const auto id : runner_.under_way()) {
    if (sent_.contains(id)) ids.insert(id);
  }
  return ids;
}

std::optional<Ran> Desk::receive(Clock::time_point deadline) {
  while (!stopped() && runner_.pending() > 0) {
    const auto now = Clock::now();
    auto finished = runner_.next(std::min(deadline, now + kSlice));
    if (!finished) {
      if (Clock::now() >= deadline) return std::nullopt;
      continue;
    }
    const auto sent = sent_.find(finished->id);
    if (sent == sent_.end()) continue;
    Ran ran{finished->id, sent->second.pool, std::move(sent->second.scenario),
            std::move(finished->trace)};
    sent_.erase(sent);
    return ran;
  }
  return std::nullopt;
}

}  // namespace poolproof::properties
