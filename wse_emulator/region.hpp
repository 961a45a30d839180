// Rectangles of tiles that go by clocks of their own, and the clocks.
#pragma once

#include "wse_emulator/phase_record.hpp"

namespace wafermark::wse {

/// A rectangle of tiles of the grid. Its streams come and go at the tiles of the root row, sums over rows at
/// those of the root column.
struct TileRegion {
  Block area;

  int root_column() const { return area.width / 2; }  ///< counted from the region's corner
  int root_row() const { return area.height / 2; }
  // Tiles of the grid.
  Block root_row_tiles() const { return {area.x0, area.y0 + root_row(), area.width, 1}; }
  Block root_column_tiles() const { return {area.x0 + root_column(), area.y0, 1, area.height}; }
  Block root() const { return {area.x0 + root_column(), area.y0 + root_row(), 1, 1}; }
};

/// A clock for every tile of the grid, on every rank.
///
/// What follows from clocks alone, such as a sum over a line, every rank works out; what only the rank that
/// emulates a tile knows, it alone adds, and join() makes it known to all. So clocks are the same whatever
/// the number of ranks. Every change is booked for own tiles, as the phase that began says.
class RegionClocks {
 public:
  RegionClocks(const Communicator& comm, const Blocks& blocks, PhaseRecord& record);

  std::int64_t at(int x, int y) const { return now_[index(x, y)]; }
  /// For a line's clocks, which book() must follow.
  std::int64_t* from(int x, int y) { return &now_[index(x, y)]; }
  /// From one tile of a line to the next.
  std::ptrdiff_t stride(bool along_row) const { return along_row ? 1 : blocks_.grid().width; }
  /// Of the tiles of a rectangle.
  std::int64_t latest(const Block& tiles) const;

  /// What follows belongs to these phases of the record.
  void begin(std::size_t moving, std::size_t computing) { moving_ = moving, computing_ = computing; }
  /// A tile computes.
  void compute(int x, int y, std::int64_t cycles) {
    std::int64_t& clock = now_[index(x, y)];
    clock += cycles;
    if (cycles == 0) return;
    if (const std::int64_t tile = own(x, y); tile >= 0)
      record_->add(computing_, static_cast<std::size_t>(tile), cycles, clock);
  }
  /// A tile has nothing to do before cycle `end`, but for `moving` cycles of words that pass its ramp.
  void wait_until(int x, int y, std::int64_t end, std::int64_t moving) {
    std::int64_t& clock = now_[index(x, y)];
    if (end <= clock) return;
    const std::int64_t before = clock;
    clock = end;
    book(x, y, before, moving, 0);
  }
  /// The tile's clock stood at `before`: at most so many cycles since then it passed words and computed, the
  /// rest it waited.
  void book(int x, int y, std::int64_t before, std::int64_t moving, std::int64_t computing) {
    const std::int64_t tile = own(x, y);
    if (tile < 0) return;
    const auto t = static_cast<std::size_t>(tile);
    const std::int64_t end = now_[index(x, y)], took = end - before;
    computing = std::min(computing, took);
    moving = std::min(moving, took - computing);
    record_->add(wait_, t, took - computing - moving, end - computing - moving);
    if (moving > 0) record_->add(moving_, t, moving, end - computing);
    if (computing > 0) record_->add(computing_, t, computing, end);
  }

  /// These tiles' clocks have been moved by the ranks that emulate them, each its own.
  void moved_by_owners(const Block& tiles);
  /// Makes what owners moved known to all. Collective; nothing to do after nothing.
  void join();

  /// Number of a tile in this rank's block, -1 when it is another's.
  std::int64_t own(int x, int y) const {
    const Block& b = blocks_.mine();
    const int bx = x - b.x0, by = y - b.y0;
    return bx < 0 || by < 0 || bx >= b.width || by >= b.height ? -1 : std::int64_t{by} * b.width + bx;
  }
  const Blocks& blocks() const { return blocks_; }

 private:
  std::size_t index(int x, int y) const {
    return static_cast<std::size_t>(y) * static_cast<std::size_t>(blocks_.grid().width) +
           static_cast<std::size_t>(x);
  }

  const Communicator* comm_;
  Blocks blocks_;
  PhaseRecord* record_;
  std::size_t wait_, moving_ = 0, computing_ = 0;
  std::vector<std::int64_t> now_;
  Block moved_;  ///< by owners, and not joined
};

}  // namespace wafermark::wse
