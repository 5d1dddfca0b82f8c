#include "harness/sys/call_names.h"

#include <algorithm>
#include <charconv>
#include <iterator>

namespace poolproof::sys {
namespace {

struct Entry {
  long number;
  const char* name;
};
constexpr Entry kCalls[] = {
#include "poolproof/system_calls.inc"
};

constexpr std::string_view kUnnamed = "call_";

}  // namespace

std::string call_name(long number) {
  const auto found = std::find_if(std::begin(kCalls), std::end(kCalls),
                                  [number](const Entry& call) { return call.number == number; });
  return found != std::end(kCalls) ? found->name : std::string(kUnnamed) + std::to_string(number);
}

std::optional<long> call_number(std::string_view name) {
  const auto found = std::find_if(std::begin(kCalls), std::end(kCalls),
                                  [name](const Entry& call) { return call.name == name; });
  if (found != std::end(kCalls)) return found->number;
  if (!name.starts_with(kUnnamed)) return std::nullopt;
  name.remove_prefix(kUnnamed.size());
  long number = 0;
  const auto end = std::from_chars(name.data(), name.data() + name.size(), number);
  const bool whole = end.ec == std::errc() && end.ptr == name.data() + name.size();
  return whole && number >= 0 ? std::optional(number) : std::nullopt;
}

}  // namespace poolproof::sys
