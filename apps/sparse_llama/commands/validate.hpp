// `sparse_llama validate --target wafer`: the emulated machine beside published measurements of Llama's
// parts.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>

namespace wafermark::llama {

void add_validate_command(CLI::App& app, std::function<int()>& action);

}  // namespace wafermark::llama
