#include "tungsten_md/wafer/placement/column_placement.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <optional>
#include <set>
#include <tuple>

#include "common/errors.hpp"
#include "tungsten_md/wafer/placement/column_search.hpp"
#include "wse_emulator/panels.hpp"

namespace wafermark::tungsten {

namespace {

/// Of a column: the search tries every pair of its tiles.
constexpr std::int64_t most_atoms = 2000;

void require_short_column(const Lattice& lattice) {
  const std::int64_t n = std::int64_t{lattice.sites_per_cell()} * lattice.cells[2];
  if (n > most_atoms)
    throw InputError(fmt::format(
        "structure.cells: found {} atoms in a column along z, expected at most {}: the search for "
        "their tiles takes too long for more",
        n, most_atoms));
}

/// Before anything is made whose size goes with the crystal's.
void require_room(const Lattice& lattice, int max_width, int max_height) {
  const std::int64_t n = std::int64_t{lattice.sites_per_cell()} * lattice.cells[2];
  const auto tiles = [&](int along_x, int along_y) {
    return std::int64_t{along_x / lattice.cells[0]} * (along_y / lattice.cells[1]);
  };
  const std::int64_t straight = tiles(max_width, max_height), turned = tiles(max_height, max_width);
  if (n > std::max(straight, turned))
    throw InputError(fmt::format(
        "structure.cells: found {} atoms in a column of {} x {} columns, expected at most {} (or {} with the "
        "crystal turned), the tiles that each column has on {} x {} tiles",
        n, lattice.cells[0], lattice.cells[1], straight, turned, max_width, max_height));
  require_short_column(lattice);
}

struct Rectangle {
  int p, q;
  bool turned;
  int bound;  ///< no placement has a smaller b
  int way;    ///< tiles to the next layer, along the longer way; one layer: 0
};

/// Tiles to the next layer with columns of p x q tiles, where these fit the wafer.
using Fit = std::function<std::optional<int>(int p, int q, bool turned)>;

/// Rectangles that hold n atoms and fit the wafer, the most promising first: those with the least bound,
/// squarest first. Rectangles with a row or more to spare are left out unless one more column of tiles makes
/// them squarer.
std::vector<Rectangle> candidates(int n, const LeastReach& least, const Fit& fit) {
  std::vector<Rectangle> found;
  for (bool turned : {false, true})
    for (int p = 1; p <= n; ++p)
      for (int q = (n + p - 1) / p, spare = 0; spare < 2; ++q, ++spare) {
        const std::optional<int> way = fit(p, q, turned);
        if (!way) break;
        const bool known = std::any_of(found.begin(), found.end(), [&](const Rectangle& r) {
          return r.p == p && r.q == q && r.way <= *way;
        });
        if (!known) found.push_back({p, q, turned, least.on(p, q), *way});
      }
  std::stable_sort(found.begin(), found.end(), [](const Rectangle& r, const Rectangle& s) {
    const auto key = [](const Rectangle& t) { return std::tuple(t.bound, t.p * t.q, std::abs(t.p - t.q)); };
    return key(r) < key(s);
  });
  return found;
}

/// The best assignment of a column's atoms to one of these rectangles.
ColumnPlacement best_of(const std::vector<Rectangle>& rectangles, const ColumnInteractions& interactions,
                        int sites_per_cell) {
  // A quick search on each candidate, then a long one on the rectangles that did best.
  constexpr std::int64_t lookups = 300'000'000;
  constexpr std::size_t quick = 12, thorough = 3;
  std::size_t partners = 0;
  for (const auto& of_atom : interactions.partners) partners = std::max(partners, of_atom.size());
  const std::int64_t swaps = lookups / static_cast<std::int64_t>(4 * partners + 16);
  struct Trial {
    Rectangle rectangle;
    ColumnAssignment assignment;
  };
  std::vector<Trial> trials;
  const auto order = [](const Trial& s, const Trial& t) {
    const auto key = [](const Trial& u) {
      return std::tuple(u.assignment.reach.b, u.rectangle.way, u.assignment.reach.pairs_at_b,
                        u.rectangle.p * u.rectangle.q, u.rectangle.turned);
    };
    return key(s) < key(t);
  };
  for (const Rectangle& r : rectangles) {
    if (trials.size() == quick) break;
    if (!trials.empty() && r.bound > trials.front().assignment.reach.b) break;
    trials.push_back({r, search_assignment(interactions, sites_per_cell, r.p, r.q, swaps / 50)});
    std::stable_sort(trials.begin(), trials.end(), order);
  }
  if (trials.size() > thorough) trials.resize(thorough);
  for (Trial& trial : trials) {
    ColumnAssignment longer =
        search_assignment(interactions, sites_per_cell, trial.rectangle.p, trial.rectangle.q,
                          swaps / static_cast<std::int64_t>(trials.size()));
    if (longer.reach < trial.assignment.reach) trial.assignment = std::move(longer);
  }
  std::stable_sort(trials.begin(), trials.end(), order);
  const Trial& best = trials.front();
  return {best.rectangle.p, best.rectangle.q, best.assignment.tile_of, best.assignment.reach.b,
          best.rectangle.turned};
}

void require_reach(double reach_angstrom) {
  if (!(reach_angstrom > 0.0) || !std::isfinite(reach_angstrom))
    throw InputError(
        fmt::format("placement: found a reach of {} Angstrom, expected a positive number", reach_angstrom));
}

/// Where layers begin, and how many on each side an atom sees.
LayeredPlacement cut_into_layers(const Lattice& lattice, bool periodic_z, double reach, int cells) {
  const int nz = lattice.cells[2];
  LayeredPlacement placed;
  int layers = cells > 0 ? (nz + cells - 1) / cells : 1;
  if (periodic_z && layers > 1 && layers % 2 != 0) layers += layers < nz ? 1 : -1;
  for (int layer = 0; layer <= layers; ++layer)
    placed.first_cell.push_back(static_cast<int>(std::int64_t{layer} * nz / layers));
  if (layers == 1) return placed;
  // Between the last plane of a layer and the first of that which lies `each_side` + 1 on: that many whole
  // layers, the thinnest of nz / layers cells, and the distance of two planes.
  const double thinnest = nz / layers * lattice.a;
  const double sees = std::ceil((reach - 2.0 * lattice.margin()) / thinnest);
  placed.each_side = static_cast<int>(std::clamp(sees, 1.0, layers - 1.0));
  if (periodic_z && layers < 2 * placed.each_side + 1)
    throw InputError(
        fmt::format("wafer.layer_cells: found {} layers along periodic axis z, expected at least {}, or "
                    "none: an atom sees "
                    "{} on each side",
                    layers, 2 * placed.each_side + 1, placed.each_side));
  return placed;
}

/// The interactions of all layers' atoms by their places in a layer: atoms at the same place are one.
ColumnInteractions of_places(const ColumnInteractions& all, const std::vector<int>& first_cell,
                             int sites_per_cell) {
  std::vector<int> place;
  int thickest = 0;
  for (std::size_t layer = 0; layer + 1 < first_cell.size(); ++layer) {
    const int atoms = (first_cell[layer + 1] - first_cell[layer]) * sites_per_cell;
    thickest = std::max(thickest, atoms);
    for (int k = 0; k < atoms; ++k) place.push_back(k);
  }
  std::vector<std::set<std::array<int, 2>>> partners(static_cast<std::size_t>(thickest));
  for (int k = 0; k < all.size(); ++k)
    for (const ColumnPartner& partner : all.partners[static_cast<std::size_t>(k)])
      partners[static_cast<std::size_t>(place[static_cast<std::size_t>(k)])].insert(
          {place[static_cast<std::size_t>(partner.atom)], partner.shifts});
  ColumnInteractions folded{all.shift_sets, {}};
  for (const auto& of_place : partners) {
    auto& list = folded.partners.emplace_back();
    for (const auto& [atom, shifts] : of_place) list.push_back({atom, shifts});
  }
  return folded;
}

/// Panels along one axis of so many tiles, of which the last needs no idle tiles behind it.
int panels_along(int tiles, std::int64_t of_panel) {
  if (of_panel > tiles) return 0;
  const int pitch = wse::panel_pitch(static_cast<int>(of_panel));
  return (tiles + pitch - static_cast<int>(of_panel)) / pitch;
}

}  // namespace

int reach_of(const Lattice& lattice, bool periodic_z, const std::vector<std::array<int, 2>>& tile_of, int p,
             int q, double reach_angstrom) {
  const ColumnInteractions interactions = find_interactions(lattice, periodic_z, reach_angstrom);
  if (static_cast<int>(tile_of.size()) != interactions.size())
    throw InputError(fmt::format("placement: found tiles for {} atoms of a column, expected {}",
                                 tile_of.size(), interactions.size()));
  return measure(interactions, tile_of, p, q).b;
}

ColumnPlacement place_column(const Lattice& lattice, std::array<bool, 3> periodic, double reach_angstrom,
                             int max_width, int max_height) {
  require_reach(reach_angstrom);
  require_room(lattice, max_width, max_height);
  const ColumnInteractions interactions = find_interactions(lattice, periodic[2], reach_angstrom);
  const auto fit = [&](int p, int q, bool turned) -> std::optional<int> {
    const int width = turned ? max_height : max_width, height = turned ? max_width : max_height;
    if (p > width / lattice.cells[0] || q > height / lattice.cells[1]) return std::nullopt;
    return 0;
  };
  return best_of(candidates(interactions.size(), LeastReach(interactions), fit), interactions,
                 lattice.sites_per_cell());
}

LayeredPlacement place_layers(const Lattice& lattice, std::array<bool, 3> periodic, double reach_angstrom,
                              int cells, int max_width, int max_height) {
  require_reach(reach_angstrom);
  LayeredPlacement placed = cut_into_layers(lattice, periodic[2], reach_angstrom, cells);
  if (placed.layers() == 1) {
    placed.column = place_column(lattice, periodic, reach_angstrom, max_width, max_height);
    return placed;
  }
  require_short_column(lattice);
  const auto panels_with = [&](int p, int q, bool turned) {
    const std::int64_t along_x = std::int64_t{p} * lattice.cells[0],
                       along_y = std::int64_t{q} * lattice.cells[1];
    return wse::path_of_panels(placed.layers(), panels_along(max_width, turned ? along_y : along_x),
                               panels_along(max_height, turned ? along_x : along_y), periodic[2]);
  };
  const auto fit = [&](int p, int q, bool turned) -> std::optional<int> {
    const auto panels = panels_with(p, q, turned);
    if (!panels) return std::nullopt;
    int way = 0;
    for (std::size_t k = 0; k + 1 < panels->size(); ++k) {
      const bool across = (*panels)[k][1] == (*panels)[k + 1][1];
      way = std::max(way, across != turned ? p * lattice.cells[0] : q * lattice.cells[1]);
    }
    return way;
  };
  const ColumnInteractions interactions = of_places(find_interactions(lattice, periodic[2], reach_angstrom),
                                                    placed.first_cell, lattice.sites_per_cell());
  const auto rectangles =
      candidates(interactions.size(), LeastReach(interactions, 2 * placed.each_side + 1), fit);
  if (rectangles.empty())
    throw InputError(
        fmt::format("wafer.layer_cells: found {} layers of {} x {} columns with {} atoms each, expected "
                    "panels that lie beside "
                    "each other on {} x {} tiles{}",
                    placed.layers(), lattice.cells[0], lattice.cells[1], interactions.size(), max_width,
                    max_height, periodic[2] ? ", the last beside the first" : ""));
  placed.column = best_of(rectangles, interactions, lattice.sites_per_cell());
  placed.panels = *panels_with(placed.column.p, placed.column.q, placed.column.turned);
  return placed;
}

}  // namespace wafermark::tungsten
