// Words of single tiles of a line for single tiles of it: gather to its first tile, scatter from there, and
// all to all (the transposition of a matrix whose rows lie on the tiles). A line is a row or a column of
// tiles; all lines of the grid do so at once.
#pragma once

#include <array>
#include <functional>
#include <optional>
#include <vector>

#include "common/communicator.hpp"
#include "wse_emulator/fabric/pattern.hpp"

namespace wafermark::wse {

enum class Axis { row, column };

/// What the three have in common: `words` for each pair of tiles that exchange something, and colors along
/// one axis.
class LineTransfer : public Pattern {
 public:
  LineTransfer(Axis axis, int words) : axis_(axis), words_(words) {}
  After after() const override { return axis_ == Axis::row ? After::row : After::column; }
  int tasks() const override { return 1; }

 protected:
  /// Which of a sender's parts goes to which part of a receiver; none: nothing between these places of a
  /// line.
  using Parts = std::function<std::optional<std::array<int, 2>>(int from, int to)>;
  /// Moves the parts, of `words` values each, of every tile of this rank's block. Collective.
  std::vector<float> moved(const Communicator& comm, const Blocks& blocks, const std::vector<float>& sent,
                           int parts_received, const Parts& parts) const;
  int tiles(const TileGrid& grid) const { return axis_ == Axis::row ? grid.width : grid.height; }
  Link away() const { return axis_ == Axis::row ? Link::east : Link::south; }
  Link towards() const { return axis_ == Axis::row ? Link::west : Link::north; }
  /// Adds words_over(u) to the links that leave place u of every line in this direction.
  void add_along(Link direction, const std::function<std::int64_t(int place)>& words_over,
                 LinkWords& words) const;

  Axis axis_;
  int words_;
};

/// Words of all tiles of a line at its first tile, the nearest tile's first. All use one color: a tile's
/// router sends its own words and is then moved on by a command wavelet behind them to pass on those of the
/// tiles beyond. Next time they run the other way round, the farthest first, which takes the routers back.
///   cycles = (P - 1) (words + 1 + hop) + 2 T_R
/// in that order; nearest first is up to a hop a tile faster.
class Gather final : public LineTransfer {
 public:
  using LineTransfer::LineTransfer;
  /// `values`: `words` of each tile. On a first tile P x `words`, in the order of the line, on others zeros.
  /// Collective.
  std::vector<float> move(const Communicator& comm, const Blocks& blocks,
                          const std::vector<float>& values) const;

  std::string text() const override;
  std::int64_t cycles(const FabricTiming& fabric, const TileGrid& grid) const override;
  std::vector<ColorUse> colors(const TileGrid& grid, int first) const override;
  void add_words(const FabricTiming& fabric, std::int64_t times, LinkWords& words) const override;
};

/// Other words for every tile of a line from its first tile, those for the farthest first; each core passes
/// on what is for tiles beyond it. Two colors, by turns from link to link.
///   cycles = max((P - 1) words + h, words + (P - 1) h), h = hop + 2 T_R + 1
class Scatter final : public LineTransfer {
 public:
  using LineTransfer::LineTransfer;
  /// `values`: P x `words` of each tile, of which the first tile's count. `words` of each tile. Collective.
  std::vector<float> move(const Communicator& comm, const Blocks& blocks,
                          const std::vector<float>& values) const;

  std::string text() const override;
  std::int64_t cycles(const FabricTiming& fabric, const TileGrid& grid) const override;
  std::vector<ColorUse> colors(const TileGrid& grid, int first) const override;
  void add_words(const FabricTiming& fabric, std::int64_t times, LinkWords& words) const override;
};

/// Part j of tile i becomes part i of tile j. Every core sends its words and passes on what comes and is for
/// tiles beyond, in both directions at once, by two colors each. What a tile sends comes first; then, one
/// after the other, what its neighbours, the tiles behind them, ... sent. The ramps of the tiles between take
/// the words of both directions: own words, s = (P - 1) / 2 (rounded down) rounds from both sides, and those
/// from one side,
///   cycles = words (P - 1 + (P + 1) s + (P - 1 - s)(P - s) / 2) + hop + 2 T_R + 1.
/// Within a sixth and 12 cycles of router_reference.
class Transpose final : public LineTransfer {
 public:
  using LineTransfer::LineTransfer;
  /// `values`: P x `words` of each tile. Collective.
  std::vector<float> move(const Communicator& comm, const Blocks& blocks,
                          const std::vector<float>& values) const;

  std::string text() const override;
  std::int64_t cycles(const FabricTiming& fabric, const TileGrid& grid) const override;
  std::vector<ColorUse> colors(const TileGrid& grid, int first) const override;
  void add_words(const FabricTiming& fabric, std::int64_t times, LinkWords& words) const override;
};

}  // namespace wafermark::wse
