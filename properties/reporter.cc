#include "properties/reporter.h"

#include <fmt/format.h>

#include "properties/held.h"
#include "properties/regressions.h"
#include "properties/report.h"

namespace poolproof::properties {

void Reporter::on_finding(const Finding& finding) {
  const auto stacks = stacks_for(finding);
  if (auto saved = results_.save(finding, stacks); !saved)
    troubles_.push_back(saved.error().message());
  if (!options_.keep_in.empty() && is_worth_keeping(finding)) {
    const auto is_new = keep_regression(options_.keep_in, finding);
    if (!is_new) {
      troubles_.push_back(is_new.error().message());
    } else if (*is_new) {
      kept_.push_back(regression_name(finding));
    }
  }
  if (options_.json || (finding.is_known() && !options_.known_too)) return;
  console_.print(report_finding(finding, results_.again(finding.folder), console_));
}

void Reporter::on_case(const Pool& pool, int number) {
  const auto now = Clock::now();
  if (now - shown_ < std::chrono::milliseconds(200)) return;
  shown_ = now;
  console_.progress(fmt::format("{}: case {}", pool.label(), number));
}

void Reporter::on_shrinking(const Pool& pool, const Rule& rule) {
  console_.progress(
      fmt::format("{}: {} {}: looking for a simpler case", pool.label(), rule.id, rule.name));
}

void Reporter::keep(const LimitReached& limit) {
  if (auto saved = results_.save(limit); !saved) troubles_.push_back(saved.error().message());
}

/// Of hangs that nobody knows yet.
std::string Reporter::stacks_for(const Finding& finding) {
  const bool hangs = finding.trace.end == harness::End::kAtRest;
  if (!hangs || finding.is_known() || !finding.same_as.empty()) return "";
  console_.progress(fmt::format("{}: taking stacks", finding.pool->label()));
  return stacks_of(*finding.pool, finding.simplest.scenario, options_.case_options);
}

}  // namespace poolproof::properties
