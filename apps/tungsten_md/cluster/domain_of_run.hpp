// The domain of a run as its deck asks for it: new, or as a stored state left it.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "tungsten_md/cluster/domain.hpp"
#include "tungsten_md/model/case.hpp"
#include "tungsten_md/model/dynamics.hpp"

namespace wafermark::tungsten {

/// What a run must remember to go on bit for bit: this rank's atoms in order, where they were at the last
/// list build, their forces, and the numbers of thermostat, ledger and time step.
struct SimulationState {
  Configuration configuration;
  std::vector<Vec3> x_reference, forces;
  std::array<int, 3> rank_grid{0, 0, 0};
  std::map<std::string, double> numbers;
  std::map<std::string, std::int64_t> counters;
  std::map<std::string, std::vector<double>> shares;  ///< numbers that every rank sums up by itself, by rank
  std::map<std::string, std::vector<double>> fields;  ///< the same on all ranks
  std::vector<Recoil> recoils;                        ///< made so far
};

/// What a state tells under a name; `otherwise` where it is of an earlier version, or of a run without that.
template <class Value>
Value stored(const std::map<std::string, Value>& values, const std::string& name, Value otherwise = {}) {
  const auto found = values.find(name);
  return found == values.end() ? otherwise : found->second;
}

/// Collective, as all of these. Throws InputError as Domain does.
std::unique_ptr<Domain> new_domain(const Communicator& comm, const Case& what,
                                   const PotentialTables& potential, const Configuration& start,
                                   RegionTimes& times);

struct ResumedDomain {
  std::unique_ptr<Domain> domain;
  EnergyVirial energy_share;  ///< of this rank, at the state's positions
  bool same_grid = false;     ///< ranks and skin are those of the state: the run goes on bit for bit
};
ResumedDomain resumed_domain(const Communicator& comm, const Case& what, const PotentialTables& potential,
                             const SimulationState& state, RegionTimes& times);

/// What a state holds of a domain, beside `now`, its atoms with step and time.
SimulationState state_of(const Domain& domain, Configuration now, double skin_angstrom);

}  // namespace wafermark::tungsten
