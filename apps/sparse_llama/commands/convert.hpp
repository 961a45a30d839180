// `sparse_llama convert`: a model packed once, for runs that begin at once.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>

namespace wafermark::llama {

void add_convert_command(CLI::App& app, std::function<int()>& action);

}  // namespace wafermark::llama
