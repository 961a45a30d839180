#include "wse_emulator/fabric/marching_multicast.hpp"

#include <algorithm>

namespace wafermark::wse {
namespace {

std::int64_t divided_up(std::int64_t a, std::int64_t b) { return (a + b - 1) / b; }

}  // namespace

std::int64_t marching_stage_cycles(const FabricTiming& f, int b, int words, int hops, int streams) {
  if (b == 0) return 0;
  const std::int64_t hop = std::int64_t{hops} * f.hop_cycles, travel = b * hop + 2 * f.ramp_cycles;
  if (b == 1 || words == 1 || streams == 1)
    return (b + 1) * (divided_up(words + 1, f.words_per_cycle) + hop) + travel;
  return (b + 1) * (divided_up(2 * (words + 1), f.words_per_cycle) + hop) + travel - 4;
}

std::int64_t marching_multicast_cycles(const FabricTiming& f, int b, int words, int hops_x, int hops_y) {
  return marching_stage_cycles(f, b, words, hops_x) +
         marching_stage_cycles(f, b, (2 * b + 1) * words, hops_y);
}

}  // namespace wafermark::wse
