// Interactions that the tiles do not know of, found whenever positions are sent: an atom may leave its
// neighbourhood and be back before anyone looks.
//
// Two atoms on tiles more than b apart interact only where they stand nearer to each other than their sites:
// with g the gap from the sites' distance to the cut-off, and d how far an atom is from its site, d_i + d_j >
// g. So a tile looks at the few tiles beyond its neighbourhood (rim.hpp) whose gap is below its own
// displacement and the largest of all. Strays, displaced so far that the rim would be wide, are few: all
// ranks hear of each, and look at the tiles whose sites lie around it.
#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

#include "tungsten_md/wafer/tile_block.hpp"

namespace wafermark::tungsten {
namespace {

constexpr double rounding_at_cutoff = 1e-4;  // Angstrom: such a pair carries no force
constexpr float strays_there = std::numeric_limits<float>::infinity();

/// Places between two tiles along an axis, the shorter way round a ring.
int places_apart(int a, int b, int tiles, bool ring) {
  const int d = std::abs(a - b);
  return ring ? std::min(d, tiles - d) : d;
}

/// The columns that come within `reach` of a position, along one axis of the grid.
std::vector<std::int64_t> columns_near(const TileLayout& layout, std::size_t g, double x, double reach) {
  const double length = layout.column_length[g];
  const int columns = (g == 0 ? layout.grid.width : layout.grid.height) / layout.tiles_per_column[g];
  const double low = std::floor((x - reach - layout.origin[g]) / length),
               high = std::floor((x + reach - layout.origin[g]) / length);
  std::vector<std::int64_t> near;
  if (!(std::abs(low) < 1e15)) return near;  // no number, or nowhere
  const auto first = static_cast<std::int64_t>(low), last = static_cast<std::int64_t>(high);
  for (std::int64_t c = first; c <= last; ++c) {
    if (!layout.grid.ring[g])
      near.push_back(c);
    else if (c - first < columns)
      near.push_back(((c % columns) + columns) % columns);
  }
  return near;
}

}  // namespace

std::int64_t TileBlock::missed_interactions() const {
  std::vector<float> displaced(atoms_.size(), 0.0f);
  for_each_atom("displacements", [&](std::size_t i) { displaced[i] = std::sqrt(displacement_squared(i)); });
  float most = 0.0f;
  for (const float d : displaced)
    most = std::max(most, d <= static_cast<float>(stray_limit) ? d : strays_there);
  most = comm_->max(most);
  const bool strays = most == strays_there;
  std::int64_t missed = missed_at_rim(displaced, strays ? static_cast<float>(stray_limit) : most);
  if (strays) missed += missed_by_strays(displaced);
  return lasting_ ? missed + missed_by_lists() : missed;
}

std::int64_t TileBlock::missed_at_rim(const std::vector<float>& displaced, float most) const {
  const float cutoff = cutoff_ - static_cast<float>(rounding_at_cutoff), limit = cutoff * cutoff;
  const auto stray = [&](std::ptrdiff_t at) {
    const float *x = &sites_[static_cast<std::size_t>(4 * at)],
                *home = &homes_[static_cast<std::size_t>(4 * at)];
    return !(squared_displacement(x, home) <= static_cast<float>(stray_limit * stray_limit));
  };
  return sum_over_atoms("rim", [&](std::size_t i) {
    const std::vector<RimTile>& rim = rim_[in_column_[i]];
    std::int64_t missed = 0;
    if (rim.empty() || !(displaced[i] <= static_cast<float>(stray_limit))) return missed;
    const float bound = displaced[i] + most;
    for (const RimTile& t : rim) {
      if (t.gap >= bound) break;
      const Candidate c = candidate(t.dx, t.dy);
      const Place here = place(i);
      const Vector<float> d = separation_to(sites_, here, atoms_[i].x, c);
      if (squared_length(d.x, d.y, d.z) < limit && !stray(static_cast<std::ptrdiff_t>(here.at) + c.offset))
        ++missed;
    }
    return missed;
  });
}

std::vector<TileBlock::Stray> TileBlock::all_strays(const std::vector<float>& displaced) const {
  std::vector<double> mine;
  for (std::size_t i = 0; i < atoms_.size(); ++i) {
    if (displaced[i] <= static_cast<float>(stray_limit)) continue;
    const auto [gx, gy] = on_grid(i);
    const Vec3 x = position(i);
    mine.insert(mine.end(), {static_cast<double>(gx), static_cast<double>(gy), x[0], x[1], x[2]});
  }
  const std::vector<double> all = comm_->all_gather(mine);
  std::vector<Stray> strays;
  for (std::size_t k = 0; k < all.size(); k += 5)
    strays.push_back(
        {static_cast<int>(all[k]), static_cast<int>(all[k + 1]), {all[k + 2], all[k + 3], all[k + 4]}});
  return strays;
}

std::int64_t TileBlock::missed_by_strays(const std::vector<float>& displaced) const {
  const double cutoff = static_cast<double>(cutoff_) - rounding_at_cutoff;
  const std::vector<Stray> strays = all_strays(displaced);
  using Column = std::array<std::int64_t, 2>;
  const auto columns_around = [&](const Vec3& x, double reach) {
    std::vector<Column> columns;
    const auto axis = [&](std::size_t g) {
      return columns_near(layout_, g, x[static_cast<std::size_t>(layout_.axis[g])], reach);
    };
    const auto across = axis(0), down = axis(1);
    for (const auto cx : across)
      for (const auto cy : down) columns.push_back({cx, cy});
    return columns;
  };
  const auto missed = [&](const Stray& a, int gx, int gy, const Vec3& x) {
    const wse::TileGrid& g = layout_.grid;
    if (places_apart(a.gx, gx, g.width, g.ring[0]) <= layout_.reach &&
        places_apart(a.gy, gy, g.height, g.ring[1]) <= layout_.reach)
      return false;
    const Vec3 d = box_.minimum_image({a.x[0] - x[0], a.x[1] - x[1], a.x[2] - x[2]});
    return d[0] * d[0] + d[1] * d[1] + d[2] * d[2] < cutoff * cutoff;
  };
  std::map<Column, std::vector<const Stray*>> by_column;
  for (const Stray& s : strays)
    for (const Column& c : columns_around(s.x, 0.0)) by_column[c].push_back(&s);

  std::int64_t found = 0;
  for (const Stray& s : strays) {
    const bool own = block_.x0 <= s.gx && s.gx < block_.x0 + block_.width && block_.y0 <= s.gy &&
                     s.gy < block_.y0 + block_.height;
    for (const Column& c : columns_around(s.x, cutoff)) {
      const auto there = by_column.find(c);
      if (!own || there == by_column.end()) continue;
      for (const Stray* other : there->second) found += missed(s, other->gx, other->gy, other->x) ? 1 : 0;
    }
    // Atoms near their sites, of this rank; each pair counts from both sides.
    for (const Column& c : columns_around(s.x, cutoff + stray_limit))
      for (const std::size_t i : tiles_of_column(c[0], c[1]))
        if (atoms_[i].id >= 0 && displaced[i] <= static_cast<float>(stray_limit)) {
          const auto [gx, gy] = on_grid(i);
          found += missed(s, gx, gy, position(i)) ? 2 : 0;
        }
  }
  return found;
}

std::int64_t TileBlock::missed_by_lists() const {
  const auto moved = [&](std::size_t i) {
    const Vector<float>&x = atoms_[i].x, &old = x_at_build_[i];
    return std::sqrt(squared_length(x.x - old.x, x.y - old.y, x.z - old.z));
  };
  float most = 0.0f;
  for (std::size_t i = 0; i < atoms_.size(); ++i)
    if (atoms_[i].id >= 0) most = std::max(most, moved(i));
  most = comm_->max(most);
  const float cutoff = cutoff_ - static_cast<float>(rounding_at_cutoff), limit = cutoff * cutoff;
  return sum_over_atoms("listed", [&](std::size_t i) {
    if (moved(i) + most < list_skin_) return std::int64_t{0};
    const Place here = place(i);
    const auto within = [&](std::size_t k) {
      const Vector<float> d = separation_to(sites_, here, atoms_[i].x, k);
      return squared_length(d.x, d.y, d.z) < limit ? 1 : 0;
    };
    std::int64_t all = 0, listed = 0;
    for (std::size_t k = 0; k < window_.size(); ++k) all += within(k);
    for (int e = 0; e < list_count_[i]; ++e)
      listed += within(list_[i * list_stride_ + static_cast<std::size_t>(e)]);
    return all - listed;
  });
}

}  // namespace wafermark::tungsten
