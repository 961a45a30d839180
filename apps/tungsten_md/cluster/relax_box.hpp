// Relaxation of atoms and box to a pressure: atoms by FIRE in a box that stands still, then the box by a
// quasi-Newton step on its pressure (Broyden, Math. Comput. 19 (1965) 577), in turn.
#pragma once

#include <functional>

#include "tungsten_md/cluster/fire.hpp"

namespace wafermark::tungsten {

struct BoxRelaxationResult : FireResult {
  double pressure_error_gpa = 0.0;  ///< largest distance from the aim, of the axes that relax
};

/// Moves the atoms, and the box where the settings say so, until neither a force nor the pressure is farther
/// from its aim than the tolerances, or FIRE's steps are used up. The rest as relax(). Collective.
BoxRelaxationResult relax_with_box(Domain& domain, const RelaxSettings& settings,
                                   const std::function<void()>& before_step = {});

}  // namespace wafermark::tungsten
