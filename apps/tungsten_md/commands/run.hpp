// `tungsten_md run DECK`: the main job.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>

namespace wafermark::tungsten {

void add_run_command(CLI::App& app, std::function<int()>& action);

}  // namespace wafermark::tungsten
