#include "properties/mutation.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <numeric>

#include "properties/text.h"

namespace poolproof::properties {
namespace {

using nlohmann::json;

constexpr std::size_t kMostDiffLines = 6;

TextChange change_of(const json& object) {
  return {object.at("offset").get<std::size_t>(), object.at("length").get<std::size_t>(),
          object.at("text").get<std::string>()};
}

Mutation mutation_of(const json& object) {
  Mutation mutation;
  mutation.kind = object.at("kind").get<std::string>();
  mutation.line = object.at("line").get<int>();
  mutation.change = change_of(object);
  if (const auto& probe = object.at("probe"); !probe.is_null()) mutation.probe = change_of(probe);
  return mutation;
}

/// SplitMix64: chance that is the same on every machine.
std::uint64_t chance(std::uint64_t seed, std::uint64_t n) {
  std::uint64_t z = seed + (n + 1) * 0x9e3779b97f4a7c15;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
  return z ^ (z >> 31);
}

/// The whole lines of `text` that hold [begin, end).
std::string_view whole_lines(std::string_view text, std::size_t begin, std::size_t end) {
  const auto before = begin == 0 ? text.npos : text.rfind('\n', begin - 1);
  const auto start = before == text.npos ? 0 : before + 1;
  return text.substr(start, std::min(text.find('\n', end), text.size()) - start);
}

void add_lines(std::vector<std::string>& all, char sign, std::string_view text) {
  auto lines = lines_of(text);
  const bool cut = lines.size() > kMostDiffLines;
  if (cut) lines.resize(kMostDiffLines - 1);
  for (const auto& line : lines) all.push_back(sign + printable(line));
  if (cut) all.push_back(std::string(1, sign) + " ...");
}

}  // namespace

sys::Result<std::vector<Mutation>> mutations_from_json_lines(std::string_view lines,
                                                             const std::string& origin) {
  std::vector<Mutation> mutations;
  try {
    for (const auto& line : lines_of(lines)) {
      if (!line.empty()) mutations.push_back(mutation_of(json::parse(line)));
    }
  } catch (const json::exception& error) {
    return sys::Error(fmt::format("{}: no list of mutations: {}", origin, error.what()));
  }
  return mutations;
}

std::string applied(std::string_view source, const TextChange& change) {
  std::string text(source.substr(0, change.offset));
  text += change.text;
  text += source.substr(std::min(change.offset + change.length, source.size()));
  return text;
}

std::vector<std::string> diff_lines(std::string_view source, const TextChange& change) {
  const auto mutated = applied(source, change);
  std::vector<std::string> lines;
  add_lines(lines, '-', whole_lines(source, change.offset, change.offset + change.length));
  add_lines(lines, '+', whole_lines(mutated, change.offset, change.offset + change.text.size()));
  return lines;
}

MutationDealer::MutationDealer(std::size_t files, std::uint64_t seed)
    : seed_(seed), order_(files), dealt_(files) {
  std::iota(order_.begin(), order_.end(), std::size_t{0});
  for (std::size_t left = files; left > 1; --left)
    std::swap(order_[left - 1], order_[chance(seed, left) % left]);
}

std::optional<MutationDealer::Dealt> MutationDealer::deal(const std::vector<Mutation>& of_file) {
  const auto file = this->file();
  const auto turn = turn_++;
  auto& gone = dealt_[file];
  std::vector<std::size_t> best;  // those of the kind that came least often
  for (std::size_t at = 0; at < of_file.size(); ++at) {
    if (std::find(gone.begin(), gone.end(), at) != gone.end()) continue;
    const auto& kind = of_file[at].kind;
    const auto& best_kind = best.empty() ? kind : of_file[best.front()].kind;
    if (kinds_[kind] < kinds_[best_kind]) best.clear();
    if (best.empty() || kind == best_kind) best.push_back(at);
  }
  if (best.empty()) {
    ++empty_in_turn_;
    return std::nullopt;
  }
  empty_in_turn_ = 0;
  const auto chosen = best[chance(~seed_, turn) % best.size()];
  gone.push_back(chosen);
  ++kinds_[of_file[chosen].kind];
  return Dealt{file, chosen};
}

}  // namespace poolproof::properties
