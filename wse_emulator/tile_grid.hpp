// The tiles of a program, and which rank emulates which.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "common/communicator.hpp"

namespace wafermark::wse {

/// A rectangle of tiles in the program's own coordinates. An axis that is a ring is folded onto the wafer
/// (cut in two and interleaved), so that its neighbours are at most two hops apart; the program sees the
/// ring.
///
/// Tiles may work in patches of `patch` x `patch` that serve one item together (one atom, say). A patch lies
/// on one rank, and a neighbourhood counts patches.
///
/// A program may have layers: rectangles of equal size, a panel of the wafer each (panels.hpp), whose tiles
/// of one place belong together. Row y of the grid is row y / layers() of layer y % layers(): the tiles of a
/// place lie on one rank. Lines and neighbourhoods stay within a layer; between layers words go by
/// LayerShift.
struct TileGrid {
  int width = 0, height = 0;
  std::array<bool, 2> ring{false, false};
  int patch = 1;  ///< divides width and height
  std::vector<std::array<int, 2>>
      panels{};                 ///< [layer] where its panel lies, across and down; one layer: none
  bool ring_of_layers = false;  ///< the last layer is followed by the first

  std::int64_t tiles() const { return std::int64_t{width} * height; }
  int layers() const { return panels.empty() ? 1 : static_cast<int>(panels.size()); }
  /// The same with a tile for each patch, of one layer.
  TileGrid of_patches() const { return {width / patch, height / (patch * layers()), ring, 1, {}, false}; }
  /// Where a tile of the grid lies on the wafer, and the wafer's tiles from the first to the last of them.
  std::array<int, 2> place(int x, int y) const;
  std::array<int, 2> extent() const;
  /// Hops between neighbours along an axis.
  int hops(int axis) const { return ring[axis] ? 2 : 1; }
};

/// A rectangle of the grid: tiles [x0, x0 + width) x [y0, y0 + height).
struct Block {
  int x0 = 0, y0 = 0, width = 0, height = 0;
  std::int64_t tiles() const { return std::int64_t{width} * height; }
  bool operator==(const Block&) const = default;
};

/// What two rectangles have in common; nothing: no width.
Block intersection(const Block& a, const Block& b);

/// The grid cut into `across` x `down` blocks as equal as can be, one per rank (row by row).
class Blocks {
 public:
  /// `across` and `down` of 0 are chosen for the least cut. Throws InputError when they do not give the
  /// number of ranks, or a block would be empty.
  Blocks(const Communicator& comm, const TileGrid& grid, int across = 0, int down = 0);

  const TileGrid& grid() const { return grid_; }
  /// The same cut of the grid of patches, of one layer.
  Blocks of_patches() const;
  int across() const { return across_; }
  int down() const { return down_; }
  Block of(int rank) const;
  const Block& mine() const { return mine_; }
  int owner(int x, int y) const;

 private:
  /// Rows of tiles that stay together.
  int rows() const { return grid_.patch * grid_.layers(); }

  TileGrid grid_;
  int across_ = 1, down_ = 1;
  Block mine_;
};

/// This rank's block with a border of `reach` tiles on all sides: index of (x, y) in an array of
/// (width + 2 reach) x (height + 2 reach) values, row by row, x and y counted from the block's corner.
struct Border {
  int reach = 0, width = 0, height = 0;

  std::size_t row_length() const { return static_cast<std::size_t>(width + 2 * reach); }
  std::size_t size() const { return row_length() * static_cast<std::size_t>(height + 2 * reach); }
  std::size_t index(int x, int y) const {
    return static_cast<std::size_t>(y + reach) * row_length() + static_cast<std::size_t>(x + reach);
  }
};

/// Fills the border from the ranks that own its tiles (or from the block itself, round a ring). Tiles outside
/// the grid keep what they hold.
class BorderExchange {
 public:
  /// Collective.
  BorderExchange(const Communicator& comm, const Blocks& blocks, int reach);

  const Border& border() const { return border_; }
  /// `values`: border().size() records of `record` values of T each. Collective.
  template <class T>
  void fill(std::vector<T>& values, int record = 1) const {
    fill(values, record, 0, record);
  }
  /// Of each record only the values [first, first + count).
  template <class T>
  void fill(std::vector<T>& values, int record, int first, int count) const;

 private:
  struct Partner {
    int rank;
    std::vector<std::size_t> indices;  ///< records of this rank's array, in the order of the message
  };
  const Communicator* comm_;
  Border border_;
  std::vector<Partner> sends_, receives_;
  std::vector<std::array<std::size_t, 2>> copies_;  ///< from, to
};

}  // namespace wafermark::wse
