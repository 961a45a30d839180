#include "wse_emulator/fabric/streams.hpp"

#include <algorithm>

#include "wse_emulator/link_words.hpp"

namespace wafermark::wse {
namespace {

/// Senders whose words cross the link from place `u` of a line to the next, counted along the stream.
int senders_over(int u, int length, int patch, bool ring, int b) {
  if (ring) return b;
  return u < 0 || u >= length - patch
             ? 0
             : std::min(b, u / patch + 1);  // nobody listens behind the last receiver
}

}  // namespace

void add_stream(const Stream& stream, int b, std::int64_t times,
                const std::function<std::int64_t(int x)>& words_of, LinkWords& words) {
  const TileGrid& grid = words.grid();
  const bool along_row = stream.direction == Link::east || stream.direction == Link::west;
  const bool back = stream.direction == Link::west || stream.direction == Link::north;
  const int layers = grid.layers(), length = along_row ? grid.width : grid.height / layers;
  const bool ring = grid.ring[along_row ? 0 : 1];
  words.add(stream.direction, [&](int x, int y) {
    const int at = along_row ? x : y / layers;
    int u = back ? length - 1 - at : at;
    if (stream.gathers) u = length - 2 - u;
    return times * senders_over(u, length, grid.patch, ring, b) * (words_of(x) + 1);
  });
}

}  // namespace wafermark::wse
