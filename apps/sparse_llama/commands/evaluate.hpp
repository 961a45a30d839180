// sparse_llama evaluate: the perplexity of a model over a text.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>

namespace wafermark::llama {
void add_evaluate_command(CLI::App& app, std::function<int()>& action);
}  // namespace wafermark::llama
