#include "tungsten_md/wafer/placement/column_placement.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <tuple>

#include "common/errors.hpp"
#include "tungsten_md/wafer/placement/column_search.hpp"

namespace wafermark::tungsten {

namespace {

/// Of a column: the search tries every pair of its tiles.
constexpr std::int64_t most_atoms = 2000;

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
  if (n > most_atoms)
    throw InputError(fmt::format(
        "structure.cells: found {} atoms in a column along z, expected at most {}: the search for "
        "their tiles takes too long for more",
        n, most_atoms));
}

struct Rectangle {
  int p, q;
  bool turned;
  int bound;  ///< no placement has a smaller b
};

/// Rectangles that hold n atoms and fit the wafer, the most promising first: those with the least bound,
/// squarest first. Rectangles with a row or more to spare are left out unless one more column of tiles makes
/// them squarer.
std::vector<Rectangle> candidates(const Lattice& lattice, const ColumnInteractions& interactions,
                                  int max_width, int max_height) {
  const int n = interactions.size();
  const LeastReach least(interactions);
  std::vector<Rectangle> found;
  for (bool turned : {false, true}) {
    const int p_max = (turned ? max_height : max_width) / lattice.cells[0];
    const int q_max = (turned ? max_width : max_height) / lattice.cells[1];
    for (int p = 1; p <= std::min(p_max, n); ++p)
      for (int q = (n + p - 1) / p, spare = 0; q <= q_max && spare < 2; ++q, ++spare) {
        const bool known =
            std::any_of(found.begin(), found.end(), [&](const Rectangle& r) { return r.p == p && r.q == q; });
        if (!known) found.push_back({p, q, turned, least.on(p, q)});
      }
  }
  std::stable_sort(found.begin(), found.end(), [](const Rectangle& r, const Rectangle& s) {
    const auto key = [](const Rectangle& t) { return std::tuple(t.bound, t.p * t.q, std::abs(t.p - t.q)); };
    return key(r) < key(s);
  });
  return found;
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
  if (!(reach_angstrom > 0.0) || !std::isfinite(reach_angstrom))
    throw InputError(
        fmt::format("placement: found a reach of {} Angstrom, expected a positive number", reach_angstrom));
  require_room(lattice, max_width, max_height);
  const ColumnInteractions interactions = find_interactions(lattice, periodic[2], reach_angstrom);
  const std::vector<Rectangle> rectangles = candidates(lattice, interactions, max_width, max_height);
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
      return std::tuple(u.assignment.reach, u.rectangle.p * u.rectangle.q, u.rectangle.turned);
    };
    return key(s) < key(t);
  };
  for (const Rectangle& r : rectangles) {
    if (trials.size() == quick) break;
    if (!trials.empty() && r.bound > trials.front().assignment.reach.b) break;
    trials.push_back({r, search_assignment(interactions, lattice.sites_per_cell(), r.p, r.q, swaps / 50)});
    std::stable_sort(trials.begin(), trials.end(), order);
  }
  if (trials.size() > thorough) trials.resize(thorough);
  for (Trial& trial : trials) {
    ColumnAssignment longer =
        search_assignment(interactions, lattice.sites_per_cell(), trial.rectangle.p, trial.rectangle.q,
                          swaps / static_cast<std::int64_t>(trials.size()));
    if (longer.reach < trial.assignment.reach) trial.assignment = std::move(longer);
  }
  std::stable_sort(trials.begin(), trials.end(), order);
  const Trial& best = trials.front();
  return {best.rectangle.p, best.rectangle.q, best.assignment.tile_of, best.assignment.reach.b,
          best.rectangle.turned};
}

}  // namespace wafermark::tungsten
