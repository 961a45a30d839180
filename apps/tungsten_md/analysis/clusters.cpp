#include "tungsten_md/analysis/clusters.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>

namespace wafermark::tungsten {

namespace {

/// Disjoint sets; the root of a set is its lowest member.
class UnionFind {
 public:
  explicit UnionFind(std::size_t n) : parent_(n) {
    std::iota(parent_.begin(), parent_.end(), std::size_t{0});
  }
  std::size_t root(std::size_t i) {
    while (parent_[i] != i) i = parent_[i] = parent_[parent_[i]];
    return i;
  }
  void join(std::size_t i, std::size_t j) {
    i = root(i), j = root(j);
    parent_[std::max(i, j)] = std::min(i, j);
  }

 private:
  std::vector<std::size_t> parent_;
};

}  // namespace

ClusterCutoffs cluster_cutoffs(const Lattice& lattice) {
  return {0.5 * (lattice.shell(2) + lattice.shell(3)), 0.5 * (lattice.shell(3) + lattice.shell(4))};
}

ClusterCutoffs cluster_cutoffs(LatticeKind kind, double neighbour_distance) {
  Lattice lattice{kind, 1.0, {1, 1, 1}, {}};
  lattice.a = neighbour_distance / lattice.shell(1);
  return cluster_cutoffs(lattice);
}

std::int64_t Clusters::count() const {
  return std::count_if(sizes.begin(), sizes.end(), [](std::int64_t n) { return n > 1; });
}

double Clusters::clustered_fraction() const {
  if (label.empty()) return 0.0;
  std::int64_t clustered = 0;
  for (std::int64_t n : sizes) clustered += n > 1 ? n : 0;
  return static_cast<double>(clustered) / static_cast<double>(label.size());
}

Clusters find_clusters(const std::vector<Vec3>& points, const Box& box, double cutoff) {
  // Points by cell; a cell is at least the cut-off wide, so that partners lie in adjacent cells. Along a
  // periodic axis there is a whole number of cells; open axes have as many as the points need.
  std::array<std::int64_t, 3> cells;
  Vec3 edge;
  for (int d = 0; d < 3; ++d) {
    cells[d] =
        box.periodic[d] ? std::max<std::int64_t>(1, static_cast<std::int64_t>(box.length(d) / cutoff)) : 0;
    edge[d] = box.periodic[d] ? box.length(d) / static_cast<double>(cells[d]) : cutoff;
  }
  using Cell = std::array<std::int64_t, 3>;
  const auto wrapped = [&](Cell c) {
    for (int d = 0; d < 3; ++d)
      if (box.periodic[d]) c[d] = ((c[d] % cells[d]) + cells[d]) % cells[d];
    return c;
  };
  std::map<Cell, std::vector<std::size_t>> members;
  std::vector<Cell> cell_of(points.size());
  for (std::size_t i = 0; i < points.size(); ++i) {
    for (int d = 0; d < 3; ++d)
      cell_of[i][d] = static_cast<std::int64_t>(std::floor((points[i][d] - box.lo[d]) / edge[d]));
    cell_of[i] = wrapped(cell_of[i]);
    members[cell_of[i]].push_back(i);
  }

  UnionFind sets(points.size());
  for (std::size_t i = 0; i < points.size(); ++i)
    for (int dx = -1; dx <= 1; ++dx)
      for (int dy = -1; dy <= 1; ++dy)
        for (int dz = -1; dz <= 1; ++dz) {
          const Cell& c = cell_of[i];
          const auto cell = members.find(wrapped({c[0] + dx, c[1] + dy, c[2] + dz}));
          if (cell == members.end()) continue;
          for (std::size_t j : cell->second) {
            if (j >= i) continue;
            const Vec3 r = box.minimum_image(
                {points[i][0] - points[j][0], points[i][1] - points[j][1], points[i][2] - points[j][2]});
            if (r[0] * r[0] + r[1] * r[1] + r[2] * r[2] <= cutoff * cutoff) sets.join(i, j);
          }
        }

  std::map<std::size_t, std::int64_t> size_of_root;
  for (std::size_t i = 0; i < points.size(); ++i) ++size_of_root[sets.root(i)];
  std::vector<std::pair<std::size_t, std::int64_t>> roots(size_of_root.begin(), size_of_root.end());
  std::stable_sort(roots.begin(), roots.end(),
                   [](const auto& a, const auto& b) { return a.second > b.second; });
  Clusters clusters;
  std::map<std::size_t, int> label_of_root;
  for (const auto& [root, size] : roots) {
    label_of_root[root] = static_cast<int>(clusters.sizes.size());
    clusters.sizes.push_back(size);
  }
  for (std::size_t i = 0; i < points.size(); ++i) clusters.label.push_back(label_of_root[sets.root(i)]);
  return clusters;
}

Clusters vacancy_clusters(const Defects& defects, const Box& box, double cutoff) {
  std::vector<Vec3> points;
  for (const Vacancy& v : defects.vacancies) points.push_back(v.position);
  return find_clusters(points, box, cutoff);
}

Clusters interstitial_clusters(const Defects& defects, const Box& box, double cutoff) {
  std::vector<Vec3> points;
  for (const Interstitial& i : defects.interstitials) points.push_back(i.position);
  return find_clusters(points, box, cutoff);
}

}  // namespace wafermark::tungsten
