// What a deck does to its atoms, in words, before it runs: what `info` tells.
#pragma once

#include <string>

#include "tungsten_md/model/case.hpp"

namespace wafermark::tungsten {

/// A line for each of start, baths, step, recoils, swaps, outputs and end that the deck has.
std::string events_of_run(const Case& what);

/// Steps until the deck's end; with an adaptive time step as few as there can be.
double steps_to_the_end(const Case& what);

}  // namespace wafermark::tungsten
