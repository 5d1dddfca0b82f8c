#pragma once

#include <string>
#include <vector>

#include "harness/trace.h"

namespace poolproof::properties {

/// The wait-for graph of a tree at rest, a sentence (without its full stop) for all who wait alike:
///     main 2 waits for a byte on pipe 7, whose write end is held by workers 3 and 4, which wait
///     for a wake at futex 0x7f10
///     worker 3 waits for a byte on pipe 8; the only write end left is its own fd 6
/// and one for each cycle among the processes. Main comes first. What the recording does not know
/// (a socket's other end, who holds a lock) is not said.
std::vector<std::string> wait_graph(const harness::Trace& trace, const harness::AtRest& rest);

/// That of the last place where the tree rested; empty where it never did.
std::vector<std::string> wait_graph(const harness::Trace& trace);

/// The sentences of the rest that is recorded as this event, in one line, parted by semicolons: at
/// most `most`, and only those about `pid` where it is not 0. Empty where there are none.
std::string waits_in_words(const harness::Trace& trace, std::size_t event, harness::Pid pid = 0,
                           std::size_t most = 2);

/// The graph of the last proved rest without what differs from run to run (numbers, and how many
/// there are of a kind), so that two hangs can be compared: "main: byte of pipe from worker". Empty
/// where nothing was proved.
std::string wait_signature(const harness::Trace& trace);

}  // namespace poolproof::properties
