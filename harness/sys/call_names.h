#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace poolproof::sys {

/// "read"; "call_470" for one that this build's headers do not know. Of this architecture.
std::string call_name(long number);

/// The other way round; nullopt for a name that no call of this architecture has.
std::optional<long> call_number(std::string_view name);

}  // namespace poolproof::sys
