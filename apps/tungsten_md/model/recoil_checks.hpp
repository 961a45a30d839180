// Whether the recoils of a case can happen, and what they ask of its stopping table: before anything runs.
#pragma once

#include "tungsten_md/model/case.hpp"

namespace wafermark::tungsten {

/// Largest kinetic energy that a recoil gives an atom, eV: of one recoil, or of those that hit one place at
/// one moment, or of the dose's spectrum; on top of it 20 k T of the hottest temperature of the case, which
/// no atom of 10^8 has.
double largest_recoil_energy_ev(const Case& what);

/// Throws InputError for a recoil outside `box`, or after run.duration_ps. (Fewer run.steps than a recoil
/// needs are no mistake: so the first steps of a deck are run; the result counts them in
/// `recoils_not_fired`.)
void check_recoils(const Case& what, const Box& box);

}  // namespace wafermark::tungsten
