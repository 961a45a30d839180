// Cycles as clocks count them: whole numbers of 64 bits.
#pragma once

#include <fmt/format.h>

#include <cmath>
#include <cstdint>

#include "common/errors.hpp"

namespace wafermark::wse {

/// More than any phase of a program takes on a machine that could be built: three hours at 1 GHz.
inline constexpr double most_cycles = 1e13;

namespace detail {

// Out of line of the loops that call it. A conversion of what does not fit would give a negative number, and
// a machine that is too slow to be true would seem to be a fast one.
[[noreturn, gnu::cold]] inline void reject_cycles(double cycles) {
  throw InputError(
      fmt::format("wafer machine: found a phase of {:.4g} cycles, expected from 0 to {:g}: its numbers (or "
                  "the changes to them) are "
                  "out of proportion",
                  cycles, most_cycles));
}

}  // namespace detail

/// The nearest whole number of cycles. Throws InputError for what no machine takes: not a number, negative,
/// above most_cycles.
inline std::int64_t whole_cycles(double cycles) {
  if (!(cycles >= -0.5 && cycles <= most_cycles)) detail::reject_cycles(cycles);
  return std::llround(cycles);
}

/// The same, rounded up: of a law that counts every cycle begun. Rounding of the law itself begins no cycle.
inline std::int64_t cycles_begun(double cycles) {
  if (!(cycles >= -0.5 && cycles <= most_cycles)) detail::reject_cycles(cycles);
  return static_cast<std::int64_t>(std::ceil(cycles - 1e-9));
}

}  // namespace wafermark::wse
