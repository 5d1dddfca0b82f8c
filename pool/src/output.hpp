#pragma once

namespace poolproof::detail {

/// Writes out what stdio and the standard streams hold.
void flush_output();

/// Main, before a fork: writes out what is buffered, so that no child can print it again. Where
/// another thread holds a stream, reading from it, say, that could wait for ever: then only what is
/// free of the standard streams is written, and false says that the child must forget the rest.
/// beside_threads: whether main may have any.
bool flush_before_fork(bool beside_threads);

/// The child, after flush_before_fork returned false: leaves nothing buffered that is main's. With
/// main's descriptors closed and 0 to 2 on /dev/null, for that is where it goes. Waits for nobody:
/// libc has reset the locks of its streams in the child.
void forget_output();

}  // namespace poolproof::detail
