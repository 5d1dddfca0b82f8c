#include "properties/console.h"

#include <fmt/format.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <system_error>

#include "properties/text.h"

namespace poolproof::properties {
namespace {

bool is_terminal(int descriptor) {
  std::error_code ignored;
  const auto target =
      std::filesystem::read_symlink(fmt::format("/proc/self/fd/{}", descriptor), ignored).string();
  return target.starts_with("/dev/pts/") || target.starts_with("/dev/tty") ||
         target == "/dev/console";
}

int first_write_error = 0;

bool is_set(const char* variable) {
  const char* value = std::getenv(variable);
  return value != nullptr && *value != '\0';
}

}  // namespace

Console Console::of_this_process() {
  Console console;
  console.colours_ = is_terminal(1) && !is_set("NO_COLOR");
  console.shows_progress_ = is_terminal(2);
  return console;
}

void Console::print(std::string_view text) {
  progress("");
  const bool written = std::fwrite(text.data(), 1, text.size(), stdout) == text.size();
  if (!written || std::fflush(stdout) != 0)
    first_write_error = first_write_error ? first_write_error : errno;
}

std::string Console::write_error() {
  return first_write_error == 0 ? "" : std::generic_category().message(first_write_error);
}

void Console::progress(std::string_view line) {
  if (!shows_progress_ || (line.empty() && !line_shown_)) return;
  std::fputs(fmt::format("\r{}\x1b[K", clipped(line, kLineWidth - 1)).c_str(), stderr);
  std::fflush(stderr);
  line_shown_ = !line.empty();
}

std::string Console::painted(std::string_view code, std::string_view text) const {
  if (!colours_) return std::string(text);
  return fmt::format("\x1b[{}m{}\x1b[0m", code, text);
}

}  // namespace poolproof::properties
