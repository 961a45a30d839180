// What the examples share: their commands, the printed program, and the line beside a published figure.
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <limits>
#include <memory>
#include <string>

#include "common/command_line.hpp"
#include "common/errors.hpp"
#include "common/memory.hpp"
#include "common/option_checks.hpp"
#include "wse_emulator/band.hpp"
#include "wse_emulator/executor.hpp"
#include "wse_emulator/machine_options.hpp"
#include "wse_emulator/published.hpp"

namespace wafermark::wse {

/// Exit code of a run whose results or predictions are outside their tolerance.
inline constexpr int checks_failed = 3;

/// So many tiles of the machine. Throws InputError when it has fewer.
inline TileGrid grid_on(const Machine& machine, std::array<int, 2> tiles,
                        std::array<bool, 2> ring = {false, false}) {
  if (tiles[0] > machine.width || tiles[1] > machine.height)
    throw InputError(fmt::format("tiles: found {} x {}, expected at most the {} x {} of {}", tiles[0],
                                 tiles[1], machine.width, machine.height, machine.name));
  return {tiles[0], tiles[1], ring};
}

/// Refuses what the host has no memory for: `numbers` of a tile, with so many bytes each on the rank that
/// owns it, and so many on every rank for the plain loop. Throws InputError.
inline void require_host_memory(const Communicator& comm, const Blocks& blocks, double numbers,
                                double bytes_here, double bytes_of_loop) {
  const auto mine = static_cast<double>(blocks.mine().tiles()),
             all = static_cast<double>(blocks.grid().tiles());
  require_memory(comm, numbers * (mine * bytes_here + all * bytes_of_loop),
                 fmt::format("{} x {} tiles of {:.0f} numbers and the plain loop", blocks.grid().width,
                             blocks.grid().height, numbers));
}

/// Prints what a step of the program takes, line by line, nobody waiting.
inline void print_program(const Program& program, const Machine& machine, const TileGrid& grid) {
  for (const Program::Line& line : program.predicted(machine, grid))
    fmt::print("  {:<26} {:>10.0f} cycles  {}\n", line.phase, line.cycles, line.text);
}

/// Runs a program on its data so many times, and prints what it takes. Collective.
inline void run_on_data(const Communicator& comm, const Blocks& blocks, const Machine& machine,
                        const Program& program, int times) {
  if (comm.is_root()) print_program(program, machine, blocks.grid());
  RegionTimes of_host;
  Executor executor(comm, blocks, machine, program,
                    std::vector<int>(static_cast<std::size_t>(blocks.mine().tiles()), 1), of_host);
  for (int k = 0; k < times; ++k) executor.run();
  const std::int64_t cycles = executor.clocks().latest();
  const double joules = executor.dynamic_joules();
  if (comm.is_root()) fmt::print("{} times: {} cycles, {:.6g} J beside idle power\n", times, cycles, joules);
}

/// Runs a program without data so many times on the whole grid. Cycles of one of these. Collective.
inline double cycles_of_a_run(const Communicator& comm, const Blocks& blocks, const Machine& machine,
                              const Program& program, int runs = 2) {
  RegionTimes times;
  Executor executor(comm, blocks, machine, program,
                    std::vector<int>(static_cast<std::size_t>(blocks.mine().tiles()), 1), times);
  for (int k = 0; k < runs; ++k) executor.run();
  return static_cast<double>(executor.clocks().latest()) / runs;
}

/// Seconds of a step of a program, nobody waiting: what the executor takes where all tiles have the same to
/// do.
inline double predicted_seconds(const Program& program, const Machine& machine, const TileGrid& grid) {
  double cycles = 0.0;
  for (const Program::Line& line : program.predicted(machine, grid)) cycles += line.cycles;
  return cycles / machine.clock_hz;
}

/// What a program's seconds are compared with.
struct Comparison {
  published::Figure figure;
  std::function<double(double seconds)> value;  ///< the figure's, from seconds
  /// Seconds on a machine, for the band within which the ranges of the machine's numbers leave the
  /// prediction.
  std::function<double(const Machine&)> seconds_on;
  double tolerance = 0.15;  ///< infinite: shown, not held
};

/// Prints the prediction with its band, and the numbers that it hangs on, beside the published figure. On the
/// figure's machine, whether it is within the tolerance; on others true.
inline bool beside(const Communicator& comm, const Machine& machine, double seconds, const Comparison& c) {
  constexpr std::size_t most_influences = 5;
  const bool comparable = machine.name == c.figure.machine;
  const double predicted = c.value(seconds), off = predicted / c.figure.value - 1.0;
  const Band band = band_of(machine, c.seconds_on);
  const auto [low, high] = std::minmax({c.value(band.low * seconds), c.value(band.high * seconds)});
  if (!comm.is_root()) return !comparable || std::abs(off) <= c.tolerance;
  fmt::print("{}: predicted {:.4g} ({:.4g} to {:.4g}) {}, ", c.figure.what, predicted, low, high,
             c.figure.unit);
  if (comparable)
    fmt::print("published {:.4g}, off {:+.1f} % ({})\n  {}\n", c.figure.value, 100.0 * off,
               std::isinf(c.tolerance) ? "not held" : fmt::format("tolerance {:.0f} %", 100.0 * c.tolerance),
               c.figure.source);
  else
    fmt::print("nothing published for {}\n", machine.name);
  fmt::print("Its seconds hang on these numbers, each alone at the ends of its range:\n{}",
             band.table(most_influences));
  return !comparable || std::abs(off) <= c.tolerance;
}

/// The largest difference of a result from a plain loop's. What is not a number differs by infinity.
class Difference {
 public:
  void see(double value, double expected) {
    const double off = std::abs(value - expected);
    largest_ = std::isnan(off) ? std::numeric_limits<double>::infinity() : std::max(largest_, off);
  }
  /// Prints it. Whether it is within `tolerance`. Collective.
  bool within(const Communicator& comm, double tolerance) const {
    const double largest = comm.max(largest_);
    if (comm.is_root())
      fmt::print("largest difference from a plain loop {:.3g}, tolerance {:.3g}\n", largest, tolerance);
    return largest <= tolerance;
  }

 private:
  double largest_ = 0.0;
};

/// An example's two commands: `run` on data, with the options that `add_options` adds to the machine's, and
/// `validate`.
template <class Case>
void add_run_and_validate(CLI::App& app, std::function<int()>& action, const char* what_run_does,
                          void (*add_options)(CLI::App&, Case&), int (*run)(const Case&),
                          int (*validate)(const Case&)) {
  auto c = std::make_shared<Case>();
  auto* on_data = app.add_subcommand("run", what_run_does);
  c->options.add_machine_to(*on_data);
  c->options.add_tiles_to(*on_data);
  add_options(*on_data, *c);
  on_data->callback([&action, c, run] { action = [c, run] { return run(*c); }; });
  auto* published = app.add_subcommand("validate", "Price the published case without data, and compare");
  c->options.add_machine_to(*published);
  published->callback([&action, c, validate] { action = [c, validate] { return validate(*c); }; });
}

}  // namespace wafermark::wse
