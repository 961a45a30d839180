#include "wse_emulator/fabric/line_broadcast.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>

#include "wse_emulator/fabric/reduction.hpp"

namespace wafermark::wse {

std::string LineBroadcast::text() const {
  return fmt::format("broadcast of {} words along {} tiles", words(0), lines().length);
}

std::vector<ColorUse> LineBroadcast::colors(const TileGrid&, int first) const {
  return {{first, {lines().towards_end(), lines().towards_beginning()}}};
}

void LineBroadcast::advance_line(const FabricTiming& f, int words, std::int64_t* clocks,
                                 std::ptrdiff_t stride, std::int64_t* moving) const {
  const int root = lines().root;
  const std::int64_t start = clocks[root * stride], cycles = f.cycles_of(words),
                     behind = cycles - f.cycles_of(1);  // the last word behind the first
  for (int t = 0; t < lines().length; ++t) {
    if (t == root) continue;
    std::int64_t& clock = clocks[t * stride];
    clock = std::max(clock, first_word(f, start, std::abs(t - root)) + behind);
    moving[t] = cycles;
  }
}

void LineBroadcast::add_line_words(const FabricTiming&, int line, std::int64_t times,
                                   LinkWords& words) const {
  const int root = lines().root;
  const std::int64_t count = times * this->words(line);
  add_run(line, 1, root + 1, lines().towards_beginning(), count, words);
  add_run(line, root, lines().length - 1, lines().towards_end(), count, words);
}

std::int64_t LineBroadcast::first_word(const FabricTiming& f, std::int64_t start, int distance) {
  return distance == 0 ? start : start + broadcast_cycles(f, distance + 1, 1);
}

std::int64_t LineBroadcast::first_word_cycles(const FabricTiming& f, const TileGrid&) const {
  return first_word(f, 0, std::max(lines().root, lines().length - 1 - lines().root));
}

}  // namespace wafermark::wse
