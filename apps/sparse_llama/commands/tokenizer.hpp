// sparse_llama tokenizer: learns a byte-pair tokenizer from a text.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>

namespace wafermark::llama {
void add_tokenizer_command(CLI::App& app, std::function<int()>& action);
}  // namespace wafermark::llama
