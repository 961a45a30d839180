#include "wse_emulator/region.hpp"

#include <algorithm>

namespace wafermark::wse {

RegionClocks::RegionClocks(const Communicator& comm, const Blocks& blocks, PhaseRecord& record)
    : comm_(&comm),
      blocks_(blocks),
      record_(&record),
      wait_(record.phase("wait", PhaseKind::wait)),
      now_(static_cast<std::size_t>(blocks.grid().tiles()), 0) {}

std::int64_t RegionClocks::latest(const Block& tiles) const {
  std::int64_t latest = 0;
  for (int y = tiles.y0; y < tiles.y0 + tiles.height; ++y)
    for (int x = tiles.x0; x < tiles.x0 + tiles.width; ++x) latest = std::max(latest, at(x, y));
  return latest;
}

void RegionClocks::moved_by_owners(const Block& tiles) {
  if (moved_ == tiles) return;
  join();
  moved_ = tiles;
}

void RegionClocks::join() {
  const Block tiles = std::exchange(moved_, Block{});
  if (comm_->size() == 1 || tiles.tiles() == 0) return;
  std::vector<std::int64_t> part;
  part.reserve(static_cast<std::size_t>(tiles.tiles()));
  for (int y = tiles.y0; y < tiles.y0 + tiles.height; ++y)
    part.insert(part.end(), from(tiles.x0, y), from(tiles.x0, y) + tiles.width);
  comm_->max_in_place(part.data(), static_cast<std::int64_t>(part.size()));
  for (int y = 0; y < tiles.height; ++y)
    std::copy_n(part.begin() + std::ptrdiff_t{y} * tiles.width, tiles.width, from(tiles.x0, tiles.y0 + y));
}

}  // namespace wafermark::wse
