#include "wse_emulator/fabric/row_stream.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>

#include "wse_emulator/fabric/reduction.hpp"
#include "wse_emulator/link_words.hpp"

namespace wafermark::wse {
namespace {

/// Words of a tile for itself are there a cycle each.
std::int64_t way_cycles(const FabricTiming& f, int distance, std::int64_t words) {
  return distance == 0 ? words - 1 : point_to_point_cycles(f, distance, static_cast<int>(words));
}

void add_row(int x, int to, int y, std::int64_t count, LinkWords& words) {
  if (to > x) words.add(Link::east, Block{x, y, to - x, 1}, count);
  if (to < x) words.add(Link::west, Block{to + 1, y, x - to, 1}, count);
}
void add_column(int x, int y, int to, std::int64_t count, LinkWords& words) {
  if (to > y) words.add(Link::south, Block{x, y, 1, to - y}, count);
  if (to < y) words.add(Link::north, Block{x, to + 1, 1, y - to}, count);
}

/// The color of words that leave their tile by this link, on which they stay wherever they turn.
ColorUse leaving(int first, Link link) { return {first + static_cast<int>(link), {link}}; }

Block around(const Block& a, const Block& b) {
  const int x0 = std::min(a.x0, b.x0), y0 = std::min(a.y0, b.y0);
  return {x0, y0, std::max(a.x0 + a.width, b.x0 + b.width) - x0,
          std::max(a.y0 + a.height, b.y0 + b.height) - y0};
}

}  // namespace

int RowStream::across() const { return std::abs(to_.area.x0 - from_.area.x0); }

int RowStream::lanes() const { return std::min(from_.area.height, to_.area.height); }

std::int64_t RowStream::segment_cycles(const FabricTiming& f, int words) const {
  const int down = std::abs(last_row() - first_row());
  if (across() == 0) return way_cycles(f, down, words);
  const int sharing = (to_.area.width + lanes() - 1) / lanes();
  return way_cycles(f, across() + down + lanes(), std::int64_t{sharing} * words);
}

std::string RowStream::text() const {
  return fmt::format("stream of {} words a column to a row of tiles", words_->front());
}

Block RowStream::area(const TileGrid&) const { return around(from_.area, to_.area); }

std::int64_t RowStream::cycles(const FabricTiming& f, const TileGrid&) const {
  return segment_cycles(f, words_->front());
}

std::vector<ColorUse> RowStream::colors(const TileGrid&, int first) const {
  if (across() == 0) {
    if (row_ != nullptr) return {leaving(first, Link::north), leaving(first, Link::south)};
    return {leaving(first, last_row() > first_row() ? Link::south : Link::north)};
  }
  // Up or down to a lane, along it, and up or down to the row.
  const Link along = to_.area.x0 > from_.area.x0 ? Link::east : Link::west;
  std::vector<ColorUse> uses;
  for (const Link out : {Link::north, Link::south, along})
    uses.push_back({leaving(first, out).color, {Link::north, Link::south, along}});
  return uses;
}

void RowStream::advance(const FabricTiming& f, RegionClocks& clocks) const {
  for (int x = 0; x < to_.area.width; ++x) {
    const int words = (*words_)[static_cast<std::size_t>(x)];
    clocks.wait_until(to_.area.x0 + x, last_row(),
                      clocks.at(from_.area.x0 + x, first_row()) + segment_cycles(f, words), words);
  }
}

void RowStream::add_words(const FabricTiming&, std::int64_t times, LinkWords& words) const {
  for (int x = 0; x < to_.area.width; ++x) {
    const std::int64_t count = times * (*words_)[static_cast<std::size_t>(x)];
    const int from = from_.area.x0 + x, to = to_.area.x0 + x;
    const int lane =
        across() == 0 ? last_row() : from_.area.y0 + from_.root_row() - lanes() / 2 + x % lanes();
    add_column(from, first_row(), lane, count, words);
    add_row(from, to, lane, count, words);
    add_column(to, lane, last_row(), count, words);
  }
}

int TileMessage::distance() const { return std::abs(to_.x0 - from_.x0) + std::abs(to_.y0 - from_.y0); }

std::string TileMessage::text() const {
  return fmt::format("message of {} words over {} hops", words_->front(), distance());
}

Block TileMessage::area(const TileGrid&) const { return around(from_, to_); }

std::int64_t TileMessage::cycles(const FabricTiming& f, const TileGrid&) const {
  return way_cycles(f, distance(), words_->front());
}

std::vector<ColorUse> TileMessage::colors(const TileGrid&, int first) const {
  const Link down = to_.y0 > from_.y0 ? Link::south : Link::north,
             along = to_.x0 > from_.x0 ? Link::east : Link::west;
  if (distance() == 0) return {};
  if (to_.x0 == from_.x0) return {leaving(first, down)};
  ColorUse use = leaving(first, along);
  if (to_.y0 != from_.y0) use.links.push_back(down);
  return {use};
}

void TileMessage::advance(const FabricTiming& f, RegionClocks& clocks) const {
  const int words = words_->front();
  clocks.wait_until(from_.x0, from_.y0, clocks.at(from_.x0, from_.y0) + way_cycles(f, distance(), words),
                    words);
}

void TileMessage::add_words(const FabricTiming&, std::int64_t times, LinkWords& words) const {
  const std::int64_t count = times * words_->front();
  add_row(from_.x0, to_.x0, from_.y0, count, words);
  add_column(to_.x0, from_.y0, to_.y0, count, words);
}

}  // namespace wafermark::wse
