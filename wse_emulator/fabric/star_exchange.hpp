// Words of every tile to the b tiles on either side along its row and along its column: what stencils need.
#pragma once

#include "wse_emulator/fabric/marching_multicast.hpp"

namespace wafermark::wse {

/// Two stages of the marching multicast, along the rows and then along the columns, both of the tile's own
/// words. Corners get nothing. A border exchange with the four nearest tiles is b = 1.
///
/// Words of different senders come on the same color one sender after the other, and each sender's are taken
/// by an instruction of their own (a stencil has a weight for each), whose end starts a task.
class StarExchange final : public Pattern {
 public:
  StarExchange(int b, int words) : b_(b), words_(words) {}

  /// Values [first, first + words) of every tile's record go round. The border holds corners too, which the
  /// machine does not send. Collective.
  template <class T>
  void move(const BorderExchange& border, std::vector<T>& field, int record, int first) const {
    static_assert(sizeof(T) == 4, "a word");
    border.fill(field, record, first, words_);
  }
  /// The same of `values` numbers that are narrower on the machine and fill its words, as two of fp16 one.
  template <class T>
  void move(const BorderExchange& border, std::vector<T>& field, int record, int first, int values) const {
    border.fill(field, record, first, values);
  }

  std::string text() const override;
  After after() const override { return After::neighbourhood; }
  int reach() const override { return 2 * b_; }
  std::int64_t cycles(const FabricTiming& fabric, const TileGrid& grid) const override;
  int tasks() const override { return 4 * b_; }
  std::vector<ColorUse> colors(const TileGrid& grid, int first) const override;
  void add_words(const FabricTiming& fabric, std::int64_t times, LinkWords& words) const override;

 private:
  int b_, words_;
};

}  // namespace wafermark::wse
