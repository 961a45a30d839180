#include "tungsten_md/wafer/placement/column_interactions.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <tuple>

namespace wafermark::tungsten {

namespace {

/// Column offsets at which basis site b' of the cell dz higher is nearer than the reach (in lattice
/// constants) to b.
std::vector<std::array<int, 2>> offsets_within(const Lattice& lattice, bool periodic_z, double reach, int b,
                                               int other, int dz) {
  const Vec3 from = lattice.basis(b), to = lattice.basis(other);
  const int span = static_cast<int>(std::ceil(reach)) + 1;
  const int span_x = std::min(span, lattice.cells[0] - 1), span_y = std::min(span, lattice.cells[1] - 1);
  double z = to[2] - from[2] + dz;
  if (periodic_z) z -= std::nearbyint(z / lattice.cells[2]) * lattice.cells[2];
  std::vector<std::array<int, 2>> offsets;
  for (int cx = -span_x; cx <= span_x; ++cx)
    for (int cy = -span_y; cy <= span_y; ++cy) {
      const double x = to[0] - from[0] + cx, y = to[1] - from[1] + cy;
      const bool itself = b == other && dz == 0 && cx == 0 && cy == 0;
      if (!itself && x * x + y * y + z * z < reach * reach) offsets.push_back({cx, cy});
    }
  return offsets;
}

/// Atoms of a column in the cells within the reach of cell `iz`, ascending.
std::vector<int> atoms_near(const Lattice& lattice, bool periodic_z, double reach_angstrom, int iz) {
  const int nb = lattice.sites_per_cell(), nz = lattice.cells[2];
  const auto span = static_cast<std::int64_t>(std::min(1e9, std::ceil(reach_angstrom / lattice.a) + 1.0));
  std::vector<int> cells;
  if (2 * span + 1 >= nz) {
    for (int z = 0; z < nz; ++z) cells.push_back(z);
  } else {
    for (std::int64_t z = iz - span; z <= iz + span; ++z)
      if (periodic_z || (z >= 0 && z < nz)) cells.push_back(static_cast<int>((z + nz) % nz));
    std::sort(cells.begin(), cells.end());
  }
  std::vector<int> atoms;
  for (const int z : cells)
    for (int b = 0; b < nb; ++b) atoms.push_back(z * nb + b);
  return atoms;
}

}  // namespace

ColumnInteractions find_interactions(const Lattice& lattice, bool periodic_z, double reach_angstrom) {
  const int nb = lattice.sites_per_cell(), nz = lattice.cells[2];
  ColumnInteractions found;
  found.partners.resize(static_cast<std::size_t>(nz) * nb);
  std::map<std::tuple<int, int, int>, int> set_of;  // (basis, basis, dz); -1: no pair
  for (int k = 0; k < found.size(); ++k)
    for (const int other : atoms_near(lattice, periodic_z, reach_angstrom, k / nb)) {
      const std::tuple<int, int, int> key{k % nb, other % nb, other / nb - k / nb};
      auto [entry, is_new] = set_of.try_emplace(key, -1);
      if (is_new) {
        auto offsets = offsets_within(lattice, periodic_z, reach_angstrom / lattice.a, std::get<0>(key),
                                      std::get<1>(key), std::get<2>(key));
        if (!offsets.empty()) {
          entry->second = static_cast<int>(found.shift_sets.size());
          found.shift_sets.push_back(std::move(offsets));
        }
      }
      if (entry->second >= 0) found.partners[k].push_back({other, entry->second});
    }
  return found;
}

}  // namespace wafermark::tungsten
