// `sparse_llama info`: what a model takes before it is run.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>

namespace wafermark::llama {

void add_info_command(CLI::App& app, std::function<int()>& action);

}  // namespace wafermark::llama
