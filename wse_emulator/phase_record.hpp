// Where a tile program's cycles go, phase by phase and tile by tile.
#pragma once

#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "wse_emulator/machine.hpp"
#include "wse_emulator/tile_clocks.hpp"

namespace wafermark::wse {

enum class PhaseKind { compute, fabric, wait };

/// Cycles of each phase, summed over the steps of a run, for every tile of the block; and, for chosen tiles,
/// when each phase began and ended (Chrome's trace format, which Perfetto reads).
class PhaseRecord {
 public:
  PhaseRecord(const Communicator& comm, const Blocks& blocks, const Machine& machine);

  /// Follows these tiles (grid coordinates) for the first `steps` steps. Tiles of other ranks are ignored;
  /// throws InputError for a tile off the grid.
  void trace(const std::vector<std::array<int, 2>>& tiles, std::int64_t steps);
  void begin_step() { ++steps_; }

  /// Adds `cycles` of phase `name` to a tile of the block whose clock shows `end` after it.
  void add(std::size_t phase, std::size_t tile, std::int64_t cycles, std::int64_t end) {
    phases_[phase].cycles[tile] += cycles;
    if (steps_ <= trace_steps_ && !traced_.empty() && traced_[tile] && cycles > 0)
      events_.push_back({phase, static_cast<std::int64_t>(tile), end - cycles, end});
  }
  /// The phase's number; a name that is new gets one. All ranks ask in the same order.
  std::size_t phase(const std::string& name, PhaseKind kind);

  struct Summary {
    std::string name;
    PhaseKind kind;
    double min, mean, max;  ///< over tiles, cycles a step
  };
  /// Collective.
  std::vector<Summary> summarize() const;
  nlohmann::json summary_json() const;
  std::int64_t steps() const { return steps_; }
  /// Cycles of computing, summed over phases and steps, of every tile of the block.
  std::vector<std::int64_t> busy() const;
  /// The same over all tiles of the grid, in parts of their cycles when `passed` have gone by. Collective.
  double utilisation(std::int64_t passed) const;

  /// PATH (HDF5): /phases/NAME [height][width] cycles, /busy [height][width] those of computing, and clock
  /// and machine as attributes: the wafer as a picture. `words` of this rank's tiles as /words/NAME
  /// [height][width], words that left a tile by the link of that name. Layers lie where their panels do.
  /// Collective.
  void write_heat_map(const std::string& path,
                      const std::map<std::string, std::vector<std::int64_t>>& words = {}) const;
  /// PATH (JSON): the traced tiles, times in microseconds of the machine's clock. Collective; empty trace, no
  /// file.
  void write_trace(const std::string& path) const;

 private:
  struct Phase {
    std::string name;
    PhaseKind kind;
    std::vector<std::int64_t> cycles;
  };
  struct Event {
    std::size_t phase;
    std::int64_t tile, begin, end;
  };
  /// Of a grid with layers: values of all tiles where their panels lie on the wafer, on the first rank; idle
  /// tiles have 0. Collective.
  std::vector<std::int64_t> on_panels(const std::vector<std::int64_t>& mine) const;

  const Communicator* comm_;
  Blocks blocks_;
  std::string machine_;
  double clock_hz_;
  std::vector<Phase> phases_;
  std::vector<char> traced_;
  std::vector<Event> events_;
  std::int64_t steps_ = 0, trace_steps_ = 0;
};

}  // namespace wafermark::wse
