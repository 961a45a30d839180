// Energy as Slurm accounts it, for nodes whose own meters a user may not read. Which meter a site's Slurm
// reads is the plugin that its AcctGatherEnergyType names (IPMI, RAPL, XCC, GPUs, Cray).
#pragma once

#include <memory>
#include <string>

#include "common/energy_meter.hpp"

namespace wafermark {

/// "JOB.STEP" of the srun that started this process, empty outside of one.
std::string current_slurm_step();

/// Joules of all nodes of a step since its start, by `sstat`. Null when Slurm accounts no energy, with the
/// reason. Starts processes: not for inner loops.
std::unique_ptr<EnergyCounter> slurm_counter(const std::string& step, std::string& why_not);

}  // namespace wafermark
