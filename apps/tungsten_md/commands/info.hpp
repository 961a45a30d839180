// `tungsten_md info`: what a deck says and what it will need, before it runs; the keys of a deck; this build.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>

namespace wafermark::tungsten {

void add_info_command(CLI::App& app, std::function<int()>& action);

}  // namespace wafermark::tungsten
