// How many words crossed each link of the fabric.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "wse_emulator/fabric/collisions.hpp"
#include "wse_emulator/fabric/fabric_timing.hpp"
#include "wse_emulator/tile_grid.hpp"

namespace wafermark::wse {

/// Words, command wavelets among them, that left each tile of this rank's block by each of its links. An axis
/// that is a ring counts the links of the ring; folded onto the wafer each is as many links as neighbours are
/// hops apart. Exact, as router_reference counts them.
class LinkWords {
 public:
  explicit LinkWords(const Blocks& blocks);

  /// One stream of a marching multicast, `times` over: every tile sends `words` and a command to the b tiles
  /// in this direction. Streams of the second stage carry what the rows brought: `words` of each tile within
  /// b.
  void add_stream(Link direction, int b, int words, std::int64_t times = 1, bool second_stage = false);
  /// Both streams of both stages (fabric/marching_multicast.hpp).
  void add_marching_multicast(int b, int words, std::int64_t times = 1);
  /// An all-reduce over the whole grid (fabric/reduction.hpp).
  void add_all_reduce(const FabricTiming& fabric, int words, std::int64_t times = 1);

  /// [tile of the block, row by row] by direction of the link.
  const std::vector<std::int64_t>& of(Link direction) const {
    return words_[static_cast<std::size_t>(direction)];
  }
  /// Words times the hops of their links, over this rank's tiles.
  std::int64_t word_hops() const;
  /// By "north", "east", "south", "west": for PhaseRecord::write_heat_map.
  std::map<std::string, std::vector<std::int64_t>> by_name() const;

  struct Summary {
    double mean, max;  ///< words per link of the grid
  };
  /// Collective.
  Summary summarize(const Communicator& comm) const;

 private:
  template <class Words>
  void add(Link direction, const Words& words_of);

  TileGrid grid_;
  Block block_;
  std::array<std::vector<std::int64_t>, 4> words_;
};

}  // namespace wafermark::wse
