#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace poolproof::properties {

inline constexpr std::size_t kLineWidth = 80;

/// Words of `text` on lines of at most `width` characters, each after `indent` spaces; a longer
/// word gets a line of its own.
std::vector<std::string> wrap(std::string_view text, std::size_t indent,
                              std::size_t width = kLineWidth);

/// The same, as one string of lines that each end with a newline.
std::string wrapped(std::string_view text, std::size_t indent);

/// Wrapped with the first line at the margin and the others indented by two.
std::string hanging(std::string_view text);

/// Filled up with blanks to `width`; a longer text stays as it is.
std::string padded(std::string_view text, std::size_t width);

/// Cut to `width`, with "..." at the end where something is missing.
std::string clipped(std::string_view text, std::size_t width);

/// Bytes that are not printable ASCII as \xNN, so that a subject's words cannot steer a terminal.
std::string printable(std::string_view text);

std::vector<std::string> lines_of(std::string_view text);
std::string joined(const std::vector<std::string>& words, std::string_view separator);

/// "3", "3 and 4", "3, 4 and 5".
std::string enumerated(const std::vector<std::string>& words);

/// "1 case", "2 cases".
std::string counted(std::int64_t number, std::string_view noun);

/// "60 s", "8.5 s": a decimal only where it tells something.
std::string in_seconds(std::chrono::milliseconds time);

/// The last line that says anything, printable and clipped: where an interpreter says what is
/// wrong.
std::string last_line(std::string_view text);

}  // namespace poolproof::properties
