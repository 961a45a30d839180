#include "tungsten_md/wafer/tile_layout.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "common/errors.hpp"
#include "tungsten_md/wafer/placement/column_placement.hpp"

namespace wafermark::tungsten {
namespace {

/// The search takes a second: one rank makes it.
ColumnPlacement placed_once(const Communicator& comm, const Lattice& lattice, std::array<bool, 3> periodic,
                            double reach, int width, int height) {
  std::vector<int> words;
  std::string problem;
  if (comm.is_root()) {
    try {
      const ColumnPlacement p = place_column(lattice, periodic, reach, width, height);
      words = {p.p, p.q, p.b, p.turned ? 1 : 0};
      for (const auto& tile : p.tile_of) words.insert(words.end(), {tile[0], tile[1]});
    } catch (const InputError& e) {
      problem = e.what();
    }
  }
  comm.throw_together(!problem.empty(), problem);
  comm.broadcast(words);
  ColumnPlacement p;
  p.p = words[0];
  p.q = words[1];
  p.b = words[2];
  p.turned = words[3] == 1;
  for (std::size_t k = 4; k < words.size(); k += 2) p.tile_of.push_back({words[k], words[k + 1]});
  return p;
}

TileLayout lay_out_crystal(const Communicator& comm, const Lattice& lattice, const Box& box, double reach,
                           int width, int height) {
  const ColumnPlacement placed = placed_once(comm, lattice, box.periodic, reach, width, height);
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
  t.atoms_per_column = static_cast<std::int64_t>(placed.tile_of.size());
  const auto [p, q] = t.tiles_per_column;
  t.in_column.assign(static_cast<std::size_t>(p) * static_cast<std::size_t>(q), -1);
  const auto g0 = static_cast<std::size_t>(t.axis[0]), g1 = static_cast<std::size_t>(t.axis[1]);
  for (std::size_t k = 0; k < placed.tile_of.size(); ++k)
    t.in_column[static_cast<std::size_t>(placed.tile_of[k][g1]) * static_cast<std::size_t>(p) +
                static_cast<std::size_t>(placed.tile_of[k][g0])] = static_cast<std::int64_t>(k);
  return t;
}

}  // namespace

TileLayout lay_out(const Communicator& comm, const Case& what, const wse::Machine& machine, double cutoff) {
  const WaferSettings& w = what.wafer;
  const double reach = cutoff + w.margin_angstrom;
  if (!what.structure.lattice)
    throw InputError("structure.file: the wafer target lays out crystals only, expected structure.lattice");
  const Lattice& lattice = *what.structure.lattice;
  const Box box = lattice.box(what.structure.periodic);
  TileLayout t = lay_out_crystal(comm, lattice, box, reach, machine.width, machine.height);
  if (w.neighbourhood > 0) {
    if (w.neighbourhood < t.reach)
      throw InputError(
          fmt::format("wafer.neighbourhood: found {}, expected 0 or at least {}, which the cut-off of {} "
                      "and the margin of {} Angstrom need",
                      w.neighbourhood, t.reach, cutoff, w.margin_angstrom));
    t.reach = w.neighbourhood;
  }
  if (t.reach > WaferSettings::largest_neighbourhood)
    throw InputError(fmt::format(
        "wafer.margin_angstrom: found {}, which needs a neighbourhood of b = {}, expected b of at most "
        "{}: a tile tells its candidates apart by 16 bits",
        w.margin_angstrom, t.reach, WaferSettings::largest_neighbourhood));
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
