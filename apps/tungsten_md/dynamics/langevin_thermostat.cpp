#include "tungsten_md/dynamics/langevin_thermostat.hpp"

#include "tungsten_md/dynamics/periodic_frame.hpp"
#include "tungsten_md/kernels/heat_bath.hpp"
#include "tungsten_md/kernels/random.hpp"
#include "tungsten_md/model/units.hpp"

namespace wafermark::tungsten {
namespace {

struct Bathe {
  Particles p;
  QuietRegion<double> quiet;
  PeriodicFrame frame;
  double dt_over_damping, thermal_energy;
  std::uint64_t seed, step;

  KOKKOS_FUNCTION void operator()(int i, double& heat) const {
    if (quiet.holds(frame.along(0, p.x(i, 0)), frame.along(1, p.x(i, 1)), frame.along(2, p.x(i, 2)))) return;
    const double mass = p.mass_of_type(p.type(i));
    const HeatBath<double> bath = heat_bath(dt_over_damping, thermal_energy / mass);
    const Triple g = gaussian_triple(seed, static_cast<std::uint64_t>(p.id(i)), step, Stream::langevin);
    const double noise[3] = {g.x, g.y, g.z};
    for (int d = 0; d < 3; ++d) {
      const double v = p.v(i, d);
      p.v(i, d) = bathed(bath, v, noise[d]);
      heat += 0.5 * mass * (p.v(i, d) * p.v(i, d) - v * v);
    }
  }
};

}  // namespace

QuietRegion<double> quiet_region(const ThermostatSettings& settings, const Box& box) {
  QuietRegion<double> quiet{};
  for (int d = 0; d < 3; ++d) {
    // Surfaces are free: the border lies at the faces of periodic axes.
    quiet.lo[d] = box.periodic[d] ? box.lo[d] + settings.border_width_angstrom : -1e30;
    quiet.hi[d] = box.periodic[d] ? box.hi[d] - settings.border_width_angstrom : 1e30;
    if (!settings.border_only) quiet.lo[d] = 1e30;
  }
  return quiet;
}

void LangevinThermostat::apply(Particles& p, const Box& box, double time_ps, double dt, std::int64_t step,
                               RunningSum& heat) const {
  if (settings_.kind != ThermostatSettings::Kind::langevin || !settings_.acts(time_ps)) return;
  const Bathe bathe{
      p,
      quiet_region(settings_, box),
      centre_ ? PeriodicFrame::around(box, *centre_) : PeriodicFrame{},
      dt / settings_.damping_time_ps,
      units::boltzmann_ev_per_k * settings_.temperature_k(time_ps) / units::amu_a2_per_ps2_in_ev,
      seed_,
      static_cast<std::uint64_t>(step)};
  Kokkos::parallel_reduce("langevin", over(p.n_local), bathe, heat.next(units::amu_a2_per_ps2_in_ev));
}

}  // namespace wafermark::tungsten
