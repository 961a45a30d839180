// The same bits and cycles for every split of the tiles over ranks, one tile a rank included.
#include <gtest/gtest.h>

#include "wafer_model.hpp"

namespace wafermark::llama {
namespace {

/// What must not depend on how tiles are dealt to ranks.
struct Outcome {
  std::vector<float> logits;
  std::vector<std::int32_t> tokens;
  std::int64_t cycles = 0;
  std::vector<double> clocks;
  double joules = 0, bits = 0;
};

Outcome outcome(const Communicator& comm, const Model& model, const wse::TileGrid& grid, Format format,
                std::int64_t together) {
  WaferDecoder wafer(comm, model.source, machine(), grid, settings_for(format, ValueType::bf16, together));
  Outcome o;
  std::vector<TokenRow> rows = rows_of(0);
  const std::vector<TokenRow> other = rows_of(1);
  rows.insert(rows.end(), other.begin(), other.end());
  o.logits = wafer.forward(rows, all(rows.size()));
  o.cycles = wafer.finished_cycle();
  for (const auto& phase : wafer.executor().record().summarize())
    o.clocks.insert(o.clocks.end(), {phase.min, phase.mean, phase.max});
  o.joules = wafer.executor().dynamic_joules();
  o.bits = wafer.bits_per_weight();
  return o;
}

TEST(WaferDecomposition, BitsAndCyclesAreTheSameForEverySplitOverRanks) {
  const Communicator comm;
  const Model model(grouped(), 0.3);
  for (const auto& [grid, format, together] : {std::tuple{wse::TileGrid{8, 8}, Format::bit_mask, 1},
                                               {wse::TileGrid{8, 8}, Format::dense, 3},
                                               {wse::TileGrid{11, 23}, Format::bit_mask, 2}}) {
    const Outcome parts = outcome(comm, model, grid, format, together);
    const bool compares = comm.rank() == 0 || comm.rank() == comm.size() - 1;
    if (!compares) continue;
    const Communicator alone(MPI_COMM_SELF);
    const Outcome whole = outcome(alone, model, grid, format, together);
    EXPECT_EQ(parts.logits, whole.logits);
    EXPECT_EQ(parts.cycles, whole.cycles);
    EXPECT_EQ(parts.clocks, whole.clocks);
    EXPECT_NEAR(parts.joules, whole.joules, 1e-12 * whole.joules);  // summed in another order
    EXPECT_EQ(parts.bits, whole.bits);
  }
}

}  // namespace
}  // namespace wafermark::llama
