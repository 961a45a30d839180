// `sparse_llama run`: prompts in, tokens out.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>

namespace wafermark::llama {

void add_run_command(CLI::App& app, std::function<int()>& action);

}  // namespace wafermark::llama
