#pragma once

#include <string>
#include <string_view>

#include "properties/contract.h"

namespace poolproof::properties {

/// A contract as the file that it would be read from: every key, kept descriptors, deviations.
std::string to_toml(const Contract& contract);

/// Its parts, for whoever has more to say beside them: "[[known]]" with its keys, a text as a
/// string of TOML. Where the link is empty a comment says that it has to be filled in.
std::string to_toml(const KnownDeviation& known);
std::string toml_string(std::string_view text);

}  // namespace poolproof::properties
