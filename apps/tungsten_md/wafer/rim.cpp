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

  bool has_atom(int x, int y, int layer) const { return atom_at(x, y, layer) >= 0; }
  /// Distance of the sites of tiles (x, y) of the first column and (x + dx, y + dy), in these layers.
  double apart(int x, int y, int layer, int dx, int dy, int other_layer) const {
    const Vec3 own = site(x, y, layer), other = site(x + dx, y + dy, other_layer);
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
  std::int64_t atom_at(int x, int y, int layer) const {
    return layout_.atom_on(in_column(0, x), in_column(1, y), layer);
  }
  Vec3 site(int x, int y, int layer) const {
    Vec3 at = start_.atoms.x[static_cast<std::size_t>(atom_at(x, y, layer))];
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

/// From a layer to each of the others and itself; round a ring the shorter way.
std::vector<int> layers_around(const TileLayout& layout) {
  const int layers = layout.layers();
  std::vector<int> on;
  const int first = layout.ring_of_layers ? -(layers - 1) / 2 : 1 - layers,
            last = layout.ring_of_layers ? layers / 2 : layers - 1;
  for (int k = first; k <= last; ++k) on.push_back(k);
  return on;
}

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
  const int layers = layout.layers();
  std::vector<std::vector<RimTile>> rim(static_cast<std::size_t>(p) * static_cast<std::size_t>(q) *
                                        static_cast<std::size_t>(layers));
  // Of a layer's sites in the order of its places: one list after the other.
  auto next = rim.begin();
  for (int layer = 0; layer < layers; ++layer)
    for (int y = 0; y < q; ++y)
      for (int x = 0; x < p; ++x, ++next) {
        if (!sites.has_atom(x, y, layer)) continue;
        for (const int on : layers_around(layout)) {
          int other = layer + on;
          if (layout.ring_of_layers) other = (other + layers) % layers;
          if (other < 0 || other >= layers) continue;
          const bool told = std::abs(on) <= layout.layers_each_side;
          for (int dy = -span[1]; dy <= span[1]; ++dy)
            for (int dx = -span[0]; dx <= span[0]; ++dx) {
              const bool near = std::max(std::abs(dx), std::abs(dy)) <= layout.reach;
              if ((near && told) || !sites.has_atom(x + dx, y + dy, other)) continue;
              const double apart = sites.apart(x, y, layer, dx, dy, other);
              if (apart < widest) next->push_back({dx, dy, on, static_cast<float>(apart - cutoff)});
            }
        }
        std::sort(next->begin(), next->end(),
                  [](const RimTile& a, const RimTile& b) { return a.gap < b.gap; });
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
      if (const std::int64_t k = layout.atom_on(x, y, 0); k >= 0)
        tile_of[static_cast<std::size_t>(k)] = {x, y};
  const TilePlane plane{{grid.width, grid.height}, grid.ring};
  std::vector<std::vector<RimTile>> rim(static_cast<std::size_t>(grid.tiles()));
  for (int y = mine.y0; y < mine.y0 + mine.height; ++y)
    for (int x = mine.x0; x < mine.x0 + mine.width; ++x) {
      const std::int64_t k = layout.atom_on(x, y, 0);
      if (k < 0) continue;
      auto& list = rim[static_cast<std::size_t>(layout.tile(x, y, 0))];
      near.visit(start.atoms.x[static_cast<std::size_t>(k)], [&](std::size_t j, const Vec3& d) {
        const int dx = plane.places(x, tile_of[j][0], 0), dy = plane.places(y, tile_of[j][1], 1);
        if (std::max(std::abs(dx), std::abs(dy)) <= layout.reach) return;
        const double apart = std::sqrt(d[0] * d[0] + d[1] * d[1] + d[2] * d[2]);
        list.push_back({dx, dy, 0, static_cast<float>(apart - cutoff)});
      });
      std::sort(list.begin(), list.end(), [](const RimTile& a, const RimTile& b) { return a.gap < b.gap; });
    }
  return rim;
}

int layers_with_rim(const TileLayout& layout, const std::vector<std::vector<RimTile>>& rim) {
  int layers = layout.layers_each_side;
  for (const auto& list : rim)
    for (const RimTile& t : list) layers = std::max(layers, std::abs(t.layers_on));
  return layers;
}

int reach_with_rim(const TileLayout& layout, const std::vector<std::vector<RimTile>>& rim) {
  int reach = layout.reach;
  for (const auto& list : rim)
    for (const RimTile& t : list) reach = std::max({reach, std::abs(t.dx), std::abs(t.dy)});
  return reach;
}

}  // namespace wafermark::tungsten
