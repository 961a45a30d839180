// The network of a simulated cluster as SimGrid reads it: a platform file and a host file.
#pragma once

#include <string>

#include "tools/kernel_clock/cluster_machine.hpp"

namespace wafermark {

/// SimGrid's XML for a partition of `nodes` nodes: whole groups of switches, a host for each node, whose
/// workers share its links. Throws InputError when the machine has fewer.
std::string platform_xml(const ClusterMachine& machine, int nodes);
/// A line for each of `nodes` nodes with its number of ranks; the last one may have fewer.
std::string host_list(const ClusterMachine& machine, int ranks);
/// "dragonfly, 1 group of 32 x 4 nodes; ...", for results.
std::string platform_text(const ClusterMachine& machine, int nodes);

}  // namespace wafermark
