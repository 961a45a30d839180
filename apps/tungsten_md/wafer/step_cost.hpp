// What the sections of the tile program cost on a machine: counted once per section and branch with
// Counted<float>, then turned into cycles by the machine's prices.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "wse_emulator/cost.hpp"

namespace wafermark::tungsten {

/// How a section runs on the core: vector instructions over all candidates, or scalar code per item.
struct SectionCounts {
  wse::OperationCounts distance;   ///< of one candidate; vector instructions
  wse::OperationCounts test;       ///< of one candidate, inside the cut-off or not
  wse::OperationCounts enter;      ///< beside that, of one inside
  wse::OperationCounts listed;     ///< of one entry of a list that serves several steps: separation and test
  wse::OperationCounts density;    ///< of one neighbour
  wse::OperationCounts force;      ///< of one neighbour
  wse::OperationCounts embedding;  ///< once
  wse::OperationCounts integration;  ///< once: both kicks and the drift
  wse::OperationCounts time_step;    ///< the longest step that the atom allows
  wse::OperationCounts slow,
      not_slow;  ///< electronic stopping of a fast atom; of a slow one, the question alone
  wse::OperationCounts bath, no_bath;  ///< heat bath of an atom in it; of another, the question alone
  wse::OperationCounts swap_partner;   ///< of one neighbour: is it worth changing tiles?
};
/// Counts the kernels. `periodic_z`: separations take the nearest image along z.
SectionCounts count_sections(bool periodic_z);

/// Cycles of the sections for one machine.
class StepCost {
 public:
  /// `batches`: pieces in which the candidates are processed, where memory does not hold all at once.
  StepCost(const wse::Machine& machine, const SectionCounts& counts, int batches = 1);

  double distance(std::int64_t candidates) const;
  double list(std::int64_t candidates, std::int64_t neighbours) const;
  /// The entries of a list that serves several steps: scalar code, since they lie scattered.
  double listed(std::int64_t entries) const {
    return static_cast<double>(entries) * wse::scalar_cycles(machine_, counts_.listed);
  }
  double density(std::int64_t neighbours) const { return static_cast<double>(neighbours) * density_; }
  double force(std::int64_t neighbours) const { return static_cast<double>(neighbours) * force_; }
  double embedding() const { return embedding_; }
  double integration() const { return integration_; }
  double time_step() const { return wse::scalar_cycles(machine_, counts_.time_step); }
  double slowing(bool fast) const {
    return wse::scalar_cycles(machine_, fast ? counts_.slow : counts_.not_slow);
  }
  double bath(bool inside) const {
    return wse::scalar_cycles(machine_, inside ? counts_.bath : counts_.no_bath);
  }
  double swap_partner(std::int64_t neighbours) const {
    return static_cast<double>(neighbours) * wse::scalar_cycles(machine_, counts_.swap_partner);
  }

  /// Counted operations of `steps` steps of tiles with so many candidates and neighbours in sum: for energy.
  wse::OperationCounts operations(std::int64_t candidates, std::int64_t neighbours, std::int64_t steps) const;
  const SectionCounts& counts() const { return counts_; }
  const wse::Machine& machine() const { return machine_; }

 private:
  wse::Machine machine_;
  SectionCounts counts_;
  int batches_;
  double test_, enter_, density_, force_, embedding_, integration_;
};

}  // namespace wafermark::tungsten
