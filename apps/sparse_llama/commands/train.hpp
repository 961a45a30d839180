// sparse_llama train and recover: a new model from a text; a pruned one back to where it was.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>

namespace wafermark::llama {
void add_train_command(CLI::App& app, std::function<int()>& action);
void add_recover_command(CLI::App& app, std::function<int()>& action);
}  // namespace wafermark::llama
