// The time of a record of work on a machine, worked out without a network simulator: LogGOPS-like. Messages
// between two ranks take overheads, latency by the number of links, and bytes over the rate that their node's
// ranks share; collectives wait for all and take rounds of messages. What it leaves out, traffic of others on
// links between switches, is what cluster_replay is for. Seconds for thousands of ranks.
#pragma once

#include <nlohmann/json.hpp>

#include "tools/kernel_clock/work_record.hpp"

namespace wafermark {

struct ModelledTime {
  double seconds = 0.0;  ///< until the last rank has done its last event
  double busy = 0.0;     ///< seconds of kernels on a worker, mean over the ranks
};

/// Throws InputError where a rank waits for a message that none sends.
ModelledTime modelled_time(const RecordOnGrid& work, const ClusterMachine& machine);

}  // namespace wafermark
