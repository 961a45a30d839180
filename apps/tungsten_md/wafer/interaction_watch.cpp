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

constexpr double bin_width = 4.0;  // Angstrom: about as far as atoms interact

}  // namespace

std::vector<TileBlock::Bin> TileBlock::bins_near(const Vec3& x, double reach) const {
  std::array<std::vector<int>, 2> along;
  for (std::size_t g = 0; g < 2; ++g) {
    const auto axis = static_cast<std::size_t>(layout_.axis[g]);
    const double low = std::floor((x[axis] - reach - box_.lo[axis]) / bin_length_[g]),
                 high = std::floor((x[axis] + reach - box_.lo[axis]) / bin_length_[g]);
    if (!(std::abs(low) < 1e9)) return {};  // no number, or nowhere
    const bool ring = layout_.grid.ring[g];
    const int first = static_cast<int>(low), last = static_cast<int>(high), n = bins_[g];
    for (int c = first; c <= last && static_cast<int>(along[g].size()) < n; ++c) {
      const int bin = ring ? ((c % n) + n) % n : std::clamp(c, 0, n - 1);
      if (along[g].empty() || along[g].back() != bin) along[g].push_back(bin);
    }
  }
  std::vector<Bin> bins;
  for (const int across : along[0])
    for (const int down : along[1]) bins.push_back({across, down});
  return bins;
}

void TileBlock::bin_sites() {
  for (std::size_t g = 0; g < 2; ++g) {
    const double length = box_.length(layout_.axis[g]);
    bins_[g] = static_cast<int>(std::clamp(length / bin_width, 1.0, 4096.0));
    bin_length_[g] = length / bins_[g];
  }
  const auto number = [&](std::size_t tile) {
    const Bin bin = bins_near(position(tile), 0.0).at(0);
    return static_cast<std::size_t>(bin[1]) * static_cast<std::size_t>(bins_[0]) +
           static_cast<std::size_t>(bin[0]);
  };
  std::vector<std::uint32_t> bin_of(atoms_.size());
  bin_begin_.assign(static_cast<std::size_t>(bins_[0]) * static_cast<std::size_t>(bins_[1]) + 1, 0);
  for (std::size_t i = 0; i < atoms_.size(); ++i) {
    if (atoms_[i].id < 0) continue;
    bin_of[i] = static_cast<std::uint32_t>(number(i));
    ++bin_begin_[bin_of[i] + 1];
  }
  for (std::size_t k = 1; k < bin_begin_.size(); ++k) bin_begin_[k] += bin_begin_[k - 1];
  std::vector<std::uint32_t> next(bin_begin_.begin(), bin_begin_.end() - 1);
  binned_.resize(bin_begin_.back());
  for (std::size_t i = 0; i < atoms_.size(); ++i)
    if (atoms_[i].id >= 0) binned_[next[bin_of[i]]++] = static_cast<std::uint32_t>(i);
}

std::vector<std::size_t> TileBlock::tiles_in(const Bin& bin) const {
  const auto k = static_cast<std::size_t>(bin[1]) * static_cast<std::size_t>(bins_[0]) +
                 static_cast<std::size_t>(bin[0]);
  return {binned_.begin() + bin_begin_[k], binned_.begin() + bin_begin_[k + 1]};
}

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
    const std::vector<RimTile>& rim = this->rim(i);
    std::int64_t missed = 0;
    if (rim.empty() || !(displaced[i] <= static_cast<float>(stray_limit))) return missed;
    const float bound = displaced[i] + most;
    for (const RimTile& t : rim) {
      if (t.gap >= bound) break;
      const Candidate c = candidate(t.dx, t.dy, t.layers_on);
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
    mine.insert(mine.end(), {static_cast<double>(gx), static_cast<double>(gy),
                             static_cast<double>(layer_of(i)), x[0], x[1], x[2]});
  }
  const std::vector<double> all = comm_->all_gather(mine);
  std::vector<Stray> strays;
  for (std::size_t k = 0; k < all.size(); k += 6)
    strays.push_back({static_cast<int>(all[k]),
                      static_cast<int>(all[k + 1]),
                      static_cast<int>(all[k + 2]),
                      {all[k + 3], all[k + 4], all[k + 5]}});
  return strays;
}

std::int64_t TileBlock::missed_by_strays(const std::vector<float>& displaced) const {
  const double cutoff = static_cast<double>(cutoff_) - rounding_at_cutoff;
  const std::vector<Stray> strays = all_strays(displaced);
  const auto missed = [&](const Stray& a, int gx, int gy, int layer, const Vec3& x) {
    const wse::TileGrid& g = layout_.grid;
    if (places_apart(a.gx, gx, g.width, g.ring[0]) <= layout_.reach &&
        places_apart(a.gy, gy, g.height, g.ring[1]) <= layout_.reach &&
        layers_apart(a.layer, layer) <= layout_.layers_each_side)
      return false;
    const Vec3 d = box_.minimum_image({a.x[0] - x[0], a.x[1] - x[1], a.x[2] - x[2]});
    return d[0] * d[0] + d[1] * d[1] + d[2] * d[2] < cutoff * cutoff;
  };
  std::map<Bin, std::vector<const Stray*>> by_bin;
  for (const Stray& s : strays)
    for (const Bin& bin : bins_near(s.x, 0.0)) by_bin[bin].push_back(&s);

  std::int64_t found = 0;
  for (const Stray& s : strays) {
    const bool own = block_.x0 <= s.gx && s.gx < block_.x0 + block_.width && block_.y0 <= s.gy &&
                     s.gy < block_.y0 + block_.height;
    for (const Bin& bin : bins_near(s.x, cutoff)) {
      const auto there = by_bin.find(bin);
      if (!own || there == by_bin.end()) continue;
      for (const Stray* other : there->second)
        found += missed(s, other->gx, other->gy, other->layer, other->x) ? 1 : 0;
    }
    // Atoms near their sites, of this rank; each pair counts from both sides.
    for (const Bin& bin : bins_near(s.x, cutoff + stray_limit))
      for (const std::size_t i : tiles_in(bin))
        if (atoms_[i].id >= 0 && displaced[i] <= static_cast<float>(stray_limit)) {
          const auto [gx, gy] = on_grid(i);
          found += missed(s, gx, gy, layer_of(i), position(i)) ? 2 : 0;
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
