#include "wse_emulator/fabric/marching_multicast.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "wse_emulator/fabric/streams.hpp"
#include "wse_emulator/link_words.hpp"

namespace wafermark::wse {
namespace {

/// Patches of a line within b on either side of the one at `at`.
struct Within {
  int before, after;
};
Within within(int at, int patches, bool ring, int b) {
  return ring ? Within{b, b} : Within{std::min(at, b), std::min(patches - 1 - at, b)};
}

/// Words that a tile at place x of its row sends in the second stage: what the row brought it, and its own.
std::int64_t second_stage_words(const TileGrid& grid, int x, int b, int words) {
  const TileGrid patches = grid.of_patches();
  const Within row = within(x / grid.patch, patches.width, grid.ring[0], b);
  // Of a patch, the western tiles heard those to the west, the eastern ones those to the east.
  const int heard = grid.patch == 1 ? row.before + row.after : x % grid.patch == 0 ? row.before : row.after;
  return std::int64_t{heard + 1} * words;
}

}  // namespace

std::int64_t marching_stage_cycles(const FabricTiming& f, int b, int words, int hops, int streams) {
  if (b == 0) return 0;
  const std::int64_t hop = std::int64_t{hops} * f.hop_cycles,
                     travel = b * hop + 2 * f.ramp_cycles + f.multicast_issue_cycles;
  if (b == 1 || words == 1 || streams == 1) return (b + 1) * (f.cycles_of(words + 1) + hop) + travel;
  return (b + 1) * (f.cycles_of(2 * (std::int64_t{words} + 1)) + hop) + travel - 4;
}

std::int64_t marching_multicast_cycles(const FabricTiming& f, int b, int words, int hops_x, int hops_y) {
  return marching_stage_cycles(f, b, words, hops_x) +
         marching_stage_cycles(f, b, (2 * b + 1) * words, hops_y);
}

std::string MarchingMulticast::text() const {
  return fmt::format("marching multicast of {} word{} to b = {}", words_, words_ == 1 ? "" : "s", b_);
}

std::int64_t MarchingMulticast::cycles(const FabricTiming& f, const TileGrid& grid) const {
  if (grid.patch == 1) return marching_multicast_cycles(f, b_, words_, grid.hops(0), grid.hops(1));
  return marching_stage_cycles(f, b_, words_, grid.patch * grid.hops(0), 1) +
         marching_stage_cycles(f, b_, (b_ + 1) * words_, grid.patch * grid.hops(1), 1);
}

std::vector<ColorUse> MarchingMulticast::colors(const TileGrid&, int first) const {
  return marching_multicast_use("", {}, first).uses;
}

void MarchingMulticast::add_words(const FabricTiming&, std::int64_t times, LinkWords& words) const {
  const auto own = [&](int) { return std::int64_t{words_}; };
  const auto rows = [&](int x) { return second_stage_words(words.grid(), x, b_, words_); };
  for (const Link link : {Link::east, Link::west}) add_stream({link}, b_, times, own, words);
  for (const Link link : {Link::south, Link::north}) add_stream({link}, b_, times, rows, words);
}

std::string ReverseMulticast::text() const {
  return fmt::format("sums of {} words from half of the neighbourhood, b = {}", words_, b_);
}

std::int64_t ReverseMulticast::cycles(const FabricTiming& f, const TileGrid& grid) const {
  return marching_stage_cycles(f, b_, (2 * b_ + 1) * words_, grid.hops(1), 1) +
         marching_stage_cycles(f, b_, words_, grid.hops(0));
}

std::vector<ColorUse> ReverseMulticast::colors(const TileGrid&, int first) const {
  return marching_multicast_use("", {}, first).uses;
}

void ReverseMulticast::add_words(const FabricTiming&, std::int64_t times, LinkWords& words) const {
  const auto own = [&](int) { return std::int64_t{words_}; };
  const auto rows = [&](int x) { return second_stage_words(words.grid(), x, b_, words_); };
  add_stream({Link::south, true}, b_, times, rows, words);
  for (const Link link : {Link::east, Link::west}) add_stream({link, true}, b_, times, own, words);
}

}  // namespace wafermark::wse
