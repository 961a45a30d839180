// `sparse_llama compare`: the same weights in several formats, in turn.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>

namespace wafermark::llama {

void add_compare_command(CLI::App& app, std::function<int()>& action);

}  // namespace wafermark::llama
