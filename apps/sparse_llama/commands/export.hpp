// sparse_llama export: a trained or pruned model as a Hugging Face folder.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>

namespace wafermark::llama {
void add_export_command(CLI::App& app, std::function<int()>& action);
}  // namespace wafermark::llama
