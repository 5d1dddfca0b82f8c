#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace poolproof::properties {

/// A bound that --help does not spell out; who leaves it is told what is expected.
CLI::Validator between(double least, double most);
CLI::Validator one_of(std::vector<std::string> words);

/// What is wrong with the command line, in one line that says where to read on.
std::string usage_in_words(const CLI::App& app, const CLI::ParseError& error);

/// CLI11 says "a subcommand is required" to a misspelt one too; empty where there is a right one.
std::string wrong_command(const CLI::App& app, int argc, const char* const* argv);

}  // namespace poolproof::properties
