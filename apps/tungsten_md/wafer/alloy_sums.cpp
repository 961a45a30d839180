// Densities and forces of an alloy: the loops of tile_block.cpp with tables that depend on both atoms'
// elements.
#include "tungsten_md/wafer/tile_block.hpp"

namespace wafermark::tungsten {

PairTileTables<float> TileBlock::tables_of(int type, int other) const {
  const std::ptrdiff_t of_pair = 8 * (static_cast<std::ptrdiff_t>(tables_.nr) + 1);
  return {tables_.radial + of_pair * (type * elements_ + other),
          tables_.radial + of_pair * (other * elements_ + type), tables_.nr, tables_.inverse_dr};
}

PairSquaredTileTables<float> TileBlock::squares_of(int type, int other) const {
  const std::ptrdiff_t pieces = static_cast<std::ptrdiff_t>(squares_->last) + 1,
                       pair = type * elements_ + other, reverse = other * elements_ + type;
  return {squares_->density + 4 * pieces * pair,
          squares_->slopes + 8 * pieces * pair,
          squares_->slopes + 8 * pieces * reverse,
          squares_->inverse_du,
          squares_->half_du,
          squares_->last};
}

Embedding<float> TileBlock::embedded(int type, float density) const {
  return embed(tables_.embedding + std::ptrdiff_t{4} * tables_.nrho * type, tables_.nrho,
               tables_.inverse_drho, density);
}

void TileBlock::multicast_types(const wse::MarchingMulticast& pattern) {
  for (std::size_t i = 0; i < atoms_.size(); ++i) types_[bordered(i)] = atoms_[i].type;
  pattern.move(border_, types_, 1, 0);
}

void TileBlock::sum_alloy_densities() {
  if (squares_)
    sum_alloy_densities([this](int type, int other) { return squares_of(type, other); });
  else
    sum_alloy_densities([this](int type, int other) { return tables_of(type, other); });
}

template <class TablesOfPair>
void TileBlock::sum_alloy_densities(const TablesOfPair& tables_of) {
  for_each_atom("densities", [&](std::size_t i) {
    const Place here = place(i);
    const std::uint16_t* list = &list_[i * list_stride_];
    std::array<float, 4> partial{};
    std::array<int, 4> found{};
    int neighbours = 0;
    for (int e = 0; e < list_count_[i]; ++e) {
      const Vector<float> d = separation_to(sites_, here, atoms_[i].x, list[e]);
      const float r2 = squared_length(d.x, d.y, d.z);
      const bool acts = inside(r2, tables_.cutoff_squared);
      neighbours += acts ? 1 : 0;
      if (!acts && !untested_) continue;
      const auto share = static_cast<std::size_t>(window_[list[e]].share);
      const auto tables = tables_of(atoms_[i].type, type_of_candidate(here, list[e]));
      add_density(tables, neighbour_distance(tables, r2), partial[shares_ == 4 ? share : 0]);
      ++found[share];
    }
    const Embedding<float> f =
        embedded(atoms_[i].type, (partial[0] + partial[1]) + (partial[2] + partial[3]));
    neighbours_[i] = neighbours;
    if (shares_ > 1) found_[i] = found;
    energy_[i] = static_cast<double>(f.energy);
    density_slope_[i] = f.slope;
  });
}

void TileBlock::sum_alloy_forces(bool with_energy) {
  if (squares_)
    sum_alloy_forces([this](int type, int other) { return squares_of(type, other); }, with_energy);
  else
    sum_alloy_forces([this](int type, int other) { return tables_of(type, other); }, with_energy);
}

template <class TablesOfPair>
void TileBlock::sum_alloy_forces(const TablesOfPair& tables_of, bool with_energy) {
  for_each_atom("forces", [&](std::size_t i) {
    const Place here = place(i);
    const std::uint16_t* list = &list_[i * list_stride_];
    std::array<Vector<float>, 4> force{};
    double phi = 0.0, virial = 0.0;
    for (int e = 0; e < list_count_[i]; ++e) {
      const Vector<float> d = separation_to(sites_, here, atoms_[i].x, list[e]);
      const float r2 = squared_length(d.x, d.y, d.z);
      if (!untested_ && !inside(r2, tables_.cutoff_squared)) continue;
      const auto there =
          static_cast<std::size_t>(static_cast<std::ptrdiff_t>(here.at) + window_[list[e]].offset);
      const auto tables = tables_of(atoms_[i].type, type_of_candidate(here, list[e]));
      const auto distance = neighbour_distance(tables, r2);
      const float force_over_r = add_force(tables, distance, d, density_slope_[i], sites_[4 * there + 3],
                                           force[static_cast<std::size_t>(window_[list[e]].share)]);
      if (!with_energy) continue;
      phi += 0.5 * static_cast<double>(pair_energy(tables, distance));
      virial += 0.5 * static_cast<double>(force_over_r * r2);
    }
    atoms_[i].f = sum(sum(force[0], force[1]), sum(force[2], force[3]));
    if (with_energy) {
      energy_[i] += phi;
      virial_[i] = virial;
    }
  });
}

}  // namespace wafermark::tungsten
