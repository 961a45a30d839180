#include "tungsten_md/analysis/cluster_shapes.hpp"

#include <array>
#include <cmath>

namespace wafermark::tungsten {
namespace {

constexpr double least_alignment = 0.8;

double dot(const Vec3& a, const Vec3& b) { return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]; }

struct Axis {
  Vec3 direction;
  Family family;
};

/// The 13 axes, as unit vectors.
std::vector<Axis> cubic_axes() {
  std::vector<Axis> axes;
  for (int x = -1; x <= 1; ++x)
    for (int y = -1; y <= 1; ++y)
      for (int z = -1; z <= 1; ++z) {
        // Of a vector and its opposite, the one whose first component that is not 0 is positive.
        const bool first_positive = x > 0 || (x == 0 && (y > 0 || (y == 0 && z > 0)));
        const int n = x * x + y * y + z * z;
        if (!first_positive) continue;
        const double length = std::sqrt(static_cast<double>(n));
        axes.push_back({{x / length, y / length, z / length},
                        n == 1   ? Family::cube_edge
                        : n == 2 ? Family::face_diagonal
                                 : Family::body_diagonal});
      }
  return axes;
}

/// Members of each cluster by its label.
std::vector<std::vector<std::size_t>> members_of(const Clusters& clusters) {
  std::vector<std::vector<std::size_t>> members(clusters.sizes.size());
  for (std::size_t i = 0; i < clusters.label.size(); ++i)
    members[static_cast<std::size_t>(clusters.label[i])].push_back(i);
  return members;
}

/// Places relative to their mean, which is put into `centre`.
std::vector<Vec3> about_centre(std::vector<Vec3> places, const Box& box, Vec3& centre) {
  const Vec3 first = places.front();
  Vec3 mean{};
  for (Vec3& p : places) {
    p = box.minimum_image({p[0] - first[0], p[1] - first[1], p[2] - first[2]});
    for (int d = 0; d < 3; ++d) mean[d] += p[d] / static_cast<double>(places.size());
  }
  for (Vec3& p : places)
    for (int d = 0; d < 3; ++d) p[d] -= mean[d];
  centre = box.wrap({first[0] + mean[0], first[1] + mean[1], first[2] + mean[2]});
  return places;
}

double mean_square_along(const std::vector<Vec3>& vectors, const Vec3& direction) {
  double sum = 0.0;
  for (const Vec3& v : vectors) sum += dot(v, direction) * dot(v, direction);
  return vectors.empty() ? 0.0 : sum / static_cast<double>(vectors.size());
}

void set_extent(ClusterShape& shape, const std::vector<Vec3>& places) {
  double all = 0.0;
  for (const Vec3& p : places) all += dot(p, p) / static_cast<double>(places.size());
  const double along = mean_square_along(places, shape.direction);
  shape.along_angstrom = std::sqrt(along);
  shape.across_angstrom = std::sqrt(std::max(0.0, all - along));
}

}  // namespace

const char* name_of(Family family) {
  switch (family) {
    case Family::cube_edge:
      return "<100>";
    case Family::face_diagonal:
      return "<110>";
    case Family::body_diagonal:
      return "<111>";
    case Family::mixed:
      return "mixed";
  }
  return "";
}

std::vector<ClusterShape> interstitial_shapes(const Defects& defects, const Clusters& clusters,
                                              const Box& box) {
  const std::vector<Axis> axes = cubic_axes();
  std::vector<ClusterShape> shapes;
  const auto members = members_of(clusters);
  for (std::size_t label = 0; label < members.size(); ++label) {
    if (members[label].size() < 2) continue;
    std::vector<Vec3> places, lines;
    for (const std::size_t i : members[label]) {
      const Interstitial& extra = defects.interstitials[i];
      const Vec3 &a = extra.atom_position, &b = extra.partner_position;
      Vec3 line = box.minimum_image({a[0] - b[0], a[1] - b[1], a[2] - b[2]});
      const double length = std::sqrt(dot(line, line));
      places.push_back(extra.position);
      if (!(length > 0.0)) continue;
      for (double& c : line) c /= length;
      lines.push_back(line);
    }
    ClusterShape shape{.label = static_cast<int>(label), .size = static_cast<std::int64_t>(places.size())};
    places = about_centre(std::move(places), box, shape.centre);
    for (const Axis& axis : axes)
      if (const double alignment = mean_square_along(lines, axis.direction); alignment > shape.alignment) {
        shape.alignment = alignment;
        shape.direction = axis.direction;
        shape.family = alignment >= least_alignment ? axis.family : Family::mixed;
      }
    set_extent(shape, places);
    shapes.push_back(shape);
  }
  return shapes;
}

std::vector<ClusterShape> vacancy_shapes(const Defects& defects, const Clusters& clusters, const Box& box) {
  const std::vector<Axis> axes = cubic_axes();
  std::vector<ClusterShape> shapes;
  const auto members = members_of(clusters);
  for (std::size_t label = 0; label < members.size(); ++label) {
    if (members[label].size() < 2) continue;
    std::vector<Vec3> places;
    for (const std::size_t i : members[label]) places.push_back(defects.vacancies[i].position);
    ClusterShape shape{.label = static_cast<int>(label), .size = static_cast<std::int64_t>(places.size())};
    places = about_centre(std::move(places), box, shape.centre);
    shape.direction = axes.front().direction;
    for (const Axis& axis : axes)
      // Rounding must not choose between directions that are as flat.
      if (mean_square_along(places, axis.direction) <
          mean_square_along(places, shape.direction) * (1.0 - 1e-9) - 1e-12)
        shape.direction = axis.direction;
    set_extent(shape, places);
    shapes.push_back(shape);
  }
  return shapes;
}

LoopCount count_loops(const std::vector<ClusterShape>& interstitials) {
  LoopCount count;
  for (const ClusterShape& shape : interstitials) {
    if (shape.size < smallest_loop) continue;
    if (shape.family == Family::body_diagonal)
      ++count.body_diagonal;
    else if (shape.family == Family::cube_edge)
      ++count.cube_edge;
    else
      ++count.other;
  }
  return count;
}

}  // namespace wafermark::tungsten
