#include "wse_emulator/fabric/reduction.hpp"

#include <algorithm>
#include <cmath>

#include "wse_emulator/whole_cycles.hpp"

namespace wafermark::wse {
namespace {

int log2_up(int n) {
  int levels = 0;
  while ((1 << levels) < n) ++levels;
  return levels;
}

}  // namespace

double general_model_cycles(const FabricTiming& f, double contention, double energy, double links,
                            double distance, double depth) {
  return std::max(contention, energy / links + distance) + (2.0 * f.ramp_cycles + 1.0) * depth;
}

std::int64_t broadcast_cycles(const FabricTiming& f, int tiles, int words) {
  return f.multicast_issue_cycles + f.cycles_of(words) + std::int64_t{tiles} * f.hop_cycles +
         2 * f.ramp_cycles;
}

std::int64_t broadcast_2d_cycles(const FabricTiming& f, int width, int height, int words) {
  return f.multicast_issue_cycles + f.cycles_of(words) + std::int64_t{width + height - 2} * f.hop_cycles +
         2 * f.ramp_cycles + 1;
}

std::int64_t chain_reduce_cycles(const FabricTiming& f, int tiles, int words) {
  if (tiles == 1) return 0;
  return f.cycles_of(words) + std::int64_t{2 * f.ramp_cycles + 1 + f.hop_cycles} * (tiles - 1);
}

std::int64_t star_reduce_cycles(const FabricTiming& f, int tiles, int words) {
  if (tiles == 1) return 0;
  return f.cycles_of(std::int64_t{words} * (tiles - 1)) + 2 * f.ramp_cycles + f.hop_cycles;
}

std::int64_t tree_reduce_cycles(const FabricTiming& f, int tiles, int words) {
  if (tiles == 1) return 0;
  const double levels = log2_up(tiles), b = f.cycles_per_word * words, p = tiles;
  return cycles_begun(std::max(b * levels, b * p * levels / (2.0 * (p - 1.0)) + (p - 1.0) * f.hop_cycles) +
                      (2.0 * f.ramp_cycles + 1.0) * levels);
}

std::int64_t two_phase_reduce_cycles(const FabricTiming& f, int tiles, int words, int group) {
  if (group >= tiles || group <= 1) return chain_reduce_cycles(f, tiles, words);
  const double groups = static_cast<double>(tiles) / group;
  return cycles_begun(2.0 * f.cycles_per_word * words +
                      (2.0 * f.ramp_cycles + 1.0) * (group - 1.0 + groups - 1.0) +
                      (tiles - 1.0) * f.hop_cycles);
}

int best_group(const FabricTiming& f, int tiles, int words) {
  int best = tiles;
  for (int s = tiles; s >= 1; --s)
    if (two_phase_reduce_cycles(f, tiles, words, s) <= two_phase_reduce_cycles(f, tiles, words, best))
      best = s;
  return best;
}

std::int64_t point_to_point_cycles(const FabricTiming& f, int distance, int words) {
  return f.cycles_of(words) + std::int64_t{distance} * f.hop_cycles + 2 * f.ramp_cycles + 1;
}

std::int64_t shift_cycles(const FabricTiming& f, int distance, int words) {
  return f.cycles_of(std::int64_t{words} * distance) + std::int64_t{distance} * f.hop_cycles +
         2 * f.ramp_cycles + 1;
}

float chain_sum(const std::vector<float>& values) {
  float sum = values.back();
  for (std::size_t k = values.size() - 1; k-- > 0;) sum = values[k] + sum;
  return sum;
}

float tree_sum(const std::vector<float>& values) {
  std::vector<float> partial = values;
  for (std::size_t stride = 1; stride < partial.size(); stride *= 2)
    for (std::size_t k = 0; k + stride < partial.size(); k += 2 * stride)
      partial[k] = partial[k] + partial[k + stride];
  return partial.front();
}

float two_phase_sum(const std::vector<float>& values, int group) {
  const auto s = static_cast<std::size_t>(std::max(1, group));
  std::vector<float> heads;
  for (std::size_t k = 0; k < values.size(); k += s)
    heads.push_back(
        chain_sum({values.begin() + static_cast<std::ptrdiff_t>(k),
                   values.begin() + static_cast<std::ptrdiff_t>(std::min(values.size(), k + s))}));
  return chain_sum(heads);
}

std::int64_t two_phase_words(int at, int tiles, int words, int group) {
  if (at == 0) return 0;
  const int last_head = (tiles - 1) / group * group;
  // In the chain of the group, and in the chain of heads, which goes on from the last one.
  return std::int64_t{words} * ((at % group != 0 ? 1 : 0) + (at <= last_head ? 1 : 0));
}

}  // namespace wafermark::wse
