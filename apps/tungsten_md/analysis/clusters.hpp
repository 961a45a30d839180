// Clusters of defects: which lie closer together than a cut-off, directly or through others.
#pragma once

#include <cstdint>
#include <vector>

#include "tungsten_md/analysis/defects.hpp"
#include "tungsten_md/model/crystal.hpp"

namespace wafermark::tungsten {

/// Two defects of a kind belong together when their sites are at most this far apart, Angstrom.
struct ClusterCutoffs {
  double vacancy = 0.0, interstitial = 0.0;
};

/// Half-way between neighbour shells: vacancies (r2 + r3) / 2, interstitials (r3 + r4) / 2, which for bcc
/// is 1.207 a and 1.536 a, the choice of cascade studies in tungsten.
ClusterCutoffs cluster_cutoffs(const Lattice& lattice);
/// The same for a crystal of which only the nearest-neighbour distance is known.
ClusterCutoffs cluster_cutoffs(LatticeKind kind, double neighbour_distance);

struct Clusters {
  std::vector<int> label;           ///< cluster of each point, 0 ... sizes.size() - 1
  std::vector<std::int64_t> sizes;  ///< points in each cluster, largest first

  std::int64_t largest() const { return sizes.empty() ? 0 : sizes.front(); }
  /// Clusters of two or more points, and the share of the points that they hold (0 when there are no points).
  std::int64_t count() const;
  double clustered_fraction() const;
};

/// Connected components of the points under `distance <= cutoff` (periodic). Cost O(n) at bounded density.
Clusters find_clusters(const std::vector<Vec3>& points, const Box& box, double cutoff);

/// The same for the sites of defects.
Clusters vacancy_clusters(const Defects& defects, const Box& box, double cutoff);
Clusters interstitial_clusters(const Defects& defects, const Box& box, double cutoff);

}  // namespace wafermark::tungsten
