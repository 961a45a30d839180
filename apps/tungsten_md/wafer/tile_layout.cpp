#include "tungsten_md/wafer/tile_layout.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "common/errors.hpp"
#include "tungsten_md/wafer/placement/column_placement.hpp"
#include "tungsten_md/wafer/placement/structure_placement.hpp"

namespace wafermark::tungsten {
namespace {

/// The search takes a second: one rank makes it.
LayeredPlacement placed_once(const Communicator& comm, const Lattice& lattice, std::array<bool, 3> periodic,
                             double reach, int layer_cells, int width, int height) {
  std::vector<int> words;
  std::string problem;
  const auto put = [&](const std::vector<std::array<int, 2>>& pairs) {
    words.push_back(static_cast<int>(pairs.size()));
    for (const auto& pair : pairs) words.insert(words.end(), {pair[0], pair[1]});
  };
  if (comm.is_root()) {
    try {
      const LayeredPlacement p = place_layers(lattice, periodic, reach, layer_cells, width, height);
      words = {p.column.p, p.column.q, p.column.b, p.column.turned ? 1 : 0, p.each_side, p.layers() + 1};
      words.insert(words.end(), p.first_cell.begin(), p.first_cell.end());
      put(p.column.tile_of);
      put(p.panels);
    } catch (const InputError& e) {
      problem = e.what();
    }
  }
  comm.throw_together(!problem.empty(), problem);
  comm.broadcast(words);
  auto next = words.begin() + 6;
  const auto take = [&] {
    std::vector<std::array<int, 2>> pairs(static_cast<std::size_t>(*next++));
    for (auto& pair : pairs) {
      pair = {next[0], next[1]};
      next += 2;
    }
    return pairs;
  };
  LayeredPlacement p;
  p.column = {words[0], words[1], {}, words[2], words[3] == 1};
  p.each_side = words[4];
  p.first_cell.assign(next, next + words[5]);
  next += words[5];
  p.column.tile_of = take();
  p.panels = take();
  return p;
}

TileLayout lay_out_crystal(const Communicator& comm, const Lattice& lattice, const Box& box, double reach,
                           int layer_cells, int width, int height) {
  const LayeredPlacement layers = placed_once(comm, lattice, box.periodic, reach, layer_cells, width, height);
  const ColumnPlacement& placed = layers.column;
  TileLayout t;
  t.axis = placed.turned ? std::array{1, 0} : std::array{0, 1};
  const std::array<int, 2> per_axis{placed.p, placed.q};
  std::array<int, 2> tiles{};
  for (std::size_t g = 0; g < 2; ++g) {
    const auto a = static_cast<std::size_t>(t.axis[g]);
    t.tiles_per_column[g] = per_axis[a];
    t.column_length[g] = lattice.a;
    t.origin[g] = box.lo[a];
    t.grid.ring[g] = box.periodic[a];
    tiles[g] = per_axis[a] * lattice.cells[a];
  }
  t.grid.width = tiles[0];
  t.grid.height = tiles[1];
  t.reach = placed.b;
  t.columns = {lattice.cells[0], lattice.cells[1]};
  t.atoms_per_column = std::int64_t{lattice.cells[2]} * lattice.sites_per_cell();
  t.first_in_layer.clear();
  for (int layer = 0; layer < layers.layers(); ++layer)
    t.first_in_layer.push_back(std::int64_t{layers.first_cell[static_cast<std::size_t>(layer)]} *
                               lattice.sites_per_cell());
  t.panels = layers.panels;
  t.ring_of_layers = t.layers() > 1 && box.periodic[2];
  t.layers_each_side = layers.each_side;
  const auto [p, q] = t.tiles_per_column;
  t.in_column.assign(static_cast<std::size_t>(p) * static_cast<std::size_t>(q), -1);
  const auto g0 = static_cast<std::size_t>(t.axis[0]), g1 = static_cast<std::size_t>(t.axis[1]);
  for (std::size_t k = 0; k < placed.tile_of.size(); ++k)
    t.in_column[static_cast<std::size_t>(placed.tile_of[k][g1]) * static_cast<std::size_t>(p) +
                static_cast<std::size_t>(placed.tile_of[k][g0])] = static_cast<std::int64_t>(k);
  return t;
}

/// The search takes seconds: one rank makes it.
StructurePlacement placed_structure_once(const Communicator& comm, const Configuration& structure,
                                         double reach, double cutoff, int width, int height) {
  StructurePlacement p;
  std::string problem;
  if (comm.is_root()) {
    try {
      p = place_structure(structure, reach, cutoff, width, height);
    } catch (const InputError& e) {
      problem = e.what();
    }
  }
  comm.throw_together(!problem.empty(), problem);
  std::vector<std::int64_t> numbers{p.tiles[0],   p.tiles[1],        p.b,
                                    p.pairs_at_b, p.most_neighbours, p.turned ? 1 : 0};
  std::vector<int> tiles;
  for (const auto& tile : p.tile_of) tiles.insert(tiles.end(), {tile[0], tile[1]});
  comm.broadcast(numbers);
  comm.broadcast(tiles);
  for (auto& places : p.places) comm.broadcast(places);
  comm.broadcast(p.mean_distance);
  p.tiles = {static_cast<int>(numbers[0]), static_cast<int>(numbers[1])};
  p.b = static_cast<int>(numbers[2]);
  p.pairs_at_b = numbers[3];
  p.most_neighbours = static_cast<int>(numbers[4]);
  p.turned = numbers[5] == 1;
  p.tile_of.clear();
  for (std::size_t k = 0; k < tiles.size(); k += 2) p.tile_of.push_back({tiles[k], tiles[k + 1]});
  return p;
}

TileLayout lay_out_structure(const Communicator& comm, const Configuration& structure, double reach,
                             double cutoff, int width, int height) {
  StructurePlacement placed = placed_structure_once(comm, structure, reach, cutoff, width, height);
  TileLayout t;
  t.axis = placed.turned ? std::array{1, 0} : std::array{0, 1};
  for (std::size_t g = 0; g < 2; ++g) {
    const auto a = static_cast<std::size_t>(t.axis[g]);
    t.tiles_per_column[g] = placed.tiles[a];
    t.column_length[g] = structure.box.length(t.axis[g]);
    t.grid.ring[g] = structure.box.periodic[a];
    t.within[g] = std::move(placed.places[a]);
  }
  t.grid.width = t.tiles_per_column[0];
  t.grid.height = t.tiles_per_column[1];
  t.reach = placed.b;
  t.columns = {1, 1};
  t.atoms_per_column = static_cast<std::int64_t>(placed.tile_of.size());
  t.structure = {placed.pairs_at_b, placed.mean_distance, placed.most_neighbours};
  t.in_column.assign(static_cast<std::size_t>(t.grid.tiles()), -1);
  const auto g0 = static_cast<std::size_t>(t.axis[0]), g1 = static_cast<std::size_t>(t.axis[1]);
  for (std::size_t k = 0; k < placed.tile_of.size(); ++k)
    t.in_column[static_cast<std::size_t>(t.tile(placed.tile_of[k][g0], placed.tile_of[k][g1], 0))] =
        static_cast<std::int64_t>(k);
  return t;
}

}  // namespace

TileLayout lay_out(const Communicator& comm, const Case& what, const wse::Machine& machine, int layer_cells,
                   double cutoff, const Configuration* structure) {
  const WaferSettings& w = what.wafer;
  const double reach = cutoff + w.margin_angstrom;
  const auto& lattice = what.structure.lattice;
  const Box box = lattice ? lattice->box(what.structure.periodic) : structure->box;
  // Beside a crystal's columns tiles are not evenly spread: which way round a narrow ring an atom lies must
  // be clear.
  for (std::size_t d = 0; d < 2 && !lattice; ++d)
    if (box.periodic[d] && box.length(static_cast<int>(d)) < 2.0 * (reach + 1.0))
      throw InputError(
          fmt::format("structure: found {} Angstrom along periodic axis {}, expected at least {}, twice the "
                      "cut-off and wafer.margin_angstrom, and 2 Angstrom",
                      box.length(static_cast<int>(d)), "xyz"[d], 2.0 * (reach + 1.0)));
  if (!lattice && layer_cells > 0)
    throw InputError(fmt::format("wafer.layer_cells: found {}, expected 0: only crystals are cut into layers",
                                 layer_cells));
  TileLayout t = lattice
                     ? lay_out_crystal(comm, *lattice, box, reach, layer_cells, machine.width, machine.height)
                     : lay_out_structure(comm, *structure, reach, cutoff, machine.width, machine.height);
  if (w.neighbourhood > 0) {
    if (w.neighbourhood < t.reach)
      throw InputError(
          fmt::format("wafer.neighbourhood: found {}, expected 0 or at least {}, which the cut-off of {} "
                      "and the margin of {} Angstrom need",
                      w.neighbourhood, t.reach, cutoff, w.margin_angstrom));
    t.reach = w.neighbourhood;
  }
  if (t.reach > WaferSettings::largest_neighbourhood || t.candidates() > 65535)
    throw InputError(
        fmt::format("wafer.margin_angstrom: found {}, which needs a neighbourhood of b = {} with {} atoms a "
                    "tile, expected b "
                    "of at most {} and no more than 65,535 candidates: a tile tells them apart by 16 bits",
                    w.margin_angstrom, t.reach, t.records(), WaferSettings::largest_neighbourhood));
  t.middle_z = 0.5 * (box.lo[2] + box.hi[2]);
  const std::array<int, 2> tiles{t.grid.width, t.grid.height};
  for (std::size_t g = 0; g < 2; ++g)
    if (t.grid.ring[g] && tiles[g] < 2 * t.reach + 1)
      throw InputError(
          fmt::format("structure: found {} tiles along periodic axis {}, expected at least {}: a "
                      "neighbourhood of b = {} would meet itself (a larger box, or an open axis)",
                      tiles[g], "xyz"[t.axis[g]], 2 * t.reach + 1, t.reach));
  if (box.periodic[2] && box.length(2) < 2.0 * cutoff)
    throw InputError(
        fmt::format("structure: found {} Angstrom along periodic axis z, expected at least two cut-offs, {}",
                    box.length(2), 2.0 * cutoff));
  return t;
}

}  // namespace wafermark::tungsten
