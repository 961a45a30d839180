// What a deck does to its atoms, in words, before it runs: what `info` tells.
#pragma once

#include <optional>
#include <string>

#include "tungsten_md/analysis/dose.hpp"
#include "tungsten_md/model/case.hpp"

namespace wafermark::tungsten {

/// A line for each of start, baths, step, recoils, swaps, outputs and end that the deck has.
std::string events_of_run(const Case& what);

struct StepCount {
  double steps = 0.0;
  bool at_least = false;  ///< an adaptive time step, or recoils that may stay hot, take more
};

/// Steps until the deck's end, by steps, time or `dose` (that of its recoils, if it has one). None where the
/// run says it: creation-relaxation, and recoils that only saturation ends.
std::optional<StepCount> steps_to_the_end(const Case& what, const std::optional<DoseLength>& dose);

}  // namespace wafermark::tungsten
