#include "duration.hpp"

#include <array>
#include <cstdio>

namespace poolproof::detail {

std::string to_text(std::chrono::nanoseconds time) {
  struct Unit {
    double nanoseconds;
    const char* name;
  };
  constexpr std::array<Unit, 4> kUnits{{{1e9, "s"}, {1e6, "ms"}, {1e3, "us"}, {1, "ns"}}};
  const auto count = static_cast<double>(time.count());
  std::size_t unit = 0;
  while (unit + 1 < kUnits.size() && count < kUnits[unit].nanoseconds) ++unit;
  std::array<char, 48> text{};
  std::snprintf(text.data(), text.size(), "%.12g %s", count / kUnits[unit].nanoseconds,
                kUnits[unit].name);
  return text.data();
}

}  // namespace poolproof::detail
