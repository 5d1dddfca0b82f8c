#pragma once

#include <optional>
#include <string_view>

namespace poolproof::warden {

/// The error that a system call is most likely to meet in a program that is right: no process, no
/// memory, no descriptor, no room, interrupted. nullopt for calls that fail in a
/// wrong program only. `target` is what its descriptor is: "pipe", "socket", "file" ...
/// Source: the calls' own pages, under ERRORS.
std::optional<int> typical_error(std::string_view call, std::string_view target);

}  // namespace poolproof::warden
