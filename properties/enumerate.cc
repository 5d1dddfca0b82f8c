#include "properties/enumerate.h"

#include <algorithm>
#include <utility>

namespace poolproof::properties {
namespace {

using harness::BodyKind;
using harness::Ending;
using harness::EndingKind;
using harness::Step;

template <class Kind>
bool has(const std::vector<Kind>& kinds, Kind kind) {
  return std::find(kinds.begin(), kinds.end(), kind) != kinds.end();
}

}  // namespace

SmallAlphabet SmallAlphabet::of(const Abilities& abilities) {
  SmallAlphabet alphabet;
  for (const auto* letter : letter_table()) {
    if (letter->in_short != nullptr && has(abilities.steps, letter->kind))
      alphabet.steps.push_back(letter->kind);
  }
  for (const auto kind :
       {BodyKind::kNothing, BodyKind::kRaise, BodyKind::kKillSelf, BodyKind::kNever}) {
    if (has(abilities.bodies, kind)) alphabet.bodies.push_back({.kind = kind});
  }
  for (const auto kind : {EndingKind::kReturn, EndingKind::kOsExit, EndingKind::kSigkill}) {
    if (has(abilities.endings, kind)) alphabet.endings.push_back({.kind = kind});
  }
  return alphabet;
}

Enumerator::Enumerator(const Abilities& abilities, const Contract& contract,
                       std::string start_method)
    : alphabet_(SmallAlphabet::of(abilities)),
      contract_(contract),
      start_method_(std::move(start_method)) {}

std::vector<Step> Enumerator::letters(const Model& model) const {
  std::vector<Step> all;
  for (const auto kind : alphabet_.steps) {
    const auto forms = letter(kind).in_short(alphabet_, model.tasks());
    all.insert(all.end(), forms.begin(), forms.end());
  }
  std::erase_if(all, [&](const Step& step) {
    return model.call(step) == Model::Call::kImpossible || model.may_wait_for_ever(step);
  });
  return all;
}

Enumerator::Node Enumerator::node(Model model) const {
  auto fitting = letters(model);
  return {std::move(model), std::move(fitting)};
}

void Enumerator::begin(int length) {
  length_ = length;
  word_.clear();
  path_.clear();
  path_.push_back(node(Model(contract_)));
}

/// An ending other than the plain return counts as a step: Scenario::length().
const Ending* Enumerator::next_ending(Node& node, int length) const {
  if (node.model.state() == Model::State::kNone) return nullptr;
  while (node.ending < alphabet_.endings.size()) {
    const auto& ending = alphabet_.endings[node.ending++];
    const int whole = static_cast<int>(word_.size()) + (ending.kind == EndingKind::kReturn ? 0 : 1);
    if (whole == length && !node.model.may_wait_for_ever(ending)) return &ending;
  }
  return nullptr;
}

/// To the next point of the tree; false where there is none.
bool Enumerator::advance(int length) {
  while (!path_.empty()) {
    auto& top = path_.back();
    if (std::cmp_less(word_.size(), length) && top.at < top.letters.size()) {
      const auto step = top.letters[top.at++];
      auto model = top.model;
      model.apply(step, takes_effect(model, step));
      word_.push_back(step);
      path_.push_back(node(std::move(model)));
      return true;
    }
    path_.pop_back();
    if (!word_.empty()) word_.pop_back();
  }
  return false;
}

std::optional<harness::Scenario> Enumerator::next(int length) {
  if (length != length_) begin(length);
  while (!path_.empty()) {
    if (const auto* ending = next_ending(path_.back(), length)) {
      return harness::Scenario{.start_method = start_method_, .steps = word_, .ending = *ending};
    }
    if (!advance(length)) break;
  }
  return std::nullopt;
}

bool Enumerator::has_words(int steps) const {
  auto walker = *this;
  walker.begin(steps);
  while (std::cmp_less(walker.word_.size(), steps)) {
    if (!walker.advance(steps)) return false;
  }
  return true;
}

std::optional<std::int64_t> Enumerator::count(int length, std::int64_t most) const {
  auto counter = *this;
  counter.begin(length);
  std::int64_t number = 0;
  while (counter.next(length)) {
    if (++number > most) return std::nullopt;
  }
  return number;
}

}  // namespace poolproof::properties
