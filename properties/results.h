#pragma once

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "harness/sys/result.h"
#include "properties/campaign.h"
#include "properties/report.h"

namespace poolproof::properties {

/// Writes or replaces a file. Errors: what the system said, with the path.
sys::Result<void> write_file(const std::filesystem::path& path, const std::string& text);

/// The folder that one run leaves behind: verdicts.jsonl (harness/protocol/README.md), and a folder
/// for each finding with case, trace, timeline, program and report, so that a failure outlives the
/// terminal.
class Results {
 public:
  /// `wanted`: the folder itself; empty: poolproof-results/TIME, with poolproof-results/latest
  /// pointing to it.
  /// `replay_flags`: what replay needs to find the same pools, such as " --python ./python".
  static sys::Result<Results> create(const std::string& wanted, const std::string& replay_flags);

  /// As it is typed: "poolproof-results/latest".
  const std::string& name() const { return name_; }
  Again again(const std::string& folder) const { return {name_ + "/" + folder, replay_flags_}; }

  /// As it stays when another run has come: in what lies in the folder itself.
  Again for_ever(const std::string& folder) const {
    return {path_.string() + "/" + folder, replay_flags_};
  }

  /// The folder itself.
  Again again() const { return {name_, replay_flags_}; }

  /// `stacks`: where everybody stood in a hang; empty: no such file.
  sys::Result<void> save(const Finding& finding, const std::string& stacks = {}) const;
  sys::Result<void> save(const LimitReached& limit) const;
  sys::Result<void> save_verdicts(const std::string& json_lines) const;

 private:
  /// Names and texts.
  using Files = std::vector<std::pair<std::string, std::string>>;
  sys::Result<void> save_in(const std::string& folder, const Files& files) const;

  Results(std::filesystem::path path, std::string name, std::string replay_flags)
      : path_(std::move(path)), name_(std::move(name)), replay_flags_(std::move(replay_flags)) {}

  std::filesystem::path path_;
  std::string name_;
  std::string replay_flags_;
};

/// One object a line: a verdict for each pool and rule, then the summary.
std::string verdicts_as_json_lines(const CampaignResult& result, const CampaignOptions& options,
                                   const std::string& results_name);

}  // namespace poolproof::properties
