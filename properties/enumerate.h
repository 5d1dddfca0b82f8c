#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "harness/case.h"
#include "properties/abilities.h"
#include "properties/contract.h"
#include "properties/model.h"

namespace poolproof::properties {

/// The small alphabet of bounded-exhaustive search: one letter for each kind of thing that can
/// happen, and no more, so that all words of some length can be tried. What the pool's adapter does
/// not have is left out.
struct SmallAlphabet {
  int most_workers = 2;
  std::vector<harness::StepKind> steps;
  std::vector<harness::Body> bodies;
  std::vector<harness::Ending> endings;  // the plain return first

  static SmallAlphabet of(const Abilities& abilities);
};

/// All runnable scenarios over the small alphabet that create a pool, each once; those of one
/// length in a fixed order. (Main alone would keep most rules, and say nothing about the pool.)
/// Canonical: tasks are numbered in order of submission, and no step stands there that makes no
/// sense. Calls that the pool must refuse are among them.
class Enumerator {
 public:
  Enumerator(const Abilities& abilities, const Contract& contract, std::string start_method);

  /// The next scenario of length() `length`; nullopt when there are no more of it.
  std::optional<harness::Scenario> next(int length);

  /// How many scenarios have this length(); nullopt: more than `most`.
  std::optional<std::int64_t> count(int length, std::int64_t most) const;

  /// Whether any program has so many steps before its ending; where none has, none has more.
  bool has_words(int steps) const;

  int most_workers() const { return alphabet_.most_workers; }

 private:
  /// A point of the tree of programs: what has happened, and which letters fit next.
  struct Node {
    Model model;
    std::vector<harness::Step> letters;
    std::size_t at = 0;      // of letters: the next to be descended into
    std::size_t ending = 0;  // of endings: the next to be tried here
  };
  Node node(Model model) const;
  std::vector<harness::Step> letters(const Model& model) const;  // those that fit here
  const harness::Ending* next_ending(Node& node, int length) const;
  bool advance(int length);
  void begin(int length);

  SmallAlphabet alphabet_;
  Contract contract_;
  std::string start_method_;
  int length_ = -1;                  // of the scenarios that path_ walks through
  std::vector<Node> path_;           // from the empty program down
  std::vector<harness::Step> word_;  // the letters along it
};

}  // namespace poolproof::properties
