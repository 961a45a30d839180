#include "tungsten_md/wafer/placement/structure_placement.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <numeric>
#include <tuple>

#include "common/errors.hpp"
#include "tungsten_md/wafer/placement/near_atoms.hpp"
#include "tungsten_md/wafer/placement/tile_exchanges.hpp"

namespace wafermark::tungsten {
namespace {

using Tile = std::array<int, 2>;

/// Where a structure lies in the plane: periodic axes whole, of open ones what has atoms.
struct Extent {
  std::array<double, 3> lo{}, length{};
};

Extent extent_of(const Configuration& s) {
  constexpr double thinnest = 1.0;  // Angstrom
  Extent e;
  for (std::size_t d = 0; d < 3; ++d) {
    double lo = s.box.lo[d], hi = s.box.hi[d];
    if (!s.box.periodic[d]) {
      lo = std::numeric_limits<double>::infinity();
      hi = -lo;
      for (const Vec3& x : s.atoms.x) {
        lo = std::min(lo, x[d]);
        hi = std::max(hi, x[d]);
      }
      const double less = std::max(0.0, thinnest - (hi - lo));
      lo -= 0.5 * less;
      hi += 0.5 * less;
    }
    e.lo[d] = lo;
    e.length[d] = hi - lo;
  }
  return e;
}

/// One way of dealing the atoms out.
struct Halving {
  std::array<int, 2> tiles{};
  std::array<double, 2> tilt{};  ///< tiles by which the bottom of the structure is shifted against its top
  bool by_place = false;  ///< halves are cut where they lie, not by numbers of atoms, where tiles suffice
};

/// Atoms to tiles by halving.
class Dealer {
 public:
  Dealer(const Configuration& s, const Extent& e, const Halving& how)
      : how_(how), tile_of_(s.atoms.size()), order_(s.atoms.size()) {
    std::iota(order_.begin(), order_.end(), std::uint32_t{0});
    for (std::size_t d = 0; d < 2; ++d) {
      place_[d].resize(s.atoms.size());
      const double pitch = e.length[d] / how.tiles[d];
      for (std::size_t k = 0; k < s.atoms.size(); ++k) {
        // Round a periodic z axis the tilt goes up and down again.
        double height = (s.atoms.x[k][2] - e.lo[2]) / e.length[2];
        height = s.box.periodic[2] ? std::abs(2.0 * height - 1.0) - 0.5 : height - 0.5;
        double at = (s.atoms.x[k][d] - e.lo[d]) / pitch + how.tilt[d] * height;
        if (s.box.periodic[d]) at -= std::floor(at / how.tiles[d]) * how.tiles[d];
        place_[d][k] =
            std::nearbyint(at * 1024.0) / 1024.0;  // atoms of one plane, but for rounding, lie in one
      }
    }
    heights_.reserve(s.atoms.size());
    for (const Vec3& x : s.atoms.x) heights_.push_back(x[2]);
    deal(0, order_.size(), {0, 0}, how.tiles);
  }
  std::vector<Tile> take() { return std::move(tile_of_); }

 private:
  /// The atoms [first, last) of order_ go to the rectangle of `size` tiles at `corner`.
  void deal(std::size_t first, std::size_t last, Tile corner, std::array<int, 2> size) {
    if (first == last) return;
    if (size[0] == 1 && size[1] == 1) {
      tile_of_[order_[first]] = corner;
      return;
    }
    const std::size_t d = size[0] >= size[1] ? 0 : 1;
    std::array<int, 2> low = size, high = size;
    low[d] = size[d] / 2;
    high[d] = size[d] - low[d];
    const auto tiles = [](const std::array<int, 2>& s) {
      return static_cast<std::size_t>(s[0]) * static_cast<std::size_t>(s[1]);
    };
    const std::size_t n = last - first, in_low = tiles(low), in_high = tiles(high);
    std::size_t lower = (n * in_low + (in_low + in_high) / 2) / (in_low + in_high);
    const double cut = corner[d] + low[d];
    if (how_.by_place)
      lower = static_cast<std::size_t>(std::count_if(order_.begin() + static_cast<std::ptrdiff_t>(first),
                                                     order_.begin() + static_cast<std::ptrdiff_t>(last),
                                                     [&](std::uint32_t k) { return place_[d][k] < cut; }));
    lower = std::clamp(lower, n > in_high ? n - in_high : 0, std::min(n, in_low));
    const auto begin = order_.begin() + static_cast<std::ptrdiff_t>(first);
    // Atoms of one plane are told apart by their heights, so that no half gets a corner of it.
    if (lower > 0 && lower < n)
      std::nth_element(
          begin, begin + static_cast<std::ptrdiff_t>(lower),
          order_.begin() + static_cast<std::ptrdiff_t>(last), [&](std::uint32_t a, std::uint32_t b) {
            return std::tie(place_[d][a], heights_[a], a) < std::tie(place_[d][b], heights_[b], b);
          });
    Tile beyond = corner;
    beyond[d] += low[d];
    deal(first, first + lower, corner, low);
    deal(first + lower, last, beyond, high);
  }

