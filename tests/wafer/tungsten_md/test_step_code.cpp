// Cycles come from counting the kernels: what is counted per item adds up to what a whole tile does.
#include <gtest/gtest.h>

#include <random>

#include "tungsten_md/wafer/step_code.hpp"
#include "tungsten_md/wafer/tile_program.hpp"

using namespace wafermark;
using namespace wafermark::tungsten;
using wse::Operation;
using C = wse::Counted<float>;

namespace {

template <class Body>
wse::OperationCounts counted(const Body& body) {
  wse::OperationCounts n;
  const wse::Counting counting(n);
  body();
  return n;
}

TEST(Counted, ProductThatOnlyGoesIntoASumIsOneFusedMultiplyAdd) {
  const C a = 2.0f, b = 3.0f, c = 4.0f;
  const auto fused = counted([&] { EXPECT_EQ(static_cast<float>(a * b + c), 10.0f); });
  EXPECT_EQ(fused[Operation::fma], 1);
  EXPECT_EQ(fused[Operation::multiply], 0);
  EXPECT_EQ(fused[Operation::add], 0);
  const auto two = counted([&] { EXPECT_EQ(static_cast<float>(a * b - a * c), -2.0f); });
  EXPECT_EQ(two[Operation::fma], 1);
  EXPECT_EQ(two[Operation::multiply], 1);
  // A product with two uses is fused into one of them.
  const auto shared = counted([&] {
    const C p = a * b;
    EXPECT_EQ(static_cast<float>((p + c) + (p - c)), 12.0f);
  });
  EXPECT_EQ(shared[Operation::fma] + shared[Operation::multiply], 1);
  EXPECT_EQ(shared[Operation::add], 2);
}

TEST(Counted, GivesTheValuesOfItsScalarExceptForRootsWhichAreNewtons) {
  for (const float x : {1e-6f, 0.3f, 2.0f, 7.9f, 30.5f, 1e8f}) {
    const auto r = wse::roots(C(x));
    EXPECT_NEAR(static_cast<float>(r.inverse) * std::sqrt(x), 1.0f, 4e-7f);
    EXPECT_NEAR(static_cast<float>(r.root) / std::sqrt(x), 1.0f, 4e-7f);
  }
}

TEST(StepCode, CountsPerItemAddUpToTheCountsOfAWholeTile) {
  std::mt19937 random(3);
  std::uniform_real_distribution<float> place(-5.0f, 5.0f);
  const std::vector<C> radial(8 * 64, C(0.5f)), embedding(4 * 64, C(0.25f));
  const TileTables<C> tables{radial.data(), embedding.data(), 63, 64, C(10.0f), C(2.0f), C(16.0f)};
  const Vector<C> own{0.1f, 0.2f, 0.3f};
  const PeriodicZ<C> z{false, 0.0f, 0.0f};
  std::vector<Vector<C>> candidates;
  for (int k = 0; k < 80; ++k) candidates.push_back({place(random), place(random), place(random)});
  int neighbours = 0;
  // Vector instructions over all candidates, whose squares are products of vectors: no multiply-add.
  std::vector<Vector<C>> separations;
  std::vector<C> squares;
  const auto vectors = counted([&] {
    for (const auto& c : candidates) {
      separations.push_back(separation(own, c, C(0.0f), C(0.0f), z));
      const auto& d = separations.back();
      squares.push_back(squared_length(d.x, d.y, d.z));
    }
  });
  EXPECT_EQ(vectors[Operation::fma], 2 * 80);
  const auto scalars = counted([&] {
    C density = 0.0f;
    std::vector<std::pair<Vector<C>, NeighbourDistance<C>>> kept;
    for (std::size_t k = 0; k < candidates.size(); ++k) {
      const C r2 = squares[k];
      const Vector<C> d = separations[k];
      if (!inside(r2, tables.cutoff_squared)) continue;
      enter_in_list<C>();
      turn_over_neighbours<C>();
      kept.push_back({d, neighbour_distance(tables, r2)});
      add_density(tables, kept.back().second, density);
      ++neighbours;
    }
    const auto f = embed(tables.embedding, tables.nrho, tables.inverse_drho, density);
    Vector<C> force{0.0f, 0.0f, 0.0f};
    for (const auto& [d, r] : kept) add_force(tables, r, d, f.slope, C(0.1f), force);
    Vector<C> position = own, velocity = own, acting = force;
    for (Vector<C>* in_memory : {&position, &velocity, &acting})
      for (C* word : {&in_memory->x, &in_memory->y, &in_memory->z}) word->keep_in_memory();
    const auto halfway = kicked(velocity, acting, C(1.0f), C(0.5f));
    velocity = halfway;
    position = drifted(position, halfway, C(1.0f));
    velocity = kicked(velocity, acting, C(1.0f), C(0.5f));
  });
  ASSERT_GT(neighbours, 5);
  ASSERT_LT(neighbours, 75);
  const SectionCounts s = count_sections(false);
  const auto whole = vectors.without_fma() + scalars;
  const auto sum =
      80 * (s.distance + s.test) + neighbours * (s.enter + s.density + s.force) + s.embedding + s.integration;
  for (std::size_t k = 0; k < wse::operation_classes; ++k)
    EXPECT_EQ(whole.n[k], sum.n[k]) << wse::operation_names[k];
}

TEST(StepCode, OneLoopOverAListOfTablesOverSquaresAddsUpToItsParts) {
  const std::vector<C> densities(4 * 64, C(0.5f)), slopes(8 * 64, C(0.25f));
  const SquaredTileTables<C> tables{densities.data(), slopes.data(), C(1.0f), C(0.5f), C(63.0f)};
  std::vector<Vector<C>> listed(20, {C(0.5f), C(1.0f), C(-2.0f)});
  Vector<C> own{0.1f, 0.2f, 0.3f}, kept = own;
  for (auto* v : {&kept}) v->x.keep_in_memory(), v->y.keep_in_memory(), v->z.keep_in_memory();
  for (auto& v : listed) v.x.keep_in_memory(), v.y.keep_in_memory(), v.z.keep_in_memory();
  const auto corners = wse::in_memory<float>(2);
  const auto whole = counted([&] {
    C density = 0.0f;
    std::vector<TablePosition<C>> at;
    for (const auto& other : listed) {
      OnTile<C>::read(2);
      OnTile<C>::address();
      const auto d = separation(own, other, corners[0], corners[1], PeriodicZ<C>{false, 0.0f, 0.0f});
      kept = d;
      at.push_back(neighbour_distance(tables, squared_length(d.x, d.y, d.z)));
      add_density(tables, at.back(), density);
      OnTile<C>::loop_end();
    }
    Vector<C> force{0.0f, 0.0f, 0.0f};
    for (const auto& r : at) add_force(tables, r, own, C(1.0f), C(2.0f), force);
  });
  const SectionCounts s = count_sections(false, RadialTable::over_squares);
  EXPECT_EQ(whole, 20 * (s.untested_density + s.force));
  // The test goes, and with it a loop; nothing else.
  EXPECT_EQ(s.untested_density + counted([] {
              (void)inside(C(1.0f), C(2.0f));
              OnTile<C>::address();
              OnTile<C>::read(2);
            }),
            s.listed + s.density);
}

TEST(StepCode, TablesOverSquaresNeedNoRoot) {
  const auto over_r = count_sections(false), over_squares = count_sections(false, RadialTable::over_squares);
  const auto saved = [](const wse::OperationCounts& a, const wse::OperationCounts& b) {
    return a.instructions() - b.instructions();
  };
  const auto root = counted([] { (void)wse::roots(C(2.0f)); });
  // Of locating, a select goes.
  EXPECT_EQ(saved(over_r.density, over_squares.density), root.instructions() + 1);
  EXPECT_GT(saved(over_r.force, over_squares.force), 10);
  EXPECT_EQ(over_r.listed, over_squares.listed);
}

TEST(StepCode, CandidatesInsideAndOutsideTheCutoffCostDifferently) {
  const auto machine = wse::Machine::read(WAFERMARK_SOURCE_DIR "/inputs/wafers/wse2.toml");
  const StepCode code(machine, count_sections(false));
  const auto list = [&](int candidates, int neighbours) {
    return code.test.cycles(candidates) + code.enter.cycles(neighbours);
  };
  EXPECT_GT(list(100, 50), list(100, 0));
  EXPECT_GT(list(100, 0), list(50, 0));
  EXPECT_GT(code.density.cycles(1) + code.force.cycles(1), 2 * list(1, 1));
}

TEST(StepCode, NearestImageAlongZCostsItsThreeOperations) {
  const auto open = count_sections(false).distance, periodic = count_sections(true).distance;
  EXPECT_EQ(periodic.instructions() - open.instructions(), 3);
}

}  // namespace
