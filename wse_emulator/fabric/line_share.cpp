#include "wse_emulator/fabric/line_share.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "wse_emulator/link_words.hpp"
#include "wse_emulator/whole_cycles.hpp"

namespace wafermark::wse {

std::int64_t SharedWork::items_of(int helper) const {
  return std::clamp<std::int64_t>(sent - (helper - 1) * items, 0, items);
}

SharedWork shared_work(const FabricTiming& f, int helpers, std::int64_t items, int words_in, int words_out,
                       double cycles_per_item) {
  const std::int64_t each = (items + helpers) / (helpers + 1);
  const auto work = whole_cycles(cycles_per_item * static_cast<double>(each));
  if (helpers == 0) return {0, each, 0, work, 0, work};
  const std::int64_t sent = items - each;  // the tile keeps its own share
  const std::int64_t words = f.cycles_of(sent * (words_in + words_out) + 2 * std::int64_t{helpers});
  const std::int64_t travel = 2 * (std::int64_t{helpers} * f.hop_cycles + 2 * f.ramp_cycles + 1);
  return {helpers, each, sent, work, words, words + work + travel};
}

SharedWork best_shared_work(const FabricTiming& f, int most, std::int64_t items, int words_in, int words_out,
                            double cycles_per_item) {
  SharedWork best = shared_work(f, 0, items, words_in, words_out, cycles_per_item);
  for (int h = 1; h <= std::min<std::int64_t>(most, items - 1); ++h) {
    const SharedWork with = shared_work(f, h, items, words_in, words_out, cycles_per_item);
    if (with.cycles < best.cycles) best = with;
  }
  return best;
}

SharedWork LineShare::of_line(const FabricTiming& fabric, int line) const {
  return best_shared_work(fabric, lines_.root, (*items_)[static_cast<std::size_t>(line)], words_in_,
                          words_out_, section_->cycles(1));
}

std::string LineShare::text() const {
  return fmt::format("work on {} items shared along {} tiles", items_->front(), lines_.root + 1);
}

std::int64_t LineShare::cycles(const FabricTiming& fabric, const TileGrid&) const {
  return of_line(fabric, 0).cycles;
}

std::vector<ColorUse> LineShare::colors(const TileGrid&, int first) const {
  return {{first, {lines_.towards_beginning()}}, {first + 1, {lines_.towards_end()}}};
}

template <class Body>
void LineShare::for_each_line(const FabricTiming& fabric, const Body& body) const {
  SharedWork shared;
  int of_items = 0;  // neighbouring lines mostly have as many
  for (int line = 0; line < lines_.number(); ++line) {
    const int items = (*items_)[static_cast<std::size_t>(line)];
    if (items == 0) continue;
    if (items != of_items) shared = of_line(fabric, line);
    of_items = items;
    body(line, shared);
  }
}

void LineShare::advance(const FabricTiming& fabric, RegionClocks& clocks) const {
  for_each_line(fabric, [&](int line, const SharedWork& shared) {
    const auto x = [&](int away) { return lines_.x(line, lines_.root - away); };
    const auto y = [&](int away) { return lines_.y(line, lines_.root - away); };
    std::int64_t& root = *clocks.from(x(0), y(0));
    const std::int64_t before = root;
    root += shared.cycles;
    clocks.book(x(0), y(0), before, shared.moving, shared.working);
    for (int h = 1; h <= shared.helpers; ++h) {
      std::int64_t& clock = *clocks.from(x(h), y(h));
      const std::int64_t then = clock, own = shared.items_of(h);
      clock = std::max(clock, root);
      clocks.book(x(h), y(h), then, fabric.cycles_of(own * (words_in_ + words_out_)),
                  whole_cycles(section_->cycles(1) * static_cast<double>(own)));
    }
  });
}

void LineShare::add_words(const FabricTiming& fabric, std::int64_t times, LinkWords& words) const {
  for_each_line(fabric, [&](int line, const SharedWork& shared) {
    // Over the link between helpers h - 1 and h go the words of h and of all behind it, and their controls.
    std::int64_t items = 0;
    for (int h = shared.helpers; h >= 1; --h) {
      items += shared.items_of(h);
      const std::int64_t controls = shared.helpers - h + 1;
      const auto tile = [&](int away) {
        return Block{lines_.x(line, lines_.root - away), lines_.y(line, lines_.root - away), 1, 1};
      };
      words.add(lines_.towards_beginning(), tile(h - 1), times * (items * words_in_ + controls));
      words.add(lines_.towards_end(), tile(h), times * (items * words_out_ + controls));
    }
  });
}

}  // namespace wafermark::wse
