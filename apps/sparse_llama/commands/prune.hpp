// sparse_llama prune: sets weights to zero, and says what that did to the perplexity.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>

namespace wafermark::llama {
void add_prune_command(CLI::App& app, std::function<int()>& action);
}  // namespace wafermark::llama
