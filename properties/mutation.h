#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "harness/sys/result.h"

namespace poolproof::properties {

/// Some bytes of a source file, and what is put in their stead.
struct TextChange {
  std::size_t offset = 0;
  std::size_t length = 0;
  std::string text;
};

/// A mechanical change of a source file (fixtures/mutants/mutations.py).
struct Mutation {
  std::string kind;  // "drop", "negate", "adjust", "swap"
  int line = 0;      // where it begins, from 1
  TextChange change;
  /// With it the process traps where the mutation would be reached; nullopt where no statement is.
  std::optional<TextChange> probe;
};

/// What mutations.py prints: one object a line. `origin` is for errors.
sys::Result<std::vector<Mutation>> mutations_from_json_lines(std::string_view lines,
                                                             const std::string& origin);

/// The source with the change, which lies within it.
std::string applied(std::string_view source, const TextChange& change);

/// The lines that differ, as a diff has them: "-old", "+new"; no more than a few of each.
std::vector<std::string> diff_lines(std::string_view source, const TextChange& change);

/// Deals out mutations, evenly over files and kinds: the files by turns in an order of the seed's,
/// each time one of the kind that came least often so far, chosen by the seed. None comes twice.
class MutationDealer {
 public:
  struct Dealt {
    std::size_t file = 0;  // its place among the sources
    std::size_t mutation = 0;
  };

  /// files: how many; more than none.
  MutationDealer(std::size_t files, std::uint64_t seed);

  /// The file whose turn it is.
  std::size_t file() const { return order_[turn_ % order_.size()]; }

  /// One of that file's mutations; nullopt where all were dealt out. Ends the file's turn.
  std::optional<Dealt> deal(const std::vector<Mutation>& of_file);

  /// Whether no file in a whole round had any left.
  bool is_over() const { return empty_in_turn_ >= order_.size(); }

 private:
  std::uint64_t seed_;
  std::vector<std::size_t> order_;
  std::vector<std::vector<std::size_t>> dealt_;  // by file
  std::map<std::string, int> kinds_;             // how many of each were dealt out
  std::size_t turn_ = 0;
  std::size_t empty_in_turn_ = 0;
};

}  // namespace poolproof::properties
