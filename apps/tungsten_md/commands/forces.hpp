// `tungsten_md forces`: one configuration in, energy, virial and forces out.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>

namespace wafermark::tungsten {

void add_forces_command(CLI::App& app, std::function<int()>& action);

}  // namespace wafermark::tungsten
