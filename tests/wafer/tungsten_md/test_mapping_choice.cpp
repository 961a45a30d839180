// wafer.layer_cells = "auto": the way of laying a crystal out that has the shortest predicted step.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "common/errors.hpp"
#include "wafer_case.hpp"

namespace wafermark::tungsten {
namespace {

constexpr const char* automatic = "wafer.layer_cells = \"auto\"\n";

TilePlan plan_of(const Case& what) {
  return TilePlan::make(Communicator(MPI_COMM_SELF), what, what.load_potential());
}
double cycles(const TilePlan& plan) { return plan.predicted_cycles(plan.machine); }

TEST(FastestMapping, IsWholeColumnsOfThinSamples) {
  EXPECT_EQ(plan_of(wafer_case("[16, 16, 3]", all_open, automatic)).settings.layer_cells, 0);
}

TEST(FastestMapping, OfThickSamplesIsThatOfAllLayers) {
  const TilePlan chosen = plan_of(wafer_case("[10, 10, 25]", all_open, automatic));
  EXPECT_GT(chosen.settings.layer_cells, 0);
  EXPECT_EQ(chosen.tried.front().layer_cells, chosen.settings.layer_cells);
  EXPECT_EQ(chosen.tried.front().cycles, cycles(chosen));
  for (const Mapping& other : chosen.tried) EXPECT_GE(other.cycles, cycles(chosen)) << other.layer_cells;
  // Thicker layers than those that were tried are slower.
  for (const int named : {4, 6, 12})
    EXPECT_GT(
        cycles(plan_of(wafer_case("[10, 10, 25]", all_open, fmt::format("wafer.layer_cells = {}\n", named)))),
        cycles(chosen))
        << named;
}

TEST(FastestMapping, RunsWithTheBitsOfTheNamedLayersAndIsToldWithTheOthers) {
  const char* const cells = "[8, 8, 16]";
  WaferRun chosen(wafer_case(cells, all_open, automatic));
  const TilePlan& plan = chosen.simulation.plan();
  const int layer_cells = plan.settings.layer_cells.value();
  ASSERT_GT(layer_cells, 0);
  WaferRun named(wafer_case(cells, all_open, fmt::format("wafer.layer_cells = {}\n", layer_cells)));
  for (WaferRun* run : {&chosen, &named})
    for (int k = 0; k < 5; ++k) run->simulation.step(k == 4);
  EXPECT_EQ(chosen.simulation.all_atoms().configuration.atoms.x,
            named.simulation.all_atoms().configuration.atoms.x);
  EXPECT_EQ(chosen.simulation.clock_cycles(), named.simulation.clock_cycles());
  EXPECT_TRUE(named.simulation.plan().tried.empty());

  const std::string text = plan.describe();
  EXPECT_NE(text.find("mapping           layers of "), std::string::npos) << text;
  EXPECT_NE(text.find("whole columns  "), std::string::npos) << text;
  EXPECT_NE(choice_text(plan.tried).find("whole columns: "), std::string::npos);
  const nlohmann::json rows = to_json(plan.tried);
  ASSERT_EQ(rows.size(), plan.tried.size());
  EXPECT_EQ(rows[0].at("layer_cells"), layer_cells);
  EXPECT_EQ(rows[0].at("predicted_cycles_per_step"), cycles(plan));
}

TEST(FastestMapping, OfWhatHasNoLayersIsOfWholeColumns) {
  for (const char* more : {"wafer.tiles_per_atom = 4\n", "wafer.force_symmetry = true\n",
                           "potential = {model = \"zhou_2004\", elements = [\"W\", \"Ta\"]}\n"}) {
    const TilePlan plan = plan_of(wafer_case("[6, 6, 4]", all_open, std::string(automatic) + more));
    EXPECT_EQ(plan.settings.layer_cells, 0) << more;
    EXPECT_EQ(plan.tried.size(), 1u) << more;
  }
  const Case crystal = wafer_case("[6, 6, 4]", all_open, automatic);
  const PotentialTables potential = crystal.load_potential();
  const Configuration start = crystal_of(crystal, potential);
  const TilePlan plan = TilePlan::make(Communicator(MPI_COMM_SELF), from_file(crystal), potential, &start);
  EXPECT_EQ(plan.settings.layer_cells, 0);
}

TEST(FastestMapping, TakesWhatFitsWhereOthersDoNot) {
  // 24 atoms a column: room for them as whole columns only; idle tiles lie between panels.
  const TilePlan columns =
      plan_of(wafer_case("[10, 10, 12]", all_open, std::string(automatic) + "wafer.tiles = [50, 50]\n"));
  EXPECT_EQ(columns.settings.layer_cells, 0);
  EXPECT_GT(columns.tried.size(), 1u);
  for (std::size_t k = 1; k < columns.tried.size(); ++k) EXPECT_FALSE(columns.tried[k].refused.empty());
  EXPECT_NE(columns.describe().find("does not fit: "), std::string::npos);
}

std::string refusal(const std::string& cells, const std::string& more) {
  try {
    plan_of(wafer_case(cells, all_open, automatic + more));
  } catch (const InputError& e) {
    return e.what();
  }
  return "";
}

TEST(FastestMapping, ThatDoesNotExistIsToldInOneLine) {
  const std::string small = refusal("[10, 10, 12]", "wafer.tiles = [20, 20]\n");
  EXPECT_NE(small.find("found 24 atoms in a column"), std::string::npos) << small;
  EXPECT_NE(small.find("in layers, wafer.layer_cells: found 12 layers"), std::string::npos) << small;
  EXPECT_EQ(small.find('\n'), std::string::npos);
  // What has nothing to do with the mapping is told as ever.
  const std::string wide = refusal("[10, 10, 12]", "wafer.tiles = [2000, 20]\n");
  EXPECT_EQ(wide.find("wafer.tiles: found 2000"), 0u) << wide;
  EXPECT_EQ(wide.find("in layers"), std::string::npos) << wide;
}

}  // namespace
}  // namespace wafermark::tungsten
