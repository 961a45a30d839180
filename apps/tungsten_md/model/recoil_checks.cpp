#include "tungsten_md/model/recoil_checks.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "common/errors.hpp"
#include "tungsten_md/model/units.hpp"

namespace wafermark::tungsten {
namespace {

/// Recoils that give one atom the energy of both.
bool together(const PkaSettings& a, const PkaSettings& b) {
  return a.time_ps == b.time_ps && a.position == b.position && !a.random_site && !b.random_site;
}

void check_place(const PkaSettings& pka, const Box& box) {
  if (!pka.position) return;
  for (int d = 0; d < 3; ++d)
    if (!((*pka.position)[d] >= box.lo[d] && (*pka.position)[d] <= box.hi[d]))
      throw InputError(
          fmt::format("pka.position_angstrom: found {} along {}, expected a place in the box, {} to {}",
                      (*pka.position)[d], "xyz"[d], box.lo[d], box.hi[d]));
}

}  // namespace

double largest_recoil_energy_ev(const Case& what) {
  const DynamicsSettings& dynamics = what.dynamics;
  double largest = what.dose.method == DoseSettings::Method::recoils ? what.dose.spectrum.largest_ev() : 0.0;
  for (const PkaSettings& pka : dynamics.pkas) {
    double sum = 0.0;
    for (const PkaSettings& other : dynamics.pkas)
      if (&other == &pka || together(pka, other)) sum += other.energy_ev;
    largest = std::max(largest, sum);
  }
  const double hottest = std::max({dynamics.temperature.draw_k, dynamics.temperature.initial_k,
                                   dynamics.thermostat.on() ? dynamics.thermostat.hottest_k() : 0.0,
                                   what.dose.rest_temperature_k});
  return largest + 20.0 * units::boltzmann_ev_per_k * hottest;
}

void check_recoils(const Case& what, const Box& box) {
  for (const PkaSettings& pka : what.dynamics.pkas) {
    check_place(pka, box);
    if (!(pka.time_ps < what.run.duration_ps))
      throw InputError(
          fmt::format("pka.time_ps: found {} ps, expected a time before the end of the run, {} ps "
                      "(run.duration_ps)",
                      pka.time_ps, what.run.duration_ps));
  }
}

}  // namespace wafermark::tungsten
