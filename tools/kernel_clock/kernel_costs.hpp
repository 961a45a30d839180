// What a kernel of the program costs on a worker of a cluster, by its label. Knows no simulator.
#pragma once

#include <cstdint>
#include <string_view>

#include "tools/kernel_clock/cluster_machine.hpp"

namespace wafermark {

/// What a kernel works on: `items` of its range; of the rank, entries of the neighbour list for each atom.
struct KernelLoad {
  double items = 0.0;
  double candidates_per_atom = 0.0;
};

/// What a label of a kernel says about its cost.
struct KernelKind {
  enum class Class {
    streaming,    ///< moves so many bytes an item
    pairs,        ///< visits the neighbours of an atom, and looks into tables for each (EAM)
    search,       ///< makes the neighbour list
    bookkeeping,  ///< of the simulation itself: no machine would run it
    plain_pairs,  ///< visits the neighbours of an atom, without tables (Lennard-Jones)
    unmeasured    ///< of energies of three atoms: no machine's cost is known
  };
  Class kind = Class::streaming;
  double bytes_per_item = 0.0;
};

/// Of one of the program's labels. Throws std::out_of_range for a label that is not in the table: a kernel
/// that nobody has looked at would take no time.
const KernelKind& kernel_kind(std::string_view label);

/// Seconds on the worker, without the launch. Throws InputError for a kernel of unmeasured kind.
double kernel_seconds(const ClusterMachine& machine, const KernelKind& kind, const KernelLoad& load);
/// Seconds of a copy within the worker's memory.
double copy_seconds(const ClusterMachine& machine, double bytes);
/// Seconds from the worker's last kernel to the host that has these bytes, or has sent them.
double host_copy_seconds(const ClusterMachine& machine, double bytes);

}  // namespace wafermark
