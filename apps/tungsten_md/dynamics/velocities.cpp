#include "tungsten_md/dynamics/velocities.hpp"

#include "tungsten_md/dynamics/thermo.hpp"
#include "tungsten_md/kernels/random.hpp"
#include "tungsten_md/model/units.hpp"

namespace wafermark::tungsten {
namespace {

struct Draw {
  Particles p;
  double thermal_energy;  ///< kT, amu (Angstrom/ps)^2
  std::uint64_t seed;
  KOKKOS_FUNCTION void operator()(int i) const {
    const Triple g = gaussian_triple(seed, static_cast<std::uint64_t>(p.id(i)), 0, Stream::velocity);
    const double speed = Kokkos::sqrt(thermal_energy / p.mass_of_type(p.type(i)));
    p.v(i, 0) = speed * g.x;
    p.v(i, 1) = speed * g.y;
    p.v(i, 2) = speed * g.z;
  }
};

struct SumMass {
  Particles p;
  KOKKOS_FUNCTION void operator()(int i, double& sum) const { sum += p.mass_of_type(p.type(i)); }
};

struct ShiftAndScale {
  Particles p;
  double shift[3], scale;
  KOKKOS_FUNCTION void operator()(int i) const {
    for (int d = 0; d < 3; ++d) p.v(i, d) = scale * (p.v(i, d) - shift[d]);
  }
};

}  // namespace

void draw_velocities(const Communicator& comm, Particles& p, std::int64_t atoms, double temperature_k,
                     std::uint64_t seed) {
  const auto all = over(p.n_local);
  Kokkos::parallel_for(
      "draw_velocities", all,
      Draw{p, units::boltzmann_ev_per_k * temperature_k / units::amu_a2_per_ps2_in_ev, seed});
  double mass = 0.0;
  Kokkos::parallel_reduce("sum_mass", all, SumMass{p}, mass);
  mass = comm.sum(mass);
  const auto momentum = measure(comm, p, {}, atoms, {}).momentum;
  ShiftAndScale shift{p, {momentum[0] / mass, momentum[1] / mass, momentum[2] / mass}, 1.0};
  Kokkos::parallel_for("remove_momentum", all, shift);
  const double found = measure(comm, p, {}, atoms, {}).temperature_k;
  if (found > 0.0)
    Kokkos::parallel_for("scale_velocities", all,
                         ShiftAndScale{p, {0, 0, 0}, Kokkos::sqrt(temperature_k / found)});
}

}  // namespace wafermark::tungsten
