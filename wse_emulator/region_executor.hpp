// Runs programs on regions of tiles that go by clocks of their own, and keeps their books: clocks, phases,
// words on links, joules. Programs are loaded once and run as the data come; those of different regions
// overlap as their tiles' clocks allow.
#pragma once

#include "common/region_timer.hpp"
#include "wse_emulator/link_words.hpp"
#include "wse_emulator/program.hpp"
#include "wse_emulator/region.hpp"

namespace wafermark::wse {

class RegionExecutor {
 public:
  /// `times` takes the time that the host spends on the books, as region "clocks".
  RegionExecutor(const Communicator& comm, const Blocks& blocks, const Machine& machine, RegionTimes& times);
  RegionExecutor(const RegionExecutor&) = delete;
  RegionExecutor& operator=(const RegionExecutor&) = delete;

  /// Adds a program and returns its number. Patterns and tiles are in the grid's coordinates. Throws
  /// std::invalid_argument when patterns of the program collide, or a pattern is not one of regions.
  std::size_t load(Program program);
  /// Runs a program once: every phase that is due does what it does to the data and is then clocked.
  /// Collective.
  void run(std::size_t program);
  /// Programs that run from now on belong to the next step of the record.
  void begin_step() { record_.begin_step(); }

  /// Cycle at which the last of all events was reached (Program::reach).
  std::int64_t reached() const { return reached_; }
  const RegionClocks& clocks() const { return clocks_; }
  const PhaseRecord& record() const { return record_; }
  PhaseRecord& record() { return record_; }  ///< to say which tiles to follow
  const LinkWords& link_words() const { return link_words_; }

  /// Words times hops. Collective, as the following.
  std::int64_t word_hops() const;
  /// Counted operations and words of memory of all tiles.
  OperationCounts operations() const;
  /// Of those, and of words times hops.
  double dynamic_joules() const;
  /// Cycles of computing, in parts of those of all tiles until the last event.
  double utilisation() const;

 private:
  struct Loaded {
    Program program;
    std::vector<std::size_t> moving, computing;  ///< numbers in the record, by phase
  };
  void compute(const Phase& phase);
  /// Cycles of a tile in a phase of computing.
  std::int64_t cycles_of(const Phase& phase, int row, int column) const;
  void stream(const Phase& phase);
  /// Operations of a phase's work on own tiles.
  void count(const Phase& phase);
  void wait(const Phase& phase);
  void reach(const Phase& phase);

  const Communicator* comm_;
  Machine machine_;
  RegionTimes* times_;
  PhaseRecord record_;
  RegionClocks clocks_;
  LinkWords link_words_;
  OperationCounts operations_;
  std::vector<Loaded> programs_;
  std::vector<std::int64_t> events_;  ///< when each was reached last
  std::int64_t reached_ = 0;
};

}  // namespace wafermark::wse
