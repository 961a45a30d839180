#include "tungsten_md/cluster/domain_of_run.hpp"

#include <array>
#include <utility>

#include "common/kokkos_graphs.hpp"

namespace wafermark::tungsten {
namespace {

constexpr std::array<const char*, 3> list_faces{"list_hi_x", "list_hi_y", "list_hi_z"};

/// The box in which the state's list was built; checkpoints of earlier versions have it fixed.
Box list_box(const SimulationState& state) {
  Box box = state.configuration.box;
  for (std::size_t d = 0; d < 3; ++d) box.hi[d] = stored(state.numbers, list_faces[d], box.hi[d]);
  return box;
}

DomainSettings domain_settings(const RunSettings& run, const std::array<int, 3>& rank_grid) {
  DomainSettings s;
  s.precision = run.precision;
  s.skin_angstrom = run.skin_angstrom;
  s.rank_grid = rank_grid;
  s.lanes_per_atom = run.launch == Launch::graph && !graphs_take_teams ? 1 : run.lanes_per_atom;
  if (run.neighbour_list != "auto") s.list = run.neighbour_list == "half" ? ListKind::half : ListKind::full;
  return s;
}

}  // namespace

std::unique_ptr<Domain> new_domain(const Communicator& comm, const Case& what,
                                   const PotentialTables& potential, const Configuration& start,
                                   RegionTimes& times) {
  return std::make_unique<Domain>(comm, start, potential, domain_settings(what.run, what.run.rank_grid),
                                  times);
}

ResumedDomain resumed_domain(const Communicator& comm, const Case& what, const PotentialTables& potential,
                             const SimulationState& state, RegionTimes& times) {
  const auto ranks = state.rank_grid[0] * state.rank_grid[1] * state.rank_grid[2];
  ResumedDomain r;
  r.same_grid =
      ranks == comm.size() &&
      (what.run.rank_grid == std::array<int, 3>{0, 0, 0} || what.run.rank_grid == state.rank_grid) &&
      state.numbers.at("skin_angstrom") == what.run.skin_angstrom;
  r.domain = r.same_grid ? std::make_unique<Domain>(
                               comm, state.configuration, ListReference{list_box(state), state.x_reference},
                               potential, domain_settings(what.run, state.rank_grid), times)
                         : new_domain(comm, what, potential, state.configuration, times);
  r.energy_share = r.domain->compute_forces_and_energy();
  // The stored forces differ from these in the last bits at most, but the run must go on with the former.
  if (r.same_grid && state.forces.size() == static_cast<std::size_t>(r.domain->particles().n_local))
    r.domain->set_forces(state.forces);
  return r;
}

SimulationState state_of(const Domain& domain, Configuration now, double skin_angstrom) {
  SimulationState s;
  s.configuration = std::move(now);
  const ListReference reference = domain.reference_on_host();
  s.x_reference = reference.x;
  s.forces = domain.forces_on_host();
  s.rank_grid = domain.subdomain().grid;
  s.numbers = {{"skin_angstrom", skin_angstrom}};
  for (std::size_t d = 0; d < 3; ++d) s.numbers[list_faces[d]] = reference.box.hi[d];
  return s;
}

}  // namespace wafermark::tungsten
