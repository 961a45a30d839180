// How many words crossed each link of the fabric: patterns count them (fabric/pattern.hpp).
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "wse_emulator/fabric/collisions.hpp"
#include "wse_emulator/tile_grid.hpp"

namespace wafermark::wse {

/// Words, command wavelets among them, that left each tile of this rank's block by each of its links. An axis
/// that is a ring counts the links of the ring; folded onto the wafer each is as many links as neighbours are
/// hops apart. Exact, as router_reference counts them.
class LinkWords {
 public:
  LinkWords(const Communicator& comm, const Blocks& blocks);

  /// Adds words_of(x, y) to what leaves tile (x, y) of the grid by its link in this direction, for all tiles
  /// of this rank's block.
  void add(Link direction, const std::function<std::int64_t(int x, int y)>& words_of);
  /// The same of words that go straight over the wafer, whose links are no ring's but of one hop each.
  void add_straight(Link direction, const std::function<std::int64_t(int x, int y)>& words_of);
  /// Adds hops_of(x, y) for tile (x, y) to the hops alone: words on links of tiles beside the grid.
  void add_hops(const std::function<std::int64_t(int x, int y)>& hops_of);
  /// The same number to what leaves each of these tiles of the grid, as far as they are this rank's.
  void add(Link direction, const Block& tiles, std::int64_t words);

  /// [tile of the block, row by row] by direction of the link.
  const std::vector<std::int64_t>& of(Link direction) const {
    return words_[static_cast<std::size_t>(direction)];
  }
  const TileGrid& grid() const { return grid_; }
  const Communicator& comm() const { return *comm_; }
  /// Words times the hops of their links, over this rank's tiles.
  std::int64_t word_hops() const;
  /// By "north", "east", "south", "west": for PhaseRecord::write_heat_map.
  std::map<std::string, std::vector<std::int64_t>> by_name() const;

  struct Summary {
    double mean, max;  ///< words per link of the grid
  };
  /// Collective.
  Summary summarize() const;

 private:
  const Communicator* comm_;
  TileGrid grid_;
  Block block_;
  std::array<std::vector<std::int64_t>, 4> words_;
  std::int64_t hops_ = 0;  ///< beside words_ times the hops of the grid's neighbours
};

}  // namespace wafermark::wse
