// What a simulated cluster says about its timed steps, put into a result.
#pragma once

#include <nlohmann/json.hpp>

namespace wafermark {

/// Gives times and rates of the timed steps their bands, `result` the table of what rates hang on, and
/// joules: watts of the machine times its loop_seconds, and for each atom-step or token that was decoded.
/// `outcome`: runtime::simulated_outcome(), null: nothing.
void add_simulated_outcome(nlohmann::json& result, const nlohmann::json& outcome);

}  // namespace wafermark
