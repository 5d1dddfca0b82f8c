#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "properties/campaign.h"
#include "properties/console.h"
#include "properties/results.h"

namespace poolproof::properties {

/// Prints and saves each finding as it is made, and shows how far the run is. Lives as long as the
/// campaign that it listens to.
class Reporter : public CampaignListener {
 public:
  struct Options {
    CaseOptions case_options;
    bool json = false;              // nothing is printed
    bool known_too = false;         // known deviations are told in full
    std::filesystem::path keep_in;  // a folder for new findings; empty: none
  };
  Reporter(Console& console, const Results& results, Options options)
      : console_(console), results_(results), options_(std::move(options)) {}

  void on_finding(const Finding& finding) override;
  void on_case(const Pool& pool, int number) override;
  void on_shrinking(const Pool& pool, const Rule& rule) override;

  /// Saves it; it is printed with the summary.
  void keep(const LimitReached& limit);

  /// Names of the findings' files that lie in Options::keep_in.
  const std::vector<std::string>& kept() const { return kept_; }
  /// What could not be saved.
  const std::vector<std::string>& troubles() const { return troubles_; }

 private:
  std::string stacks_for(const Finding& finding);

  Console& console_;
  const Results& results_;
  Options options_;
  std::vector<std::string> kept_;
  std::vector<std::string> troubles_;
  Clock::time_point shown_{};
};

}  // namespace poolproof::properties
