// What a simulated cluster says about its timed steps, put into a result.
#pragma once

#include <nlohmann/json.hpp>

namespace wafermark {

/// Gives simulated times and rates of `result` their bands, the table of what rates hang on, and joules:
/// watts of the machine times its loop_seconds, also for each atom-step. `outcome`:
/// runtime::simulated_outcome(), null: nothing.
void add_simulated_outcome(nlohmann::json& result, const nlohmann::json& outcome);

}  // namespace wafermark
