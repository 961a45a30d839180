// A cascade that reaches the border of the box is not the cascade that was asked for.
#pragma once

#include "tungsten_md/dynamics/particles.hpp"
#include "tungsten_md/dynamics/periodic_frame.hpp"
#include "tungsten_md/model/box.hpp"

namespace wafermark::tungsten {

/// Atoms of this rank with more than `energy_ev` within `width_angstrom` of a face of the box, on any axis.
/// `frame`: whose faces are meant.
int count_hot_atoms_at_border(const Particles& p, const Box& box, double width_angstrom, double energy_ev,
                              const PeriodicFrame& frame = {});

/// Largest kinetic energy of an atom of this rank, eV.
double hottest_ev(const Particles& p);

}  // namespace wafermark::tungsten
