// `tungsten_md potential info|generate|resample|plot-data`: potential files, looked into and made.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>

namespace wafermark::tungsten {

void add_potential_command(CLI::App& app, std::function<int()>& action);

}  // namespace wafermark::tungsten
