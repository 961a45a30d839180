// A cluster in numbers, each with its source: what the kernel clock charges for, and the network between its
// nodes. Begin reading the simulated cluster here; the files are inputs/clusters/simulated.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "common/quantity.hpp"

namespace wafermark {

enum class Topology { fat_tree, dragonfly };

/// Times in seconds, sizes in bytes. A worker is what one rank computes on: a GPU, half of one, a core.
struct ClusterMachine {
  /// Up to here a message is numbers that the host has at hand (counts, sums), not a worker's array.
  static constexpr int small_message = 256;

  std::string name, title, worker;
  std::string file, sha256;
  std::vector<std::string> changes;        ///< to the file's numbers, "device.launch_us.value=9"
  std::vector<std::string> deck_settings;  ///< of every deck that runs on it, "run.skin_angstrom=1.0"

  int nodes = 0, workers_per_node = 0;

  // A worker. The host that starts kernels goes on at once; kernels follow each other on the worker.
  double launch = 0.0;            ///< of the host, for a kernel or a copy
  double kernel_floor = 0.0;      ///< of a kernel that does nothing
  double fence = 0.0;             ///< from the end of the last kernel to the host that waited for it
  double bytes_per_second = 0.0;  ///< of the worker's memory, as kernels without neighbours reach it
  double per_atom = 0.0,
         per_candidate = 0.0;      ///< of a pair kernel with as many atoms as the worker can hold busy
  double candidate_latency = 0.0;  ///< of one more neighbour in a pair kernel, however few the atoms are
  double plain_candidate = 0.0, plain_latency = 0.0;  ///< the two for a pair kernel without tables
  double search_candidate = 0.0;  ///< of the list's construction, for an entry of the list

  double host_copy = 0.0;       ///< of the host, who waits for some bytes from the worker, or sends them
  double host_copy_rate = 0.0;  ///< for many bytes

  // What the operating system takes from a rank's core, while it computes or starts kernels.
  double interruption_rate = 0.0;  ///< interruptions a second
  double interruption = 0.0;       ///< mean length of one

  // Between workers.
  double local_latency = 0.0, local_bandwidth = 0.0;  ///< of one node
  double link_latency = 0.0, link_bandwidth = 0.0;    ///< of one link of the network, in each direction
  double send_overhead = 0.0,
         receive_overhead = 0.0;  ///< of the rank, for a message of a worker's data, beyond links
  int eager_bytes = 0;            ///< up to here a message of a worker's data leaves without asking
  double eager_overhead = 0.0;    ///< of either rank for such a message, instead of the two
  double small_overhead = 0.0;    ///< of either, for one of at most small_message bytes
  Topology topology = Topology::fat_tree;
  int nodes_per_switch = 0,
      switches_per_group = 0;  ///< group: the switches below a spine, or a group of a dragonfly

  int group_links = 1;  ///< between two groups of a dragonfly

  // Joules.
  double worker_idle_watts = 0.0, worker_load_watts = 0.0;
  double node_watts = 0.0;     ///< of a node beside its workers
  double network_watts = 0.0;  ///< of switches and cables, for a node

  std::map<std::string, Quantity> quantities;  ///< every number as the file has it, by key

  /// Throws InputError "FILE:LINE: ..." for anything missing, unknown, without source or out of range.
  static ClusterMachine read(const std::string& path, const std::vector<std::string>& changes = {},
                             const std::string& option = "--machine-set");
  /// The same machine with another value of one of its quantities (with_quantity()).
  ClusterMachine with(const std::string& key, double value) const;
  /// What `workers` of it take on average, with their nodes and network, when they compute for so large a
  /// part of the time.
  double watts(int workers, double busy) const;
};

}  // namespace wafermark
