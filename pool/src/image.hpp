#pragma once

#include <cstdint>
#include <poolproof/detail/task.hpp>
#include <string>

/// How a function is named to a process that was started from the same file but lies elsewhere in
/// memory: by its offset in its object, the program or a shared library. Not by its type's name:
/// two lambdas in two files may have the same one.
namespace poolproof::detail::image {

/// Letters and digits that are equal for two processes only if they run the same program.
/// Source: the linker's build-id (ELF note NT_GNU_BUILD_ID), and the place of our own code.
std::string fingerprint();

/// Main: the name of a function. Errors: Error if it is in no object that the kernel or the dynamic
/// loader knows.
std::uint64_t code_of(Invoke function);

/// Worker: the function of that name. Errors: Error if this process lacks the library, or has
/// another build of it.
Invoke function_at(std::uint64_t code);

}  // namespace poolproof::detail::image
