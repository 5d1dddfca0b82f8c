#pragma once

namespace poolproof {

/// First in main, in a program that uses the start methods forkserver or spawn:
///
///     int main(int argc, char** argv) {
///       poolproof::init(argc, argv);
///
/// Such a pool starts this very program again, and there this call becomes a process of the pool
/// and never returns. So whatever stands before it runs in those processes too; what stands after
/// it does not. There the command line is not main's, but the program's name and a word of the
/// pool's: what tasks need of it is for an argument, or for the initializer. What this call is
/// handed matters for the name alone. In the program itself it returns at once, changes nothing,
/// and makes forkserver the default start method. Repeatable. Call it while there is one thread.
/// Errors: none; a process of a pool that cannot work ends, which its pool reports.
void init(int argc, char** argv);

/// The same without main's arguments, for a program whose main is somebody else's: from a
/// GoogleTest environment, say. Not from a constructor of static storage: objects that are made
/// after it would not be there for tasks.
/// Source: /proc/self/cmdline.
void init();

}  // namespace poolproof
