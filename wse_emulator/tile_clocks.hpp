// One clock per tile. There is no global time: a tile's clock moves by its own work, and by waiting for those
// whose words it needs.
#pragma once

#include <cstdint>
#include <vector>

#include "wse_emulator/tile_grid.hpp"

namespace wafermark::wse {

class TileClocks {
 public:
  /// All clocks of `blocks`' grid at zero; `reach`: the largest neighbourhood that tiles will wait for, in
  /// patches of tiles (TileGrid). Collective.
  TileClocks(const Communicator& comm, const Blocks& blocks, int reach);

  std::size_t size() const { return now_.size(); }
  std::int64_t operator[](std::size_t tile) const { return now_[tile]; }  ///< tiles of the block, row by row
  std::int64_t& operator[](std::size_t tile) { return now_[tile]; }

  /// Every tile goes on `cycles` after the latest tile of the patches within Chebyshev distance `reach` of
  /// its own. Collective; needs only the neighbourhood's clocks, so that any decomposition gives the same
  /// cycles.
  void meet_neighbourhood(int reach, std::int64_t cycles);
  /// Every tile goes on `cycles` after the latest tile of its patch.
  void meet_patch(std::int64_t cycles);
  /// Every tile goes on `cycles` after the latest tile of the line to the layers before and after its own: of
  /// its row, or column, in both panels. Collective.
  void meet_layers(std::int64_t cycles);
  /// Every tile goes on `cycles` after the latest tile of its row, or column, of the grid. Collective.
  void meet_rows(std::int64_t cycles);
  void meet_columns(std::int64_t cycles);
  /// Every tile goes on `cycles` after the latest tile of the grid: a reduction to one place and back.
  /// Collective.
  void meet_all(std::int64_t cycles);
  /// Latest clock of the whole grid. Collective.
  std::int64_t latest() const;

 private:
  /// body(x, y, latest clock of the patch) for all patches of the block in a layer.
  template <class Body>
  void for_each_patch(int layer, const Body& body) const;
  /// The tile of the block that a patch begins with.
  std::size_t corner(int x, int y, int layer) const;
  /// body(clock, x, y of the grid) for all tiles of the block.
  template <class Body>
  void for_each_tile(const Body& body);
  /// The latest clock of each line of tiles, of so many; line_of(x, y): that of a tile of the grid.
  /// Collective.
  template <class LineOf>
  std::vector<std::int64_t> latest_of_lines(int lines, const LineOf& line_of);
  template <class LineOf>
  void meet_lines(int lines, std::int64_t cycles, const LineOf& line_of);
  /// Sets all clocks of a patch.
  void set_patch(int x, int y, int layer, std::int64_t clock);

  const Communicator* comm_;
  TileGrid grid_;
  Block block_;
  int patch_;
  BorderExchange exchange_;  ///< between patches of a layer
  std::vector<std::int64_t> now_, padded_, rows_;
};

}  // namespace wafermark::wse
