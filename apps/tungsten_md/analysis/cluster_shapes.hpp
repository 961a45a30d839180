// Size, place and character of clusters: which are loops, and of which Burgers vector.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tungsten_md/analysis/clusters.hpp"
#include "tungsten_md/analysis/defects.hpp"

namespace wafermark::tungsten {

/// From so many interstitials on a cluster counts as a loop.
inline constexpr std::int64_t smallest_loop = 4;

/// A family of directions of a cubic crystal whose cube axes lie along x, y and z.
enum class Family { cube_edge, face_diagonal, body_diagonal, mixed };
/// "<100>", "<110>", "<111>", "mixed".
const char* name_of(Family family);

/// A cluster and its direction. Of interstitials the direction is that in which its atoms are displaced: the
/// mean square of the cosine with the line between the two atoms that share a site is largest along it, over
/// the three cube edges, six face and four body diagonals. Crowdions and dumbbells of one direction are a
/// loop with that Burgers vector (1/2<111>, <100>). Of vacancies it is the direction along which the cluster
/// is flattest; they tell no family.
struct ClusterShape {
  int label = 0;  ///< in Clusters
  std::int64_t size = 0;
  Vec3 centre{};                  ///< Angstrom, in the box
  Vec3 direction{};               ///< unit vector
  double alignment = 0.0;         ///< that mean square: 1 all along it, 1/3 no direction; 0 of vacancies
  Family family = Family::mixed;  ///< mixed below an alignment of 0.8
  double along_angstrom = 0.0;    ///< root mean square extent along the direction, from the centre
  double across_angstrom = 0.0;   ///< and at right angles to it: of a loop, radius / sqrt(2)
};

/// Clusters of two or more, largest first. A cluster must be smaller than half the box for its place and
/// extent to mean something.
std::vector<ClusterShape> interstitial_shapes(const Defects& defects, const Clusters& clusters,
                                              const Box& box);
std::vector<ClusterShape> vacancy_shapes(const Defects& defects, const Clusters& clusters, const Box& box);

struct LoopCount {
  std::int64_t body_diagonal = 0, cube_edge = 0, other = 0;
};
/// Of interstitial clusters of `smallest_loop` or more.
LoopCount count_loops(const std::vector<ClusterShape>& interstitials);

}  // namespace wafermark::tungsten
