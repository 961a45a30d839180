#include "wse_emulator/link_words.hpp"

#include <algorithm>

namespace wafermark::wse {
LinkWords::LinkWords(const Communicator& comm, const Blocks& blocks)
    : comm_(&comm), grid_(blocks.grid()), block_(blocks.mine()) {
  for (auto& w : words_) w.assign(static_cast<std::size_t>(block_.tiles()), 0);
}

void LinkWords::add(Link direction, const std::function<std::int64_t(int x, int y)>& words_of) {
  auto& words = words_[static_cast<std::size_t>(direction)];
  std::size_t tile = 0;
  for (int y = block_.y0; y < block_.y0 + block_.height; ++y)
    for (int x = block_.x0; x < block_.x0 + block_.width; ++x) words[tile++] += words_of(x, y);
}

void LinkWords::add_straight(Link direction, const std::function<std::int64_t(int x, int y)>& words_of) {
  const int beyond_one = grid_.hops(direction == Link::east || direction == Link::west ? 0 : 1) - 1;
  add(direction, [&](int x, int y) {
    const std::int64_t words = words_of(x, y);
    hops_ -= beyond_one * words;
    return words;
  });
}

void LinkWords::add_hops(const std::function<std::int64_t(int x, int y)>& hops_of) {
  for (int y = block_.y0; y < block_.y0 + block_.height; ++y)
    for (int x = block_.x0; x < block_.x0 + block_.width; ++x) hops_ += hops_of(x, y);
}

void LinkWords::add(Link direction, const Block& tiles, std::int64_t words) {
  auto& of_link = words_[static_cast<std::size_t>(direction)];
  const Block own = intersection(tiles, block_);
  for (int y = own.y0; y < own.y0 + own.height; ++y) {
    const auto first = of_link.begin() + std::ptrdiff_t{y - block_.y0} * block_.width + (own.x0 - block_.x0);
    for (int x = 0; x < own.width; ++x) first[x] += words;
  }
}

std::int64_t LinkWords::word_hops() const {
  std::int64_t sum = hops_;
  for (const Link link : {Link::north, Link::east, Link::south, Link::west}) {
    const int axis = link == Link::east || link == Link::west ? 0 : 1;
    for (const std::int64_t w : of(link)) sum += w * grid_.hops(axis);
  }
  return sum;
}

std::map<std::string, std::vector<std::int64_t>> LinkWords::by_name() const {
  return {{"north", of(Link::north)},
          {"east", of(Link::east)},
          {"south", of(Link::south)},
          {"west", of(Link::west)}};
}

LinkWords::Summary LinkWords::summarize() const {
  std::int64_t sum = 0, most = 0;
  for (const auto& words : words_)
    for (const std::int64_t w : words) {
      sum += w;
      most = std::max(most, w);
    }
  // Every two neighbours have a link each way.
  const auto line = [](int tiles, bool ring) { return ring ? tiles : tiles - 1; };
  const int layers = grid_.layers(), rows = grid_.height / layers;
  const std::int64_t links = 2 * layers *
                             (std::int64_t{line(grid_.width, grid_.ring[0])} * rows +
                              std::int64_t{line(rows, grid_.ring[1])} * grid_.width);
  sum = comm_->sum(sum);
  return {links > 0 ? static_cast<double>(sum) / static_cast<double>(links) : 0.0,
          static_cast<double>(comm_->max(most))};
}

}  // namespace wafermark::wse
