#include "tungsten_md/analysis/stored_sites.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "common/errors.hpp"
#include "tungsten_md/analysis/gas.hpp"

namespace wafermark::tungsten {

StoredSites::StoredSites(const Communicator& comm, const Configuration& reference)
    : box_(reference.box), ids_known_(reference.ids_known) {
  const Atoms atoms = apart(reference).crystal;
  const std::vector<std::int64_t> id = comm.all_gather(atoms.id);
  std::vector<double> part;
  part.reserve(3 * atoms.size());
  for (const Vec3& x : atoms.x) part.insert(part.end(), x.begin(), x.end());
  const std::vector<double> x = comm.all_gather(part);
  if (id.empty()) throw InputError("reference: found no atoms, expected at least one");

  std::vector<std::size_t> by_id(id.size());
  std::iota(by_id.begin(), by_id.end(), std::size_t{0});
  std::sort(by_id.begin(), by_id.end(), [&](std::size_t i, std::size_t j) { return id[i] < id[j]; });
  id_.reserve(id.size());
  x_.reserve(id.size());
  for (std::size_t i : by_id) {
    if (!id_.empty() && id_.back() == id[i])
      throw InputError(fmt::format("reference: found atom id {} twice, expected unique ids", id[i]));
    id_.push_back(id[i]);
    x_.push_back(box_.wrap({x[3 * i], x[3 * i + 1], x[3 * i + 2]}));
  }

  Vec3 lo = x_[0], hi = x_[0];
  for (const Vec3& p : x_)
    for (int d = 0; d < 3; ++d) {
      lo[d] = std::min(lo[d], p[d]);
      hi[d] = std::max(hi[d], p[d]);
    }
  double volume = 1.0;
  for (int d = 0; d < 3; ++d) {
    if (box_.periodic[d]) lo[d] = box_.lo[d], hi[d] = box_.hi[d];
    hi[d] = std::max(hi[d], lo[d] + 1e-3);
    volume *= hi[d] - lo[d];
  }
  const double edge = std::cbrt(2.0 * volume / static_cast<double>(x_.size()));
  grid_lo_ = lo;
  for (int d = 0; d < 3; ++d) {
    cells_[d] = static_cast<int>(std::clamp((hi[d] - lo[d]) / edge, 1.0, 1024.0));
    cell_edge_[d] = (hi[d] - lo[d]) / cells_[d];
  }
  const auto index = [&](const Vec3& p) {
    const auto c = cell_of(p);
    return (std::int64_t{c[0]} * cells_[1] + c[1]) * cells_[2] + c[2];
  };
  begin_.assign(std::size_t(cells_[0]) * cells_[1] * cells_[2] + 1, 0);
  for (const Vec3& p : x_) ++begin_[index(p) + 1];
  std::partial_sum(begin_.begin(), begin_.end(), begin_.begin());
  order_.resize(x_.size());
  std::vector<std::int64_t> next(begin_.begin(), begin_.end() - 1);
  for (std::size_t s = 0; s < x_.size(); ++s) order_[next[index(x_[s])]++] = static_cast<std::int64_t>(s);

  // The median over a sample tells the crystal's neighbour distance even next to surfaces and defects.
  std::vector<double> nearest;
  const std::size_t stride = std::max<std::size_t>(1, x_.size() / 1000);
  for (std::size_t s = 0; s < x_.size(); s += stride)
    nearest.push_back(search(x_[s], static_cast<std::int64_t>(s)).second);
  std::nth_element(nearest.begin(), nearest.begin() + nearest.size() / 2, nearest.end());
  neighbour_distance_ = std::sqrt(nearest[nearest.size() / 2]);
}

std::array<int, 3> StoredSites::cell_of(const Vec3& x) const {
  std::array<int, 3> c;
  for (int d = 0; d < 3; ++d)
    c[d] =
        static_cast<int>(std::clamp(std::floor((x[d] - grid_lo_[d]) / cell_edge_[d]), 0.0, cells_[d] - 1.0));
  return c;
}

// Shells of cells of growing distance around the cell of x. When shell k is done, every site nearer than k
// cell edges has been seen. A shell that reaches around a periodic axis sees some cells twice, which does no
// harm.
std::pair<std::int64_t, double> StoredSites::search(const Vec3& x, std::int64_t except) const {
  const auto centre = cell_of(x);
  const double step = std::min({cell_edge_[0], cell_edge_[1], cell_edge_[2]});
  const int last = *std::max_element(cells_.begin(), cells_.end());
  std::int64_t best = -1;
  double least = 1e300;
  for (int k = 0; k <= last; ++k) {
    for (int i = -k; i <= k; ++i)
      for (int j = -k; j <= k; ++j)
        for (int l = -k; l <= k; l += (std::abs(i) == k || std::abs(j) == k) ? 1 : std::max(1, 2 * k)) {
          std::array<int, 3> c{centre[0] + i, centre[1] + j, centre[2] + l};
          bool exists = true;
          for (int d = 0; d < 3; ++d) {
            if (box_.periodic[d])
              c[d] = ((c[d] % cells_[d]) + cells_[d]) % cells_[d];
            else
              exists = exists && 0 <= c[d] && c[d] < cells_[d];
          }
          if (!exists) continue;
          const std::size_t cell = (std::size_t(c[0]) * cells_[1] + c[1]) * cells_[2] + c[2];
          for (std::int64_t m = begin_[cell]; m < begin_[cell + 1]; ++m) {
            const std::int64_t s = order_[m];
            if (s == except) continue;
            const Vec3 d = box_.minimum_image({x[0] - x_[s][0], x[1] - x_[s][1], x[2] - x_[s][2]});
            const double squared = d[0] * d[0] + d[1] * d[1] + d[2] * d[2];
            if (squared < least || (squared == least && s < best)) best = s, least = squared;
          }
        }
    if (best >= 0 && least <= k * step * k * step) break;
  }
  return {best, least};
}

std::int64_t StoredSites::nearest_site(const Vec3& x) const {
  for (double c : x)
    if (!(std::abs(c) < 1e9)) return -1;
  const bool open = !(box_.periodic[0] && box_.periodic[1] && box_.periodic[2]);
  if (open)  // far away: no need to search
    for (int d = 0; d < 3; ++d)
      if (!box_.periodic[d] && !(std::abs(x[d] - grid_lo_[d] - 0.5 * cells_[d] * cell_edge_[d]) <=
                                 0.5 * cells_[d] * cell_edge_[d] + neighbour_distance_))
        return -1;
  const auto [site, squared] = search(box_.wrap(x), -1);
  return open && squared > neighbour_distance_ * neighbour_distance_ ? -1 : site;
}

std::int64_t StoredSites::site_of(std::int64_t atom) const {
  const auto at = std::lower_bound(id_.begin(), id_.end(), atom);
  return at != id_.end() && *at == atom ? at - id_.begin() : -1;
}

std::vector<Vec3> StoredSites::drift_candidates(const Communicator& comm, const Atoms& atoms) const {
  constexpr double scale = 1 << 24;  // fixed point, see lattice_sites.cpp
  std::vector<std::int64_t> sums(4, 0);
  for (std::size_t i = 0; i < atoms.size(); ++i) {
    const std::int64_t home = site_of(atoms.id[i]);
    if (home < 0) continue;
    const Vec3& start = x_[home];
    const Vec3 moved =
        box_.minimum_image({atoms.x[i][0] - start[0], atoms.x[i][1] - start[1], atoms.x[i][2] - start[2]});
    for (int d = 0; d < 3; ++d) sums[d] += std::llround(scale * std::clamp(moved[d], -1e4, 1e4));
    ++sums[3];
  }
  sums = comm.sum(sums);
  std::vector<Vec3> candidates{Vec3{}};
  if (sums[3] > 0) {
    Vec3 mean;
    for (int d = 0; d < 3; ++d)
      mean[d] = static_cast<double>(sums[d]) / (scale * static_cast<double>(sums[3]));
    candidates.push_back(mean);
  }
  return candidates;
}

}  // namespace wafermark::tungsten
