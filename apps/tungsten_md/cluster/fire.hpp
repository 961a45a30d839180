// Relaxation of the atoms to a minimum of the energy, the box fixed: FIRE (Bitzek et al., Phys. Rev. Lett. 97
// (2006) 170201) with the corrections of FIRE 2.0 (Guenole et al., Comput. Mater. Sci. 175 (2020) 109584).
#pragma once

#include <functional>

#include "tungsten_md/cluster/domain.hpp"
#include "tungsten_md/model/dynamics_settings.hpp"

namespace wafermark::tungsten {

struct FireResult {
  std::int64_t steps = 0;
  double max_force = 0.0;  ///< largest force component, eV/Angstrom
  double energy_ev = 0.0;  ///< of all ranks
  bool converged = false;
};

/// Moves the atoms until no force component exceeds the tolerance or the steps are used up. Velocities end at
/// zero. `before_step` is called on all ranks and may throw on all. Collective.
FireResult relax(Domain& domain, const RelaxSettings& settings,
                 const std::function<void()>& before_step = {});

}  // namespace wafermark::tungsten
