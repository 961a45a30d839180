#include <gtest/gtest.h>

#include <random>

#include "tungsten_md/analysis/clusters.hpp"

namespace wafermark::tungsten {
namespace {

const Box box{{0, 0, 0}, {20, 20, 20}, {true, true, true}};

TEST(Clusters, CutoffsLieBetweenNeighbourShells) {
  const ClusterCutoffs bcc = cluster_cutoffs(make_lattice(LatticeKind::bcc, 1.0, {1, 1, 1}));
  EXPECT_NEAR(bcc.vacancy, 1.207, 5e-4);
  EXPECT_NEAR(bcc.interstitial, 1.536, 5e-4);
  const ClusterCutoffs fcc = cluster_cutoffs(make_lattice(LatticeKind::fcc, 1.0, {1, 1, 1}));
  EXPECT_NEAR(fcc.vacancy, 0.5 * (1.0 + std::sqrt(1.5)), 1e-12);
  EXPECT_NEAR(fcc.interstitial, 0.5 * (std::sqrt(1.5) + std::sqrt(2.0)), 1e-12);
}

TEST(Clusters, AChainIsOneClusterAndReachesThroughThePeriodicFace) {
  // 18.5, 19.6, 0.7, 1.8: neighbours 1.1 apart across x = 20; and one point alone.
  const Clusters c =
      find_clusters({{18.5, 1, 1}, {0.7, 1, 1}, {10, 10, 10}, {19.6, 1, 1}, {1.8, 1, 1}}, box, 1.2);
  EXPECT_EQ(c.sizes, (std::vector<std::int64_t>{4, 1}));
  EXPECT_EQ(c.label, (std::vector{0, 0, 1, 0, 0}));
  EXPECT_EQ(c.largest(), 4);
  EXPECT_EQ(c.count(), 1);
  EXPECT_DOUBLE_EQ(c.clustered_fraction(), 0.8);
}

TEST(Clusters, OpenFacesDoNotConnect) {
  const Box open{{0, 0, 0}, {20, 20, 20}, {false, true, true}};
  EXPECT_EQ(find_clusters({{0.1, 1, 1}, {19.9, 1, 1}}, open, 1.0).sizes.size(), 2u);
  EXPECT_EQ(find_clusters({{-5.0, 1, 1}, {-5.5, 1, 1}}, open, 1.0).sizes.size(), 1u) << "beyond the bounds";
}

TEST(Clusters, NoPointsNoClusters) {
  const Clusters c = find_clusters({}, box, 1.0);
  EXPECT_EQ(c.largest(), 0);
  EXPECT_EQ(c.count(), 0);
  EXPECT_EQ(c.clustered_fraction(), 0.0);
}

TEST(Clusters, AgreeWithAllPairsInSmallAndLargeBoxes) {
  std::mt19937_64 random(7);
  std::uniform_real_distribution<double> uniform(0.0, 20.0);
  for (double cutoff : {0.9, 2.0, 7.0, 12.0}) {  // the largest give one or two cells along an axis
    std::vector<Vec3> points(150);
    for (Vec3& p : points) p = {uniform(random), uniform(random), uniform(random)};
    const Clusters c = find_clusters(points, box, cutoff);
    // Flood fill over all pairs.
    std::vector<int> label(points.size(), -1);
    int labels = 0;
    for (std::size_t seed = 0; seed < points.size(); ++seed) {
      if (label[seed] >= 0) continue;
      std::vector<std::size_t> stack{seed};
      label[seed] = labels;
      while (!stack.empty()) {
        const std::size_t i = stack.back();
        stack.pop_back();
        for (std::size_t j = 0; j < points.size(); ++j) {
          const Vec3 d = box.minimum_image(
              {points[i][0] - points[j][0], points[i][1] - points[j][1], points[i][2] - points[j][2]});
          if (label[j] < 0 && d[0] * d[0] + d[1] * d[1] + d[2] * d[2] <= cutoff * cutoff)
            label[j] = labels, stack.push_back(j);
        }
      }
      ++labels;
    }
    ASSERT_EQ(c.sizes.size(), static_cast<std::size_t>(labels));
    for (std::size_t i = 0; i < points.size(); ++i)
      for (std::size_t j = 0; j < i; ++j) EXPECT_EQ(c.label[i] == c.label[j], label[i] == label[j]);
  }
}

}  // namespace
}  // namespace wafermark::tungsten
