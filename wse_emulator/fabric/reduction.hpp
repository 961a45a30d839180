// Broadcasts and reductions along a line of P tiles, and over a rectangle: cycles when all tiles begin
// together. Formulas of Luczynski et al., "Near-Optimal Wafer-Scale Reduce" (HPDC'24), for T_R cycles of ramp
// and B words: every one is an instance of T = max(C, E/N + L) + (2 T_R + 1) D, with contention C, energy E
// (word hops), links N, distance L and depth D.
#pragma once

#include <cstdint>
#include <vector>

#include "common/communicator.hpp"
#include "wse_emulator/fabric/pattern.hpp"

namespace wafermark::wse {

/// The general model. `depth`: how many cores the data pass one after the other.
double general_model_cycles(const FabricTiming& fabric, double contention, double energy, double links,
                            double distance, double depth);

/// From one end to all others: B + P + 2 T_R.
std::int64_t broadcast_cycles(const FabricTiming& fabric, int tiles, int words);
/// From one corner of a width x height rectangle to all: B + W + H - 2 + 2 T_R + 1.
std::int64_t broadcast_2d_cycles(const FabricTiming& fabric, int width, int height, int words);

/// Each tile adds its words to those of its neighbour and passes them on: B + (2 T_R + 2)(P - 1).
std::int64_t chain_reduce_cycles(const FabricTiming& fabric, int tiles, int words);
/// All send to the root, which adds: B (P - 1) + 2 T_R + 1.
std::int64_t star_reduce_cycles(const FabricTiming& fabric, int tiles, int words);
/// In pairs, pairs of pairs, ...: max(B log2 P, B P log2 P / (2 (P - 1)) + P - 1) + (2 T_R + 1) log2 P, log2
/// rounded up. Up to a quarter below router_reference for tens of words, whose messages wait for each other
/// on the links.
std::int64_t tree_reduce_cycles(const FabricTiming& fabric, int tiles, int words);
/// Chains in groups of S tiles, then a chain over the groups' heads: 2B + (2 T_R + 1)(S - 1 + P/S - 1) + P -
/// 1; one group is the chain.
std::int64_t two_phase_reduce_cycles(const FabricTiming& fabric, int tiles, int words, int group);
/// The group size between 1 and P that makes two_phase_reduce_cycles least (the smallest such).
int best_group(const FabricTiming& fabric, int tiles, int words);

/// Over a rectangle to all its tiles: two-phase along the rows, then along the first column, and the
/// broadcast back. Exact, or up to 8 cycles above router_reference (where groups are unequal, or few words
/// reach a group's head before its own sum), on grids of up to 32 x 32 tiles and 64 words.
std::int64_t all_reduce_cycles(const FabricTiming& fabric, int width, int height, int words);

/// One tile to another `distance` hops away: B + distance + 2 T_R + 1, as the broadcast to the end of a line.
std::int64_t point_to_point_cycles(const FabricTiming& fabric, int distance, int words);
/// Every tile of a line to the one `distance` hops on, all at once, on 2 distance colors: a link carries the
/// words of `distance` tiles, so B distance + distance + 2 T_R + 1. At most the queues' depth per color
/// faster than router_reference (words of tiles further back wait their turn).
std::int64_t shift_cycles(const FabricTiming& fabric, int distance, int words);

/// The fp32 sum in the order in which the pattern adds: tile P - 1 towards tile 0.
float chain_sum(const std::vector<float>& values);
float tree_sum(const std::vector<float>& values);
float two_phase_sum(const std::vector<float>& values, int group);
/// Of values [height][width], as all_reduce_cycles' pattern adds them for messages of `words`.
float all_reduce_sum(const FabricTiming& fabric, const std::vector<float>& values, int width, int words);

/// all_reduce_cycles' pattern over the whole grid.
class AllReduce final : public Pattern {
 public:
  explicit AllReduce(int words) : words_(words) {}

  /// The least value of all tiles, of which each rank gives that of its own. One word. Collective.
  float least(const Communicator& comm, float of_tiles) const { return comm.min(of_tiles); }

  std::string text() const override;
  After after() const override { return After::everyone; }
  std::int64_t cycles(const FabricTiming& fabric, const TileGrid& grid) const override;
  std::vector<ColorUse> colors(const TileGrid& grid, int first) const override;
  void add_words(const FabricTiming& fabric, std::int64_t times, LinkWords& words) const override;

 private:
  int words_;
};

}  // namespace wafermark::wse
