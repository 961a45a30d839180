// Rates of a generation, as the result states them.
#pragma once

#include <optional>

#include "common/results/result.hpp"
#include "sparse_llama/cluster/generation.hpp"
#include "sparse_llama/commands/generation_job.hpp"
#include "wse_emulator/band.hpp"

namespace wafermark::llama {

/// Rates of the machine that ran it; nothing where no token was decoded. `time`: of a prediction, its band.
/// Where prompts waited, prefill and decoding share passes: rates, latencies and busy slots of the whole then
/// stand in the place of the rates of both.
void add_rates(Result& result, const GenerationJob& job, const Generation& generation, Kind kind,
               const std::optional<wse::Band>& time = std::nullopt);

/// Decoding passes in which no prompt entered: where those are all, bandwidth has a meaning.
bool decodes_alone(const Generation& generation);

}  // namespace wafermark::llama
