#include <fmt/format.h>

#include <algorithm>

#include "properties/endings.h"
#include "properties/text.h"

namespace poolproof::properties {
namespace {

using harness::Ending;
using harness::EndingKind;
using std::chrono::milliseconds;

/// How wide the columns are, and how much they say: up to two pools have room for whole words.
struct Layout {
  std::size_t pools;   // side by side
  std::size_t label;   // of the rows
  std::size_t column;  // of a pool
  bool terse;
};
constexpr Layout kWide{2, 15, 33, false};
constexpr Layout kNarrow{3, 13, 22, true};

double seconds(harness::Nanoseconds time) {
  return static_cast<double>(time.count()) / 1e9;
}

std::string row_label(const Ending& ending) {
  const auto& entry = harness::entry(ending.kind);
  if (ending.kind == EndingKind::kOsExit) return fmt::format("_exit({})", ending.code);
  if (ending.kind == EndingKind::kExit) return fmt::format("exit({})", ending.code);
  if (ending.kind == EndingKind::kCtrlC) return "Ctrl-C";
  std::string label(entry.name);
  if (label.starts_with("sig")) {
    std::transform(label.begin(), label.end(), label.begin(), [](char c) {
      return static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
    });
  }
  return label;
}

std::string who_is_left(const EndingCell& cell, const Layout& layout) {
  const int left = cell.workers + cell.others;
  if (layout.terse) return std::to_string(left);
  return cell.others == 0 ? counted(left, "worker") : fmt::format("{} left", left);
}

std::string how_long(const EndingCell& cell, const Layout& layout, milliseconds grace) {
  if (cell.for_ever) return layout.terse ? " for ever" : ", for ever";
  const auto in = layout.terse ? " for " : " ";
  const auto unit = layout.terse ? "s" : " s";
  if (!cell.left_for) return fmt::format("{}>{:.0f}{}", in, seconds(grace), unit);
  return fmt::format("{}{:.1f}{}", in, seconds(*cell.left_for), unit);
}

std::string in_words(const EndingCell& cell, const Layout& layout, milliseconds grace) {
  if (!cell.unclear.empty()) return cell.unclear;
  if (!cell.gone_after) {
    return cell.main_never ? "main stays for ever"
                           : fmt::format("main stays > {:.0f} s", seconds(grace));
  }
  std::string left = layout.terse ? "nothing" : "nothing left";
  if (!cell.nothing_left()) left = who_is_left(cell, layout) + how_long(cell, layout, grace);
  const auto time = fmt::format("{:.2f}{}", seconds(*cell.gone_after), layout.terse ? "s" : " s");
  return fmt::format("{:<5}{}{}{}", cell.status, time, layout.terse ? " " : "  ", left);
}

/// A pool's name on one line, or its variant on a second one where the column is too narrow.
std::pair<std::string, std::string> name_lines(const std::string& pool, std::size_t width) {
  const auto colon = pool.find(':');
  if (pool.size() < width || colon == std::string::npos) return {pool, ""};
  return {pool.substr(0, colon), pool.substr(colon)};
}

std::string without_trailing_blanks(std::string line) {
  line.erase(line.find_last_not_of(' ') + 1);
  return line + "\n";
}

std::string heading(const std::vector<EndingColumn>& columns, const Layout& layout) {
  std::string first = padded("main ends by", layout.label);
  std::string second(layout.label, ' ');
  std::string runtimes(layout.label, ' ');
  bool two = false;
  for (const auto& column : columns) {
    const auto [name, variant] = name_lines(column.pool, layout.column);
    first += padded(name, layout.column);
    second += padded(variant, layout.column);
    two |= !variant.empty();
    runtimes += padded(column.runtime, layout.column);
  }
  return without_trailing_blanks(runtimes) + without_trailing_blanks(first) +
         (two ? without_trailing_blanks(second) : "");
}

std::string block(const std::vector<EndingColumn>& columns, const Layout& layout,
                  milliseconds grace) {
  std::string text = heading(columns, layout);
  const auto rows = ending_rows();
  for (std::size_t row = 0; row < rows.size(); ++row) {
    std::string line = padded(row_label(rows[row]), layout.label);
    for (const auto& column : columns) {
      line += padded(in_words(column.cells[row], layout, grace), layout.column);
    }
    text += without_trailing_blanks(line);
  }
  return text;
}

}  // namespace

std::string endings_table(Load load, const std::vector<EndingColumn>& columns, milliseconds grace) {
  const auto& layout = columns.size() <= kWide.pools ? kWide : kNarrow;
  std::string text = load == Load::kBusy
                         ? "4 workers, each in a 2 s task; the pool is never closed\n"
                         : "4 workers, all idle; the pool is never closed\n";
  for (std::size_t at = 0; at < columns.size(); at += layout.pools) {
    const auto end = std::min(columns.size(), at + layout.pools);
    const std::vector<EndingColumn> part(columns.begin() + static_cast<std::ptrdiff_t>(at),
                                         columns.begin() + static_cast<std::ptrdiff_t>(end));
    text += block(part, layout, grace) + "\n";
  }
  return text;
}

}  // namespace poolproof::properties
