// `tungsten_md defects`: counts the defects of stored configurations as a run does in situ.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>

namespace wafermark::tungsten {

void add_defects_command(CLI::App& app, std::function<int()>& action);

}  // namespace wafermark::tungsten
