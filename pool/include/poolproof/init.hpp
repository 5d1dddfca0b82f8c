#pragma once

namespace poolproof {

/// First in main, in a program that uses the start methods forkserver or spawn:
///
///     int main(int argc, char** argv) {
///       poolproof::init(argc, argv);
///
/// Such a pool starts this very program again, and there this call becomes a process of the pool
/// and never returns. So whatever stands before it runs in those processes too; what stands after
/// it does not. There argv is not main's: it is the program's name and a word of the pool's, by
/// which this call knows what the process is to become. So hand over main's own arguments, before
/// anything takes some of them out; with others a copy takes itself for the program, and runs all
/// of main. What tasks need of the command line is for an argument, or for the initializer. In the
/// program itself it returns at once, changes nothing, and makes forkserver the default start
/// method. Repeatable. Call it while there is one thread.
/// Errors: none; a process of a pool that cannot work ends, which its pool reports.
void init(int argc, char** argv);

/// The same without main's arguments, for a program whose main is somebody else's: from a
/// GoogleTest environment, say. Not from a constructor of static storage: objects that are made
/// after it would not be there for tasks.
/// Source: /proc/self/cmdline.
void init();

}  // namespace poolproof
