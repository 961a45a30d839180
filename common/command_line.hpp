// The main() of a program that consists of subcommands.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <string>

namespace wafermark {

/// Makes the subcommands; the callback of the one that the user chose sets `action`.
using AddCommands = std::function<void(CLI::App& app, std::function<int()>& action)>;

/// run_program (errors.hpp) of the chosen action: parses the command line, prints help and version on rank 0.
/// Words that do not fit are an InputError, exit code 2.
int run_commands(int argc, char** argv, const std::string& name, const std::string& description,
                 const AddCommands& add_commands);

}  // namespace wafermark
