// What the examples share: their commands, the printed program, and the line beside a published figure.
#pragma once

#include <fmt/format.h>

#include <cmath>
#include <string>

#include "common/command_line.hpp"
#include "common/errors.hpp"
#include "common/option_checks.hpp"
#include "wse_emulator/executor.hpp"
#include "wse_emulator/machine_options.hpp"
#include "wse_emulator/published.hpp"

namespace wafermark::wse {

/// Exit code of a run whose results or predictions are outside their tolerance.
inline constexpr int checks_failed = 3;

/// Prints what a step of the program takes, line by line, nobody waiting.
inline void print_program(const Program& program, const Machine& machine, const TileGrid& grid) {
  for (const Program::Line& line : program.predicted(machine, grid))
    fmt::print("  {:<26} {:>10.0f} cycles  {}\n", line.phase, line.cycles, line.text);
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

/// Prints the prediction beside the published figure. On the figure's machine, whether it is within
/// `tolerance` of it; on others true.
inline bool beside(const Communicator& comm, const Machine& machine, const published::Figure& figure,
                   double predicted, double tolerance = 0.15) {
  const bool comparable = machine.name == figure.machine;
  const double off = predicted / figure.value - 1.0;
  if (comm.is_root() && comparable)
    fmt::print("{}: predicted {:.4g}, published {:.4g} {}, off {:+.1f} % (tolerance {:.0f} %)\n  {}\n",
               figure.what, predicted, figure.value, figure.unit, 100.0 * off, 100.0 * tolerance,
               figure.source);
  else if (comm.is_root())
    fmt::print("{}: predicted {:.4g} {}, nothing published for {}\n", figure.what, predicted, figure.unit,
               machine.name);
  return !comparable || std::abs(off) <= tolerance;
}

/// Prints the largest difference from a plain loop. Whether it is within `tolerance`.
inline bool equals_plain_loop(const Communicator& comm, double largest_difference, double tolerance) {
  const double largest = comm.max(largest_difference);
  if (comm.is_root())
    fmt::print("largest difference from a plain loop {:.3g}, tolerance {:.3g}\n", largest, tolerance);
  return largest <= tolerance;
}

}  // namespace wafermark::wse
