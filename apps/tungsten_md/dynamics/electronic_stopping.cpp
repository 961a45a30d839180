#include "tungsten_md/dynamics/electronic_stopping.hpp"

#include <cmath>
#include <cstddef>
#include <string>

#include "tungsten_md/dynamics/device_numbers.hpp"
#include "tungsten_md/kernels/stopping.hpp"
#include "tungsten_md/model/units.hpp"

namespace wafermark::tungsten {
namespace {

struct Slow {
  Particles p;
  StoppingLaw<double> law;  ///< with the table of type 0; those of the others follow
  double dt;
  Kokkos::View<std::int64_t, MemSpace> above;
  HeatDeposit deposit;

  KOKKOS_FUNCTION void operator()(int i, double& lost) const {
    StoppingLaw<double> of_type = law;
    of_type.power += static_cast<std::ptrdiff_t>(p.type(i)) * law.entries;
    const double mass = p.mass_of_type(p.type(i)) * units::amu_a2_per_ps2_in_ev;
    const double v2 = p.v(i, 0) * p.v(i, 0) + p.v(i, 1) * p.v(i, 1) + p.v(i, 2) * p.v(i, 2);
    const double factor = slowing(of_type, mass, v2, dt);
    for (int d = 0; d < 3; ++d) p.v(i, d) *= factor;
    const double energy = 0.5 * mass * v2 * (1.0 - factor * factor);
    lost += energy;
    if (energy > 0.0) deposit.add(p.x(i, 0), p.x(i, 1), p.x(i, 2), energy);
    if (law.table && 0.5 * mass * v2 > law.energy[law.entries - 1]) Kokkos::atomic_inc(&above());
  }
};

}  // namespace

ElectronicStopping::ElectronicStopping(const StoppingSettings& settings) : settings_(settings) {
  if (settings.kind != StoppingSettings::Kind::table) return;
  const StoppingTable table = read_stopping_table(settings.file);
  energy_ = numbers_on_device(table.energy_ev, "stopping_energy");
  std::vector<double> powers;
  for (const auto& of_element : table.power_ev_per_angstrom)
    powers.insert(powers.end(), of_element.begin(), of_element.end());
  power_ = numbers_on_device(powers, "stopping_power");
}

void ElectronicStopping::apply(Particles& p, double dt, RunningSum& lost, const HeatDeposit& deposit) const {
  if (settings_.kind == StoppingSettings::Kind::none) return;
  Kokkos::parallel_reduce(
      "stopping", over(p.n_local),
      Slow{p,
           {settings_.kind == StoppingSettings::Kind::table, settings_.coefficient,
            settings_.cutoff_energy_ev, energy_.data(), power_.data(), static_cast<int>(energy_.extent(0))},
           dt,
           above_,
           deposit},
      lost.next());
}

std::int64_t ElectronicStopping::above_table() const {
  std::int64_t n = 0;
  Kokkos::deep_copy(n, above_);
  return n;
}

void ElectronicStopping::resume(std::int64_t above_table) { Kokkos::deep_copy(above_, above_table); }

}  // namespace wafermark::tungsten
