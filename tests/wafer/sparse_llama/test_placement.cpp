// Models on tiles: everything is placed once, nothing overlaps, tiles hold their share.
#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <random>
#include <set>

#include "common/errors.hpp"
#include "sparse_llama/model/weight_source.hpp"
#include "sparse_llama/wafer/placement.hpp"

namespace wafermark::llama {
namespace {

const wse::Machine& machine() {
  static const wse::Machine m = wse::Machine::read(WAFERMARK_SOURCE_DIR "/inputs/wafers/wse2.toml");
  return m;
}

Placement place(const Configuration& model, const wse::TileGrid& grid, WaferSettings s) {
  return Placement::search(model, machine(), ProgramCost(machine(), s.value_type), grid, s);
}

void expect_apart(const Placement& p) {
  std::vector<wse::Block> areas;
  for (const wse::TileRegion& r : p.layers) areas.push_back(r.area);
  areas.push_back(p.embedding.area);
  if (!p.model.tied_embeddings) areas.push_back(p.head.area);
  for (std::size_t a = 0; a < areas.size(); ++a) {
    EXPECT_GE(areas[a].x0, 0);
    EXPECT_GE(areas[a].y0, 0);
    EXPECT_LE(areas[a].x0 + areas[a].width, p.grid.width);
    EXPECT_LE(areas[a].y0 + areas[a].height, p.grid.height);
    for (std::size_t b = 0; b < a; ++b)
      EXPECT_TRUE(
          areas[a].x0 + areas[a].width <= areas[b].x0 || areas[b].x0 + areas[b].width <= areas[a].x0 ||
          areas[a].y0 + areas[a].height <= areas[b].y0 || areas[b].y0 + areas[b].height <= areas[a].y0)
          << a << " and " << b;
  }
  EXPECT_EQ(std::int64_t(p.layers.size()), (p.model.layers + p.layers_per_region - 1) / p.layers_per_region);
}

TEST(Placement, RegionsOfAModelDoNotOverlapAndLieOnTheWafer) {
  WaferSettings s;
  s.density = 0.3;
  s.context = 1024;
  for (const char* name : {"tinyllama-1.1b", "llama2-7b", "llama3-8b", "llama3.2-1b"}) {
    const Configuration model = published_configuration(name);
    expect_apart(place(model, {machine().width, machine().height}, s));
    s.layers_per_region = 1;
    expect_apart(place(model, {machine().width, machine().height}, s));
    s.layers_per_region = 0;
  }
}

/// Rows of tiles have whole pairs of a head's dimensions, or none: what fits goes by the row that has most.
TEST(Placement, GoesByTheFullestTileOfDenseWeights) {
  WaferSettings s;
  s.format = Format::dense;
  s.context = 8;
  const Configuration model = published_configuration("tinyllama-1.1b");
  for (const wse::TileGrid& grid : {wse::TileGrid{320, 435}, {333, 420}, {500, 300}}) {
    const Placement p = place(model, grid, s);
    const wse::Block& area = p.layers.front().area;
    const std::vector<RowHeads> heads = row_heads(model, area.height);
    const std::int64_t columns = even_cut(model.dim, area.width).most(),
                       hidden = even_cut(model.hidden, area.height).most();
    EXPECT_EQ(p.expected_weight_bytes(),
              2 * p.layers_per_region * columns *
                  (query_key_value_cut(model, heads).most() + attended_cut(model, heads).most() + 3 * hidden))
        << grid.width << " x " << grid.height;
  }
}

TEST(Placement, Llama2Of7BillionFitsSparseInBf16AndDenseWithLessLeft) {
  WaferSettings s;
  s.context = 4096;
  const Configuration model = published_configuration("llama2-7b");
  s.density = 0.3;
  const Placement sparse = place(model, {machine().width, machine().height}, s);
  s.format = Format::dense;
  s.density = 1;
  s.layers_per_region = sparse.layers_per_region;
  s.strips = sparse.strips;
  const Placement dense = place(model, {machine().width, machine().height}, s);
  EXPECT_GT(sparse.cache_capacity(machine(), sparse.expected_weight_bytes()),
            1.2 * double(dense.cache_capacity(machine(), dense.expected_weight_bytes())));
}

TEST(Placement, ForThroughputLayersLieApartAndForLatencyTogether) {
  WaferSettings s;
  s.density = 0.3;
  s.context = 1024;
  const Configuration model = published_configuration("llama2-7b");
  const Placement soonest = place(model, {machine().width, machine().height}, s);
  s.for_throughput = true;
  const Placement often = place(model, {machine().width, machine().height}, s);
  EXPECT_LT(often.layers_per_region, soonest.layers_per_region);
  EXPECT_LT(often.predicted_stage_cycles, soonest.predicted_stage_cycles / 2);
  EXPECT_GT(often.predicted_token_cycles, soonest.predicted_token_cycles);
}

TEST(Placement, SaysWhatIsTooLargeWithTheLedger) {
  WaferSettings s;
  s.context = 1000000;
  try {
    place(published_configuration("llama2-7b"), {200, 200}, s);
    FAIL();
  } catch (const InputError& e) {
    EXPECT_NE(std::string(e.what()).find("200 x 200 tiles of wse2"), std::string::npos);
    EXPECT_NE(std::string(e.what()).find("packed weights"), std::string::npos);
  }
}

void expect_each_once(const Cut& cut, std::int64_t count) {
  std::vector<std::int64_t> sorted = cut.order, all(static_cast<std::size_t>(count));
  std::sort(sorted.begin(), sorted.end());
  std::iota(all.begin(), all.end(), std::int64_t(0));
  EXPECT_EQ(sorted, all);
}

TEST(Cut, HeadsAreCompleteWhetherRowsAreFewOrMany) {
  const Configuration c{64, 1, 8, 4, 16, 96, 100, 64, 1e-5, 1e4, {}, false};
  for (const int rows : {1, 3, 4, 11, 32, 50}) {
    const std::vector<RowHeads> heads = row_heads(c, rows);
    ASSERT_EQ(int(heads.size()), rows);
    expect_each_once(query_key_value_cut(c, heads), c.query_dim() + 2 * c.kv_dim());
    expect_each_once(attended_cut(c, heads), c.query_dim());
  }
}

TEST(Cut, DealtUnitsAreCompleteAndTheFullestTileIsLessFull) {
  std::mt19937 random(3);
  std::vector<std::vector<int>> stored;
  for (int u = 0; u < 300; ++u) {
    stored.emplace_back();
    for (int t = 0; t < 10; ++t)
      stored.back().push_back(std::poisson_distribution<int>(u < 100 ? 2 : 9)(random));
  }
  const auto fullest = [&](const Cut& cut) {
    int most = 0;
    for (int line = 0; line < cut.lines(); ++line)
      for (std::size_t t = 0; t < 10; ++t) {
        int sum = 0;
        for (const std::int64_t u : cut.of(line)) sum += stored[std::size_t(u)][t];
        most = std::max(most, sum);
      }
    return most;
  };
  const Cut dealt = balanced_cut(stored, 16), even = even_cut(300, 16);
  expect_each_once(dealt, 300);
  expect_each_once(gate_up_cut(dealt, 300), 600);
  EXPECT_LT(fullest(dealt), 0.85 * fullest(even));
  EXPECT_EQ(dealt.start, even.start);
}

}  // namespace
}  // namespace wafermark::llama
