#include "tungsten_md/cluster/memory_estimate.hpp"

#include <algorithm>
#include <numbers>

#include "tungsten_md/model/uf3.hpp"

namespace wafermark::tungsten {

int kept_of_a_pair(const PotentialTables& potential) {
  if (potential.lennard_jones || potential.uf3) return 0;
  return potential.elements.size() > 1 ? 3 : 2;
}

std::optional<TripletShape> triplets_of_run(const PotentialTables& potential, double skin_angstrom) {
  if (!potential.uf3 || potential.uf3->triplets.empty()) return std::nullopt;
  const double cutoff = potential.uf3->triplet_cutoff();
  return TripletShape{cutoff + skin_angstrom,
                      std::max(potential.cutoff_angstrom, 2.0 * cutoff) + skin_angstrom};
}

double RunShape::atoms_of_a_rank() const {
  return atoms / (static_cast<double>(grid[0]) * grid[1] * grid[2]);
}

double RunShape::ghosts_of_a_rank() const {
  const double reach = triplets ? triplets->ghost_reach : list_radius;
  double with_ghosts = 1.0;
  for (int d = 0; d < 3; ++d)
    if (grid[d] > 1 || box.periodic[d]) with_ghosts *= 1.0 + 2.0 * reach * grid[d] / box.length(d);
  return atoms_of_a_rank() * (with_ghosts - 1.0);
}

double RunShape::neighbours_within(double radius) const {
  const double sphere = 4.0 / 3.0 * std::numbers::pi * radius * radius * radius;
  return std::min(atoms_of_a_rank() + ghosts_of_a_rank(), atoms / box.volume() * sphere);
}

/// Rows of all atoms and ghosts, of one length; of an entry its index, where its mirror image stands, and a
/// force.
static double triplet_bytes(const RunShape& s, double real) {
  if (!s.triplets) return 0.0;
  const double sites = s.atoms_of_a_rank() + s.ghosts_of_a_rank();
  constexpr double least_row = 64.0;  // that a full list begins with
  const double neighbours = s.neighbours_within(s.triplets->list_radius);
  const double entries = 1.0625 * sites * std::max(least_row, 1.3 * neighbours + 8.0);
  return entries * (4.0 + 8.0 + 3.0 * real) + sites * (24.0 + 8.0 + 4.0);
}

double domain_bytes(const RunShape& s) {
  const double n = s.atoms_of_a_rank(), sites = n + s.ghosts_of_a_rank();
  const double real = s.mixed ? 4.0 : 8.0;
  const bool half = s.list == ListKind::half;
  constexpr double grown = 1.125;  // views grow by an eighth
  const double x_id_type = 24 + 8 + 4, v_f = 24 + 24, x_at_build_first_count = 24 + 8 + 4;
  const double particles = grown * (x_id_type * sites + v_f * n + x_at_build_first_count * n);
  // Half lists hold a pair of local atoms once and a pair with a ghost at its local atom; rows are padded to
  // eight. Full lists have rows of one length, the longest.
  const double once = n * s.neighbours() * 0.5 * (1.0 + std::min(1.0, s.ghosts_of_a_rank() / sites));
  const double entries = half ? 1.0625 * (once + 4.0 * n) : n * (1.3 * s.neighbours() + 8.0);
  // The terms of the pairs of two layers of cells and a stage (wavefront.hpp), and room up to a power of two.
  const double in_flight = 1.5 * (2.0 * s.list_radius * s.grid[0] / s.box.length(0) + 1.0 / 16.0);
  const double terms = half ? s.kept_of_a_pair * real * entries * std::min(1.0, in_flight) : 0.0;
  const double density = s.kept_of_a_pair > 0 ? 1.0 : 0.0;
  const double force_field = 1.0625 * real * ((half ? 8.0 : 4.0) + density) * sites;
  // Single positions, cells and order; x, id and type twice, for the order to change.
  const double binning = (3.0 * 4.0 + 2.0 * 4.0) * sites + grown * x_id_type * sites;
  return particles + 4.0 * entries + terms + force_field + binning + triplet_bytes(s, real);
}

double start_bytes(double atoms_of_a_rank) {
  // Positions, velocities, id and type in arrays that doubled as they grew; packed for their ranks, sent,
  // received and unpacked.
  return (2.0 * 60.0 + 4.0 * 64.0 + 60.0) * atoms_of_a_rank;
}

double run_bytes(const RunShape& shape) {
  const double kept = 90.0;  // the starting state, in arrays that doubled as they grew
  const double n = shape.atoms_of_a_rank();
  return std::max(start_bytes(n), domain_bytes(shape) + kept * n);
}

}  // namespace wafermark::tungsten
