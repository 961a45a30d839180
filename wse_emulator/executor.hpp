// Runs a program on the tiles of a grid, and keeps its books: clocks, phases, words on links, joules.
#pragma once

#include <optional>

#include "common/region_timer.hpp"
#include "wse_emulator/link_words.hpp"
#include "wse_emulator/phase_record.hpp"
#include "wse_emulator/program.hpp"
#include "wse_emulator/tile_clocks.hpp"

namespace wafermark::wse {

class Executor {
 public:
  /// `working`: of every tile of the block whether its core takes part, 1, or its router alone passes words
  /// on, 0. `times` takes the time that the host spends on the books, as region "clocks". Throws
  /// std::invalid_argument when patterns of the program collide. Collective, as all calls.
  Executor(const Communicator& comm, const Blocks& blocks, const Machine& machine, Program program,
           std::vector<int> working, RegionTimes& times);

  /// The program, once: every phase that is due does what it does to the data and is then clocked. Tiles run
  /// by their own clocks and wait only for those whose words a pattern brings.
  void run();

  const TileClocks& clocks() const { return clocks_; }
  TileClocks& clocks() { return clocks_; }  ///< to go on from a checkpoint
  const PhaseRecord& record() const { return record_; }
  PhaseRecord& record() { return record_; }  ///< to say which tiles to follow

  /// Items of a phase's section so far, over all tiles.
  std::int64_t items(const std::string& phase, std::size_t section = 0) const;
  /// Words that have crossed the links.
  LinkWords link_words() const;
  /// Counted operations and words of memory of all tiles.
  OperationCounts operations() const;
  /// Of those, and of words times hops.
  double dynamic_joules() const;
  /// Cycles of a run so far on another machine, mean over tiles, had it the same to do: `machine`'s prices
  /// for what the books hold. Waiting goes by computing, whose unevenness it comes from.
  /// On the executor's own machine the cycles that passed since `first_cycle`, up to rounding.
  double cycles_on(const Machine& machine, std::int64_t first_cycle) const;
  /// Cycles of computing, in parts of those of all tiles since `first_cycle`.
  double utilisation(std::int64_t first_cycle) const;

 private:
  struct Book {
    std::size_t record = 0;               ///< its number in the record
    std::size_t words = 0;                ///< of a stream: the number of its waiting for words
    std::int64_t times = 0;               ///< that it ran
    std::vector<std::int64_t> items;      ///< of each section, on this rank's tiles
    std::vector<std::int64_t> tiles;      ///< of each section, that had something to do
    std::vector<std::int64_t> cycles_of;  ///< a lone section's, by number of items; -1: not asked for yet
  };
  void count_items(const Phase& phase, Book& book);
  /// Cycles of a phase's work on a tile.
  static std::int64_t cycles_of(const Phase& phase, Book& book, std::size_t tile);
  /// Cycles that this rank's tiles spent on a phase's words beside its work of so many cycles, all tiles
  /// alike.
  double moving(const Phase& phase, const Book& book, const Machine& machine, double work) const;
  void compute(const Phase& phase, Book& book);
  void meet(const Phase& phase, Book& book);
  void stream(const Phase& phase, Book& book);
  /// Sets every tile's clock so many cycles after the last of those that the pattern needs, and books the
  /// waiting.
  void wait_for_words(const Pattern& pattern, std::int64_t cycles);
  /// Working tiles go on so many cycles: tasks that words start.
  void start(double cycles);

  const Communicator* comm_;
  Blocks blocks_;
  Machine machine_;
  Program program_;
  std::vector<int> working_;
  RegionTimes* times_;
  TileClocks clocks_;
  PhaseRecord record_;
  std::vector<Book> books_;  ///< by phase
  std::size_t wait_, tasks_;
  std::vector<std::int64_t> before_;
};

}  // namespace wafermark::wse
