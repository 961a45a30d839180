#include "wse_emulator/fabric/pattern.hpp"

#include <algorithm>

namespace wafermark::wse {

std::int64_t Pattern::first_word_cycles(const FabricTiming& f, const TileGrid& grid) const {
  return std::int64_t{std::max(grid.hops(0), grid.hops(1))} * f.hop_cycles + 2 * f.ramp_cycles + 1;
}

}  // namespace wafermark::wse
