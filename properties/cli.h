#pragma once

namespace poolproof::properties {

/// The `poolproof` command: reads the command line, runs one subcommand, returns the exit code.
int run_cli(int argc, const char* const* argv);

}  // namespace poolproof::properties
