// Every tile's words to the next tile along an axis, all at once: systolic programs.
#pragma once

#include <algorithm>

#include "wse_emulator/fabric/pattern.hpp"

namespace wafermark::wse {

/// Towards `direction` by one tile, round a ring where the axis is one; otherwise what the last tile gives is
/// lost and the first gets nothing. One task a tile, when all words are there.
class Shift final : public Pattern {
 public:
  Shift(Link direction, int words) : direction_(direction), words_(words) {}

  /// `field`: records of `words` values, one a tile with a border of one tile. Collective.
  template <class T>
  void move(const BorderExchange& border, std::vector<T>& field) const;

  std::string text() const override;
  After after() const override { return After::neighbourhood; }
  int reach() const override { return 1; }
  std::int64_t cycles(const FabricTiming& fabric, const TileGrid& grid) const override;
  int tasks() const override { return 1; }
  std::vector<ColorUse> colors(const TileGrid& grid, int first) const override;
  void add_words(const FabricTiming& fabric, std::int64_t times, LinkWords& words) const override;

 private:
  bool along_row() const { return direction_ == Link::east || direction_ == Link::west; }
  Link direction_;
  int words_;
};

template <class T>
void Shift::move(const BorderExchange& border, std::vector<T>& field) const {
  static_assert(sizeof(T) == 4, "a word");
  border.fill(field, words_);
  const Border& b = border.border();
  const bool back = direction_ == Link::east || direction_ == Link::south;  // take from smaller coordinates
  const int dx = along_row() ? (back ? -1 : 1) : 0, dy = along_row() ? 0 : (back ? -1 : 1);
  for (int k = 0; k < b.height; ++k)
    for (int i = 0; i < b.width; ++i) {
      const int x = back ? b.width - 1 - i : i, y = back ? b.height - 1 - k : k;
      const auto record = [&](int at_x, int at_y) {
        return field.begin() +
               static_cast<std::ptrdiff_t>(b.index(at_x, at_y) * static_cast<std::size_t>(words_));
      };
      std::copy_n(record(x + dx, y + dy), words_, record(x, y));
    }
}

}  // namespace wafermark::wse
