#pragma once

#include <string>

namespace poolproof::sys {

/// "read"; "call_470" for one that this build's headers do not know. Of this architecture.
std::string call_name(long number);

}  // namespace poolproof::sys
