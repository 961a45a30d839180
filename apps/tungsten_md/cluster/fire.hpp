// Relaxation of the atoms to a minimum of the energy, the box fixed, by FIRE (dynamics/fire_schedule.hpp).
#pragma once

#include <functional>

#include "tungsten_md/cluster/domain.hpp"
#include "tungsten_md/dynamics/fire_schedule.hpp"
#include "tungsten_md/model/dynamics_settings.hpp"

namespace wafermark::tungsten {

/// Moves the atoms until no force component exceeds the tolerance or the steps are used up. Velocities end at
/// zero. `before_step` is called on all ranks and may throw on all. Collective.
FireResult relax(Domain& domain, const RelaxSettings& settings,
                 const std::function<void()>& before_step = {});

}  // namespace wafermark::tungsten
