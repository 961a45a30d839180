#include "tungsten_md/wafer/placement/tile_exchanges.hpp"

#include <algorithm>
#include <cstdlib>

namespace wafermark::tungsten {
namespace {

using Tile = std::array<int, 2>;

int distance(const TilePlane& plane, const Tile& a, const Tile& b) {
  return std::max(std::abs(plane.places(a[0], b[0], 0)), std::abs(plane.places(a[1], b[1], 1)));
}

/// Tiles and their atoms, with a limit on the distances of pairs.
class Exchanges {
 public:
  Exchanges(const PairList& pairs, const TilePlane& plane, std::int64_t budget, std::vector<Tile>& tile_of)
      : pairs_(pairs), plane_(plane), budget_(budget), tile_of_(tile_of) {
    occupant_.assign(static_cast<std::size_t>(plane.tiles[0]) * static_cast<std::size_t>(plane.tiles[1]), -1);
    for (std::size_t k = 0; k < tile_of.size(); ++k) at(tile_of[k]) = static_cast<std::int64_t>(k);
  }

  /// Whether no pair is farther apart than `limit` at the end.
  bool reach(int limit) {
    limit_ = limit;
    constexpr int most_sweeps = 60, patience = 8;
    std::int64_t least = -1;
    std::vector<std::uint32_t> beyond = atoms_beyond();
    for (int sweep = 0, idle = 0; sweep < most_sweeps && idle < patience && !beyond.empty(); ++sweep) {
      // Each sweep looks farther around: what is near was tried before.
      for (const std::uint32_t k : beyond) {
        if (budget_ <= 0) return false;
        move(k, 1 + sweep % 3, sweep % 2 == 1 ? 1 : 0);
      }
      beyond = atoms_beyond();
      const auto left = static_cast<std::int64_t>(beyond.size());
      idle = least >= 0 && left >= least ? idle + 1 : 0;
      least = least < 0 ? left : std::min(least, left);
    }
    return beyond.empty();
  }

 private:
  std::int64_t& at(const Tile& t) {
    return occupant_[static_cast<std::size_t>(t[1]) * static_cast<std::size_t>(plane_.tiles[0]) +
                     static_cast<std::size_t>(t[0])];
  }
  std::vector<std::uint32_t> atoms_beyond() {
    std::vector<std::uint32_t> beyond;
    for (std::size_t k = 0; k < pairs_.atoms(); ++k)
      if (excess(k, tile_of_[k], k) > 0) beyond.push_back(static_cast<std::uint32_t>(k));
    return beyond;
  }
  /// Squares of what the pairs of atom k, were it on `tile`, are beyond the limit; without its pair with
  /// `skipped`.
  std::int64_t excess(std::size_t k, const Tile& tile, std::size_t skipped) {
    std::int64_t sum = 0;
    for (std::size_t e = pairs_.begin[k]; e < pairs_.begin[k + 1]; ++e) {
      const int over = distance(plane_, tile, tile_of_[pairs_.other[e]]) - limit_;
      if (over > 0 && pairs_.other[e] != skipped) sum += std::int64_t{over} * over;
    }
    budget_ -= static_cast<std::int64_t>(pairs_.begin[k + 1] - pairs_.begin[k]);
    return sum;
  }
  /// Atom k changes tiles with the one, around where its pairs would have it, that gains most. `loss`: what
  /// must be gained beside; with 1 changes that gain nothing count too, which leads out of dead ends.
  void move(std::size_t k, int window, std::int64_t loss) {
    const Tile from = tile_of_[k];
    if (excess(k, from, k) == 0) return;
    Tile least{0, 0}, most{0, 0};
    for (std::size_t e = pairs_.begin[k]; e < pairs_.begin[k + 1]; ++e)
      for (std::size_t d = 0; d < 2; ++d) {
        const int to = plane_.places(from[d], tile_of_[pairs_.other[e]][d], d);
        least[d] = std::min(least[d], to);
        most[d] = std::max(most[d], to);
      }
    std::int64_t best = loss;
    Tile to = from;
    for (int dy = -window; dy <= window; ++dy)
      for (int dx = -window; dx <= window; ++dx) {
        Tile there{from[0] + (least[0] + most[0]) / 2 + dx, from[1] + (least[1] + most[1]) / 2 + dy};
        if (!on_plane(there) || there == from) continue;
        const std::int64_t other = at(there);
        const std::size_t j = other < 0 ? k : static_cast<std::size_t>(other);
        std::int64_t change = excess(k, there, j) - excess(k, from, j);
        if (change >= best) continue;
        if (other >= 0) change += excess(j, from, k) - excess(j, there, k);
        if (change < best) {
          best = change;
          to = there;
        }
      }
    if (best == loss) return;
    std::swap(at(from), at(to));
    tile_of_[k] = to;
    if (const std::int64_t other = at(from); other >= 0) tile_of_[static_cast<std::size_t>(other)] = from;
  }
  /// Moves round a ring into it; false beyond an open end.
  bool on_plane(Tile& t) const {
    for (std::size_t d = 0; d < 2; ++d) {
      if (plane_.ring[d]) t[d] = (t[d] % plane_.tiles[d] + plane_.tiles[d]) % plane_.tiles[d];
      if (t[d] < 0 || t[d] >= plane_.tiles[d]) return false;
    }
    return true;
  }

  const PairList& pairs_;
  TilePlane plane_;
  std::int64_t budget_;
  std::vector<Tile>& tile_of_;
  std::vector<std::int64_t> occupant_;  // -1: no atom
  int limit_ = 0;
};

}  // namespace

PairList PairList::within(const Configuration& structure, double reach) {
  const NearAtoms near(structure, reach);
  PairList pairs;
  pairs.begin.push_back(0);
  for (std::size_t k = 0; k < structure.atoms.size(); ++k) {
    near.visit(structure.atoms.x[k], [&](std::size_t j, const Vec3&) {
      if (j != k) pairs.other.push_back(static_cast<std::uint32_t>(j));
    });
    pairs.begin.push_back(pairs.other.size());
  }
  return pairs;
}

PairDistances measure(const PairList& pairs, const TilePlane& plane, const std::vector<Tile>& tile_of) {
  PairDistances found;
  std::int64_t sum = 0;
  for (std::size_t k = 0; k < pairs.atoms(); ++k)
    for (std::size_t e = pairs.begin[k]; e < pairs.begin[k + 1]; ++e) {
      if (pairs.other[e] < k) continue;
      const int d = distance(plane, tile_of[k], tile_of[pairs.other[e]]);
      sum += d;
      if (d > found.most) found.most = d, found.pairs_at_most = 0;
      if (d == found.most) ++found.pairs_at_most;
    }
  if (!pairs.other.empty())
    found.mean = 2.0 * static_cast<double>(sum) / static_cast<double>(pairs.other.size());
  return found;
}

void bring_nearer(const PairList& pairs, const TilePlane& plane, std::int64_t budget,
                  std::vector<Tile>& tile_of) {
  std::vector<Tile> trial = tile_of;
  Exchanges exchanges(pairs, plane, budget, trial);
  for (;;) {
    const PairDistances now = measure(pairs, plane, trial);
    if (now.most <= 1) return;
    const bool met = exchanges.reach(now.most - 1);
    const PairDistances then = measure(pairs, plane, trial);
    if (then < measure(pairs, plane, tile_of)) tile_of = trial;
    if (!met) return;
  }
}

}  // namespace wafermark::tungsten
