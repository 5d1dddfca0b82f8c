#include "harness/sys/call_names.h"

#include <algorithm>
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

}  // namespace

std::string call_name(long number) {
  const auto found = std::find_if(std::begin(kCalls), std::end(kCalls),
                                  [number](const Entry& call) { return call.number == number; });
  return found != std::end(kCalls) ? found->name : "call_" + std::to_string(number);
}

}  // namespace poolproof::sys
