// The code of a relaxation on a tile: FIRE's kernels, counted.
#pragma once

#include "wse_emulator/section.hpp"

namespace wafermark::tungsten {

/// What the tiles do beside the forces, each once an atom.
struct RelaxationCode {
  explicit RelaxationCode(const wse::Machine& machine);
  wse::Section products;  ///< what is reduced
  wse::Section
      move;  ///< the schedule, which every tile follows by itself, kick, turn towards the force, drift
};

}  // namespace wafermark::tungsten
