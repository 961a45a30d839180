// tungsten_md validate: the emulated wafer against what was measured on the real one.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>

namespace wafermark::tungsten {

/// Adds the subcommand; `action` runs it after parsing.
void add_validate_command(CLI::App& app, std::function<int()>& action);

}  // namespace wafermark::tungsten