  Halving how_;
  std::vector<Tile> tile_of_;
  std::vector<std::uint32_t> order_;
  std::array<std::vector<double>, 2> place_;
  std::vector<double> heights_;
};

/// Rectangles that hold so many atoms, the one with square tiles first, then with more along x and more along
/// y.
std::vector<std::array<int, 2>> rectangles(const Extent& e, std::size_t atoms, int max_x, int max_y) {
  const double pitch = std::sqrt(e.length[0] * e.length[1] / static_cast<double>(atoms));
  std::vector<std::array<int, 2>> found;
  const auto n = static_cast<std::int64_t>(atoms);
  const auto square = static_cast<std::int64_t>(std::clamp(e.length[0] / pitch, 1.0, 1e9) + 0.5);
  for (const int off : {0, 1, -1, 2, -2}) {
    const std::int64_t across =
        std::clamp<std::int64_t>(square + off, (n + max_y - 1) / max_y, std::min<std::int64_t>(max_x, n));
    const std::array<int, 2> tiles{static_cast<int>(across), static_cast<int>((n + across - 1) / across)};
    if (across >= 1 && tiles[1] <= max_y && std::find(found.begin(), found.end(), tiles) == found.end())
      found.push_back(tiles);
    // Some tiles to spare let halves be cut where they lie.
    const std::array<int, 2> roomy{tiles[0], tiles[1] + std::max(1, tiles[1] / 16)};
    if (off == 0 && across >= 1 && roomy[1] <= max_y) found.push_back(roomy);
  }
  return found;
}

std::vector<Halving> ways(const Extent& e, std::size_t atoms, int max_x, int max_y) {
  std::vector<Halving> found;
  for (const auto& tiles : rectangles(e, atoms, max_x, max_y))
    for (const bool by_place : {false, true})
      for (const std::array<double, 2>& tilt : {std::array{0.0, 0.0}, {2.0, 0.0}, {0.0, 2.0}, {2.0, 2.0}})
        found.push_back({tiles, tilt, by_place});
  return found;
}

/// Multiples of 1/64, whose differences are exact in fp32.
double coarse(double x) { return std::nearbyint(64.0 * x) / 64.0; }

/// Where the tiles of every place along axis d lie: the mean of their atoms, by the images nearest to an even
/// grid.
std::vector<double> places_of(const Configuration& s, const Extent& e, const StructurePlacement& p,
                              std::size_t d) {
  const auto tiles = static_cast<std::size_t>(p.tiles[d]);
  const double pitch = e.length[d] / static_cast<double>(tiles);
  std::vector<double> sum(tiles, 0.0), places(tiles);
  std::vector<int> atoms(tiles, 0);
  const auto even = [&](std::size_t k) { return e.lo[d] + (static_cast<double>(k) + 0.5) * pitch; };
  for (std::size_t k = 0; k < s.atoms.size(); ++k) {
    const auto at = static_cast<std::size_t>(p.tile_of[k][d]);
    double off = s.atoms.x[k][d] - even(at);
    if (s.box.periodic[d])
      off -= std::nearbyint(off / s.box.length(static_cast<int>(d))) * s.box.length(static_cast<int>(d));
    sum[at] += off;
    ++atoms[at];
  }
  for (std::size_t k = 0; k < tiles; ++k)
    places[k] = coarse(even(k) + (atoms[k] > 0 ? sum[k] / atoms[k] : 0.0));
  return places;
}

void require_room(std::size_t atoms, int max_width, int max_height) {
  if (atoms == 0) throw InputError("structure: found no atoms, expected at least one for a tile");
  const auto tiles = std::int64_t{max_width} * max_height;
  if (static_cast<std::int64_t>(atoms) > tiles)
    throw InputError(fmt::format("structure: found {} atoms, expected at most {}, one a tile of {} x {}",
                                 atoms, tiles, max_width, max_height));
}

}  // namespace

StructurePlacement place_structure(const Configuration& s, double reach, double cutoff, int max_width,
                                   int max_height) {
  require_room(s.atoms.size(), max_width, max_height);
  const Extent e = extent_of(s);
  const PairList pairs = PairList::within(s, reach);
  StructurePlacement best;
  PairDistances least;
  // As many ways as take some seconds.
  const std::size_t most_ways = std::clamp<std::size_t>(2'000'000 / s.atoms.size(), 4, 48);
  std::size_t tried = 0;
  for (const bool turned : {false, true}) {
    const int max_x = turned ? max_height : max_width, max_y = turned ? max_width : max_height;
    if (turned && !best.tile_of.empty()) break;
    for (const Halving& how : ways(e, s.atoms.size(), max_x, max_y)) {
      if (tried++ >= most_ways) break;
      std::vector<Tile> tile_of = Dealer(s, e, how).take();
      const PairDistances d = measure(pairs, {how.tiles, {s.box.periodic[0], s.box.periodic[1]}}, tile_of);
      if (!best.tile_of.empty() && !(d < least)) continue;
      least = d;
      best.tiles = how.tiles;
      best.tile_of = std::move(tile_of);
      best.turned = turned;
    }
  }
  if (best.tile_of.empty())
    throw InputError(
        fmt::format("structure: found {} atoms over {:.4g} x {:.4g} Angstrom, expected a shape that fits "
                    "{} x {} tiles",
                    s.atoms.size(), e.length[0], e.length[1], max_width, max_height));
  const TilePlane plane{best.tiles, {s.box.periodic[0], s.box.periodic[1]}};
  constexpr std::int64_t looks = 4'000'000'000;  // at a pair: some ten seconds
  bring_nearer(pairs, plane, looks, best.tile_of);
  least = measure(pairs, plane, best.tile_of);
  best.b = least.most;
  best.pairs_at_b = least.pairs_at_most;
  best.mean_distance = least.mean;
  for (std::size_t d = 0; d < 2; ++d) best.places[d] = places_of(s, e, best, d);
  const NearAtoms near(s, cutoff);
  for (std::size_t k = 0; k < s.atoms.size(); ++k)
    best.most_neighbours = std::max(best.most_neighbours, near.count(k));
  return best;
}

}  // namespace wafermark::tungsten
