// The clocks of all tiles of the wafer, and what goes with time: where the cycles go, counted operations,
// words on links.
//
// Every rank holds every clock. A rank moves the clocks of tiles that it emulates, join() makes them known to
// all; what happens at root tiles and on lines follows from the clocks alone and is worked out by every rank.
// So clocks are the same whatever the number of ranks. Records and counts are kept for own tiles.
#pragma once

#include "common/communicator.hpp"
#include "sparse_llama/wafer/placement.hpp"
#include "sparse_llama/wafer/tile_weights.hpp"
#include "wse_emulator/phase_record.hpp"

namespace wafermark::llama {

/// A row or a column of a region's tiles.
struct Line {
  bool row;  ///< else a column
  int number;
};

class TileTimes {
 public:
  TileTimes(const Communicator& comm, const wse::Blocks& blocks, const wse::Machine& machine);

  std::int64_t& at(const Region& r, int x, int y) { return clocks_[index(r, x, y)]; }
  std::int64_t latest() const;

  /// A tile computes: `counts` of operations, `times` over.
  void compute(const Region& r, int x, int y, std::size_t phase, double cycles,
               const wse::OperationCounts& counts, std::int64_t times);
  /// A tile has nothing to do before cycle `until`.
  void wait_until(const Region& r, int x, int y, std::int64_t until);
  /// Of an own tile whose clock has been moved to `end` already: so many cycles of the way it computed.
  void record(const Region& r, int x, int y, std::size_t phase, std::int64_t begin, std::int64_t computed);
  void count(const wse::OperationCounts& counts, std::int64_t times) { operations_ += times * counts; }

  /// The sum of `words` words over a line at its root; clocks move on.
  void reduce(const Region& r, Line line, std::int64_t words);
  /// The line's root sends `words` words to all its tiles, whose clocks move to when they have them.
  void broadcast(const Region& r, Line line, std::int64_t words);
  /// When the first of the words that a line's root sends at `start` is at the tile `distance` hops away; the
  /// others follow a cycle apart. Counts no words.
  std::int64_t arrival(std::int64_t start, int distance) const;
  void count_hops(std::int64_t words) { word_hops_ += comm_.is_root() ? words : 0; }

  /// Makes the clocks of all ranks' own tiles of a region known to all. Collective.
  void join(const Region& r);
  /// Own parts of an array that is zero elsewhere, made whole on every rank, bit for bit. Collective.
  void join(std::vector<float>& parts) const;

  std::size_t phase(const std::string& name, wse::PhaseKind kind) { return record_.phase(name, kind); }
  wse::PhaseRecord& phases() { return record_; }
  const wse::PhaseRecord& phases() const { return record_; }
  double dynamic_joules() const;                                    ///< of all ranks; collective
  std::int64_t word_hops() const { return comm_.sum(word_hops_); }  ///< collective
  const wse::Blocks& blocks() const { return blocks_; }

 private:
  std::size_t index(const Region& r, int x, int y) const {
    return std::size_t(r.area.y0 + y) * std::size_t(blocks_.grid().width) + std::size_t(r.area.x0 + x);
  }
  /// Number of a tile in this rank's block, -1 when it is another's.
  std::int64_t own(const Region& r, int x, int y) const;

  const Communicator& comm_;
  wse::Blocks blocks_;
  wse::Machine machine_;
  wse::PhaseRecord record_;
  std::size_t wait_, reduce_;
  std::vector<std::int64_t> clocks_;
  wse::OperationCounts operations_;
  std::int64_t word_hops_ = 0;
};

}  // namespace wafermark::llama
