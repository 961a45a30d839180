// The network of a simulated cluster as SimGrid reads it: a platform file and a host file.
#pragma once

#include <cstdint>
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

/// Links of the network on the way from one node to another, as SimGrid's platform has them.
int links_between(const ClusterMachine& machine, int node, int other);

enum class MessageEnd { sender, receiver };
/// What a message of so many bytes takes of the rank at one of its ends, beyond latency and rate.
double message_overhead(const ClusterMachine& machine, std::int64_t bytes, MessageEnd end);

/// SMPI's options: simulated seconds come from the machine file only, nothing from this computer's speed.
std::string simgrid_options(const ClusterMachine& machine);

}  // namespace wafermark
