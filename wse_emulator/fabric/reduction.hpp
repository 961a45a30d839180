// Broadcasts and reductions along a line of P tiles, and over a rectangle: cycles when all tiles begin
// together. Formulas of Luczynski et al., "Near-Optimal Wafer-Scale Reduce" (HPDC'24), for T_R cycles of ramp
// and B words: every one is an instance of T = max(C, E/N + L) + (2 T_R + 1) D, with contention C, energy E
// (word hops), links N, distance L and depth D.
#pragma once

#include <cstdint>
#include <vector>

#include "wse_emulator/fabric/fabric_timing.hpp"

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
/// Words over the link from place `at` of a line towards place 0, in a two-phase reduction.
std::int64_t two_phase_words(int at, int tiles, int words, int group);

}  // namespace wafermark::wse
