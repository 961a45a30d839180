// Products whose weights come from outside of the wafer, while the numbers that they multiply lie on the
// tiles: inputs (features) along the columns of a region, tokens along its rows.
//
// The weights of an output go down the columns, those of a column's inputs on its links. Each that arrives
// starts a multiply-add over the tile's tokens; a weight that is zero is never sent. The partial sums of an
// output run along every row to its eastern end, and its routers bring them back to the column that keeps the
// output. All flow one way, so that a tile waits only for those to its west: sums that flow both ways make
// every tile wait for every other. A tile may be some outputs ahead of the sums that it passes on, in
// buffers.
//
// A region stands several times side by side ("groups"), each with other tokens and the same weights.
#pragma once

#include <cstdint>
#include <vector>

#include "wse_emulator/fabric/line_pattern.hpp"
#include "wse_emulator/section.hpp"

namespace wafermark::wse {

/// What enters the wafer through its edge, in its order. It runs ahead as far as the wafer has room.
class EdgeStream {
 public:
  EdgeStream(double bits_per_cycle, double room_bits) : rate_(bits_per_cycle), room_(room_bits) {}

  /// Cycle at which so many bits more are inside.
  double enter(double bits) { return bits_ += bits, inside_ += bits / rate_; }
  /// All that entered has been used at this cycle: whatever follows may be inside by then, as far as there is
  /// room.
  void used(std::int64_t cycle) {
    const double earliest = static_cast<double>(cycle) - room_ / rate_;
    if (inside_ < earliest) inside_ = earliest;
  }
  double bits_per_cycle() const { return rate_; }
  double bits() const { return bits_; }  ///< so far

 private:
  double rate_, room_, inside_ = 0.0, bits_ = 0.0;
};

/// The weights of a product as they come, output by output.
struct StreamedWeights {
  int columns = 0;                     ///< of a group
  std::vector<std::uint16_t> counts;   ///< [output][column]: weights that arrive
  std::vector<std::uint16_t> keepers;  ///< [output]: column that keeps its sum
  std::vector<float> bits;             ///< [output]: through the edge

  std::int64_t outputs() const { return static_cast<std::int64_t>(keepers.size()); }
  const std::uint16_t* of(std::int64_t output) const { return counts.data() + output * columns; }
};

/// Cycles of a tile.
struct StreamCycles {
  double weight = 0.0;   ///< an arriving weight and its multiply-adds
  double restart = 0.0;  ///< of the instruction that adds partial sums
  double add = 0.0;      ///< an output's sums taken from the fabric, added and sent on
  double keep = 0.0;     ///< an output's sums as its keeper takes and stores them
  int together = 1;      ///< outputs whose sums one instruction adds and sends on
};

/// What the columns of a group have of a product.
struct StreamTotals {
  std::vector<int> weights, sums, kept;  ///< by column: that arrive; outputs added to; outputs kept
  double bits = 0.0;                     ///< through the edge
  static StreamTotals of(const StreamedWeights& weights);
};

/// Moves the clocks of a row's tiles through a product and adds to `busy` what each computes. A tile works on
/// whatever has come, sums first. Sums of `together` outputs pass as one. Of tile x and such a bundle o:
///   its sums can pass when   the first word is there, first[x - 1][o] + hop + 2 T_R + 1, the tile to the
///   east has begun with those before, first[x + 1][o - 1], and the tile has its own;
///   until then               it multiplies outputs up to `ahead` behind the bundle whose weights are inside;
///   its sums pass            from first[x][o] = max(clock + restart, that) on, for `add` cycles an output.
void advance_row(const FabricTiming& fabric, const StreamedWeights& weights, const StreamCycles& cycles,
                 int ahead, EdgeStream& edge, std::vector<std::int64_t>& clocks,
                 std::vector<std::int64_t>& busy);

/// A product on `groups` groups of `width` columns each, side by side from the area's west. The rows of an
/// area do the same; a row is a hop behind the one to its north. Rows of `feed`, above the area, bring the
/// weights to the groups and pass their words on, dealt evenly. Colors `first` ... `first` + 3: weights down
/// and along, sums to the east and back to the west.
class StreamedProduct final : public RegionPattern {
 public:
  struct Place {
    Block area;  ///< of all groups
    int groups = 1, width = 0;
    int feed = 0;  ///< rows above
  };
  /// All must outlive the pattern and are read when it runs. `totals`: of `weights`; before the first run,
  /// what is expected. `words`: of a partial sum, `weight_words`: of a weight on the fabric.
  StreamedProduct(const Place& place, const StreamedWeights& weights, const StreamTotals& totals,
                  const StreamCycles& cycles, const int& words, double weight_words, int ahead,
                  EdgeStream& edge)
      : place_(place),
        weights_(&weights),
        totals_(&totals),
        cycles_(&cycles),
        words_(&words),
        weight_words_(weight_words),
        ahead_(ahead),
        edge_(&edge) {}

  std::string text() const override;
  Block area(const TileGrid&) const override { return place_.area; }
  /// Of the busiest column, or of the edge, whichever takes longer; nobody waits for sums.
  std::int64_t cycles(const FabricTiming& fabric, const TileGrid& grid) const override;
  std::vector<ColorUse> colors(const TileGrid& grid, int first) const override;
  void advance(const FabricTiming& fabric, RegionClocks& clocks) const override;
  void add_words(const FabricTiming& fabric, std::int64_t times, LinkWords& words) const override;

 private:
  Place place_;
  const StreamedWeights* weights_;
  const StreamTotals* totals_;
  const StreamCycles* cycles_;
  const int* words_;
  double weight_words_;
  int ahead_;
  EdgeStream* edge_;
};

/// Blocks of words that go round lines of tiles (both ways, so that no link carries two), while each tile
/// works on those that are there: a line's tiles begin together and take max(words, work) and `steps` hops.
/// Colors `first` and `first` + 1.
class RingStream final : public RegionPattern {
 public:
  /// `words`: that each tile passes on; `work`: whose cycles each tile has, of `items` items. Read when it
  /// runs.
  RingStream(const Lines& lines, const int& words, const Section& work, const int& items)
      : lines_(lines), words_(&words), work_(&work), items_(&items) {}

  std::string text() const override;
  Block area(const TileGrid&) const override { return lines_.tiles; }
  std::int64_t cycles(const FabricTiming& fabric, const TileGrid& grid) const override;
  std::vector<ColorUse> colors(const TileGrid& grid, int first) const override;
  void advance(const FabricTiming& fabric, RegionClocks& clocks) const override;
  void add_words(const FabricTiming& fabric, std::int64_t times, LinkWords& words) const override;

 private:
  std::int64_t working() const;

  Lines lines_;
  const int* words_;
  const Section* work_;
  const int* items_;
};

}  // namespace wafermark::wse
