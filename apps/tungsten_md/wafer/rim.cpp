#include "tungsten_md/wafer/rim.hpp"

#include <algorithm>
#include <cmath>
#include <cstdlib>

#include "tungsten_md/wafer/placement/near_atoms.hpp"
#include "tungsten_md/wafer/placement/tile_exchanges.hpp"

namespace wafermark::tungsten {
namespace {

/// Sites of a crystal's columns, which are all alike.
class ColumnSites {
 public:
  ColumnSites(const TileLayout& layout, const Configuration& start) : layout_(layout), start_(start) {}

  bool has_atom(int x, int y) const { return atom_at(x, y) >= 0; }
  /// Distance of the sites of tiles (x, y) of the first column and (x + dx, y + dy).
  double apart(int x, int y, int dx, int dy) const {
    const Vec3 own = site(x, y), other = site(x + dx, y + dy);
    Vec3 d{other[0] - own[0], other[1] - own[1], other[2] - own[2]};
    const double period = start_.box.length(2);
    if (start_.box.periodic[2]) d[2] -= std::nearbyint(d[2] / period) * period;
    return std::sqrt(d[0] * d[0] + d[1] * d[1] + d[2] * d[2]);
  }

 private:
  int in_column(int g, int at) const {
    const int n = layout_.tiles_per_column[static_cast<std::size_t>(g)];
    return ((at % n) + n) % n;
  }
  std::int64_t atom_at(int x, int y) const { return layout_.atom_on(in_column(0, x), in_column(1, y)); }
  Vec3 site(int x, int y) const {
    Vec3 at = start_.atoms.x[static_cast<std::size_t>(atom_at(x, y))];
    const std::array<int, 2> tile{x, y};
    for (int g = 0; g < 2; ++g) {
      const auto k = static_cast<std::size_t>(g);
      at[static_cast<std::size_t>(layout_.axis[k])] +=
          layout_.corner(g, tile[k]) - layout_.corner(g, in_column(g, tile[k]));
    }
    return at;
  }

  const TileLayout& layout_;
  const Configuration& start_;
};

}  // namespace

std::vector<std::vector<RimTile>> rim_of(const TileLayout& layout, const Configuration& start,
                                         double cutoff) {
  const ColumnSites sites(layout, start);
  const wse::TileGrid& grid = layout.grid;
  const double widest = cutoff + 2.0 * stray_limit;
  const std::array<int, 2> tiles{grid.width, grid.height};
  std::array<int, 2> span{};
  for (std::size_t g = 0; g < 2; ++g) {
    span[g] = static_cast<int>((widest / layout.column_length[g] + 2.0) * layout.tiles_per_column[g]);
    span[g] = std::min(span[g], grid.ring[g] ? tiles[g] / 2 : tiles[g] - 1);
  }
  const auto [p, q] = layout.tiles_per_column;
  std::vector<std::vector<RimTile>> rim(static_cast<std::size_t>(p) * static_cast<std::size_t>(q));
  for (int y = 0; y < q; ++y)
    for (int x = 0; x < p; ++x) {
      if (!sites.has_atom(x, y)) continue;
      auto& list =
          rim[static_cast<std::size_t>(y) * static_cast<std::size_t>(p) + static_cast<std::size_t>(x)];
      for (int dy = -span[1]; dy <= span[1]; ++dy)
        for (int dx = -span[0]; dx <= span[0]; ++dx) {
          if (std::max(std::abs(dx), std::abs(dy)) <= layout.reach || !sites.has_atom(x + dx, y + dy))
            continue;
          const double apart = sites.apart(x, y, dx, dy);
          if (apart < widest) list.push_back({dx, dy, static_cast<float>(apart - cutoff)});
        }
      std::sort(list.begin(), list.end(), [](const RimTile& a, const RimTile& b) { return a.gap < b.gap; });
    }
  return rim;
}

std::vector<std::vector<RimTile>> rim_of_structure(const TileLayout& layout, const Configuration& start,
                                                   double cutoff, const wse::Block& mine) {
  const wse::TileGrid& grid = layout.grid;
  const double widest = cutoff + 2.0 * stray_limit;
  const NearAtoms near(start, widest);
  std::vector<std::array<int, 2>> tile_of(start.atoms.size());
  for (int y = 0; y < grid.height; ++y)
    for (int x = 0; x < grid.width; ++x)
      if (const std::int64_t k = layout.atom_on(x, y); k >= 0) tile_of[static_cast<std::size_t>(k)] = {x, y};
  const TilePlane plane{{grid.width, grid.height}, grid.ring};
  std::vector<std::vector<RimTile>> rim(static_cast<std::size_t>(grid.tiles()));
  for (int y = mine.y0; y < mine.y0 + mine.height; ++y)
    for (int x = mine.x0; x < mine.x0 + mine.width; ++x) {
      const std::int64_t k = layout.atom_on(x, y);
      if (k < 0) continue;
      auto& list = rim[static_cast<std::size_t>(layout.tile(x, y))];
      near.visit(start.atoms.x[static_cast<std::size_t>(k)], [&](std::size_t j, const Vec3& d) {
        const int dx = plane.places(x, tile_of[j][0], 0), dy = plane.places(y, tile_of[j][1], 1);
        if (std::max(std::abs(dx), std::abs(dy)) <= layout.reach) return;
        const double apart = std::sqrt(d[0] * d[0] + d[1] * d[1] + d[2] * d[2]);
        list.push_back({dx, dy, static_cast<float>(apart - cutoff)});
      });
      std::sort(list.begin(), list.end(), [](const RimTile& a, const RimTile& b) { return a.gap < b.gap; });
    }
  return rim;
}

int reach_with_rim(const TileLayout& layout, const std::vector<std::vector<RimTile>>& rim) {
  int reach = layout.reach;
  for (const auto& list : rim)
    for (const RimTile& t : list) reach = std::max({reach, std::abs(t.dx), std::abs(t.dy)});
  return reach;
}

}  // namespace wafermark::tungsten
