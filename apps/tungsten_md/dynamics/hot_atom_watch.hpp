// A cascade that reaches the border of the box is not the cascade that was asked for.
#pragma once

#include "tungsten_md/dynamics/particles.hpp"
#include "tungsten_md/model/box.hpp"

namespace wafermark::tungsten {

/// Atoms of this rank with more than `energy_ev` within `width_angstrom` of a face of the box, on any axis.
int count_hot_atoms_at_border(const Particles& p, const Box& box, double width_angstrom, double energy_ev);

}  // namespace wafermark::tungsten
