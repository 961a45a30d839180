#include "wse_emulator/fabric/line_pattern.hpp"

#include <algorithm>

#include "wse_emulator/link_words.hpp"

namespace wafermark::wse {

std::int64_t LinePattern::cycles(const FabricTiming& fabric, const TileGrid&) const {
  const auto tiles = static_cast<std::size_t>(lines_.length);
  std::vector<std::int64_t> clocks(tiles, 0), moving(tiles, 0);
  if (words(0) > 0 && lines_.length > 1) advance_line(fabric, words(0), clocks.data(), 1, moving.data());
  return *std::max_element(clocks.begin(), clocks.end());
}

void LinePattern::advance(const FabricTiming& fabric, RegionClocks& clocks) const {
  if (lines_.length == 1) return;
  const auto tiles = static_cast<std::size_t>(lines_.length);
  const std::ptrdiff_t stride = clocks.stride(lines_.along_rows);
  std::vector<std::int64_t> before(tiles), moving(tiles);
  for (int line = 0; line < lines_.number(); ++line) {
    if (words(line) == 0) continue;
    std::int64_t* now = clocks.from(lines_.x(line, 0), lines_.y(line, 0));
    for (std::size_t t = 0; t < tiles; ++t) before[t] = now[static_cast<std::ptrdiff_t>(t) * stride];
    std::fill(moving.begin(), moving.end(), 0);
    advance_line(fabric, words(line), now, stride, moving.data());
    for (int t = 0; t < lines_.length; ++t) {
      const auto k = static_cast<std::size_t>(t);
      if (now[t * stride] != before[k])
        clocks.book(lines_.x(line, t), lines_.y(line, t), before[k], moving[k], 0);
    }
  }
}

void LinePattern::add_words(const FabricTiming& fabric, std::int64_t times, LinkWords& words) const {
  if (lines_.length == 1) return;
  for (int line = 0; line < lines_.number(); ++line)
    if (this->words(line) > 0) add_line_words(fabric, line, times, words);
}

void LinePattern::add_run(int line, int from, int to, Link link, std::int64_t count, LinkWords& words) const {
  if (to <= from) return;
  const int x = lines_.x(line, from), y = lines_.y(line, from), n = to - from;
  words.add(link, lines_.along_rows ? Block{x, y, n, 1} : Block{x, y, 1, n}, count);
}

}  // namespace wafermark::wse
