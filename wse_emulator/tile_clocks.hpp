// One clock per tile. There is no global time: a tile's clock moves by its own work, and by waiting for those
// whose words it needs.
#pragma once

#include <cstdint>
#include <vector>

#include "wse_emulator/tile_grid.hpp"

namespace wafermark::wse {

class TileClocks {
 public:
  /// All clocks of `blocks`' grid at zero; `reach`: the largest neighbourhood that tiles will wait for.
  /// Collective.
  TileClocks(const Communicator& comm, const Blocks& blocks, int reach);

  std::size_t size() const { return now_.size(); }
  std::int64_t operator[](std::size_t tile) const { return now_[tile]; }  ///< tiles of the block, row by row
  std::int64_t& operator[](std::size_t tile) { return now_[tile]; }

  /// Every tile goes on `cycles` after the latest tile within Chebyshev distance reach. Collective; needs
  /// only the neighbourhood's clocks, so that any decomposition gives the same cycles.
  void meet_neighbourhood(std::int64_t cycles);
  /// Every tile goes on `cycles` after the latest tile of the grid: a reduction to one place and back.
  /// Collective.
  void meet_all(std::int64_t cycles);
  /// Latest clock of the whole grid. Collective.
  std::int64_t latest() const;

 private:
  const Communicator* comm_;
  BorderExchange exchange_;
  std::vector<std::int64_t> now_, padded_, rows_;
};

}  // namespace wafermark::wse
