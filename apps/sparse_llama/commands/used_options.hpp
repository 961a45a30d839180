// The options of a command as they were used, for its result.
#pragma once

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

namespace wafermark::llama {

/// {"--tokens": "64", "--tile": ["1,2"], ...}: every option, the user's words where there are any, else the
/// default; null where there is neither. Words that the command itself puts in place of a default are
/// recorded by the sections of its result.
nlohmann::json used_options(const CLI::App& command);

}  // namespace wafermark::llama
