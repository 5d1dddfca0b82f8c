#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "properties/mutant_maker.h"

namespace poolproof::properties {

/// A source tree for tests, whose compiler drops blanks and refuses what has "error" in it, and
/// whose linker copies: a program is its source without blanks.
class FakeTrees {
 public:
  FakeTrees()
      : root_(std::filesystem::temp_directory_path() /
              (std::string("poolproof-") +
               testing::UnitTest::GetInstance()->current_test_info()->name())) {
    std::filesystem::create_directories(root_);
    recipe_.root = root_.string();
    recipe_.scratch = (root_ / "scratch").string();
    recipe_.list = {"/bin/sh", "-c", "cat \"$1.json\"", "list"};
    recipe_.compile = {"/bin/sh", "-c", "grep -q error \"$1\" && exit 1; tr -d ' ' <\"$1\" >\"$3\"",
                       "compile"};
    recipe_.link_before = {"/bin/sh", "-c", "cp \"$1\" \"$3\"", "link"};
  }
  FakeTrees(const FakeTrees&) = delete;
  FakeTrees& operator=(const FakeTrees&) = delete;
  ~FakeTrees() { std::filesystem::remove_all(root_); }

  /// A source with its mutations, as the lister prints them.
  void add(const std::string& name, const std::string& text, const std::string& mutations) {
    const auto path = root_ / name;
    std::ofstream(path) << text;
    std::ofstream(path.string() + ".json") << mutations;
    recipe_.sources.push_back(path.string());
  }

  const std::filesystem::path& root() const { return root_; }
  MutantRecipe& recipe() { return recipe_; }

 private:
  std::filesystem::path root_;
  MutantRecipe recipe_;
};

}  // namespace poolproof::properties
