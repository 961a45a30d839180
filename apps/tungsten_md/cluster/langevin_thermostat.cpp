#include "tungsten_md/cluster/langevin_thermostat.hpp"

#include "tungsten_md/kernels/heat_bath.hpp"
#include "tungsten_md/kernels/random.hpp"
#include "tungsten_md/model/units.hpp"

namespace wafermark::tungsten {
namespace {

struct Bathe {
  Particles p;
  double lo[3], hi[3];  ///< atoms between these along every axis are left alone; lo > hi: none
  double dt_over_damping, thermal_energy;
  std::uint64_t seed, step;

  KOKKOS_FUNCTION void operator()(int i, double& heat) const {
    bool inside = true;
    for (int d = 0; d < 3; ++d) inside = inside && p.x(i, d) >= lo[d] && p.x(i, d) < hi[d];
    if (inside) return;
    const double mass = p.mass_of_type(p.type(i));
    const HeatBath<double> bath = heat_bath(dt_over_damping, thermal_energy / mass);
    const Triple g = gaussian_triple(seed, static_cast<std::uint64_t>(p.id(i)), step, Stream::langevin);
    const double noise[3] = {g.x, g.y, g.z};
    for (int d = 0; d < 3; ++d) {
      const double v = p.v(i, d);
      p.v(i, d) = bath.keep * v + bath.noise * noise[d];
      heat += 0.5 * mass * (p.v(i, d) * p.v(i, d) - v * v);
    }
  }
};

}  // namespace

double LangevinThermostat::apply(Particles& p, double time_ps, double dt, std::int64_t step) const {
  if (!settings_.on || time_ps < settings_.start_ps || time_ps >= settings_.stop_ps) return 0.0;
  Bathe bathe{p,
              {},
              {},
              dt / settings_.damping_time_ps,
              units::boltzmann_ev_per_k * settings_.temperature_k / units::amu_a2_per_ps2_in_ev,
              seed_,
              static_cast<std::uint64_t>(step)};
  for (int d = 0; d < 3; ++d) {
    // Surfaces are free: the border lies at the faces of periodic axes.
    const bool border = box_.periodic[d];
    bathe.lo[d] = border ? box_.lo[d] + settings_.border_width_angstrom : -1e300;
    bathe.hi[d] = border ? box_.hi[d] - settings_.border_width_angstrom : 1e300;
    if (!settings_.border_only) bathe.lo[d] = 1e300;
  }
  double heat = 0.0;
  Kokkos::parallel_reduce("langevin", Kokkos::RangePolicy<ExecSpace>(0, p.n_local), bathe, heat);
  return heat * units::amu_a2_per_ps2_in_ev;
}

}  // namespace wafermark::tungsten
