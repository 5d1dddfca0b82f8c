#pragma once

namespace poolproof::detail {

/// Main, before a fork: writes out what is buffered, so that no child can print it again. Where
/// another thread holds a standard stream, reading from it, say, that could wait for ever: then
/// only what is free is written, and false says that the child must forget what standard output
/// holds.
bool flush_before_fork();

/// The child, first thing after flush_before_fork returned false. Takes no lock: libc has reset
/// those of its streams in the child.
void forget_output();

}  // namespace poolproof::detail
