#include "tungsten_md/dynamics/thermo.hpp"

#include <algorithm>
#include <vector>

#include "tungsten_md/model/units.hpp"

namespace wafermark::tungsten {
namespace {

struct KineticSums {
  double energy = 0, px = 0, py = 0, pz = 0, speed = 0;
  double xx = 0, yy = 0, zz = 0;  ///< m v v
  KOKKOS_FUNCTION KineticSums& operator+=(const KineticSums& o) {
    energy += o.energy;
    px += o.px;
    py += o.py;
    pz += o.pz;
    speed += o.speed;
    xx += o.xx;
    yy += o.yy;
    zz += o.zz;
    return *this;
  }
};

struct SumKinetic {
  Particles p;
  KOKKOS_FUNCTION void operator()(int i, KineticSums& sums) const {
    const double m = p.mass_of_type(p.type(i));
    const double vx = p.v(i, 0), vy = p.v(i, 1), vz = p.v(i, 2), v2 = vx * vx + vy * vy + vz * vz;
    sums.energy += 0.5 * m * v2;
    sums.px += m * vx;
    sums.py += m * vy;
    sums.pz += m * vz;
    sums.speed += m * Kokkos::sqrt(v2);
    sums.xx += m * vx * vx;
    sums.yy += m * vy * vy;
    sums.zz += m * vz * vz;
  }
};

}  // namespace
}  // namespace wafermark::tungsten

template <>
struct Kokkos::reduction_identity<wafermark::tungsten::KineticSums> {
  KOKKOS_FORCEINLINE_FUNCTION static wafermark::tungsten::KineticSums sum() { return {}; }
};

namespace wafermark::tungsten {

Thermo measure(const Communicator& comm, const Particles& p, const EnergyVirial& share, std::int64_t atoms,
               const Box& box) {
  KineticSums k;
  Kokkos::parallel_reduce("kinetic", over(p.n_local), SumKinetic{p}, Kokkos::Sum<KineticSums>(k));
  const auto& w = share.virial;
  auto total = comm.sum(std::vector<double>{k.energy, k.px, k.py, k.pz, k.speed, share.energy,
                                            w[0] + w[1] + w[2], k.xx, k.yy, k.zz, w[0], w[1], w[2]});
  Thermo t;
  t.kinetic_ev = total[0] * units::amu_a2_per_ps2_in_ev;
  t.momentum = {total[1], total[2], total[3]};
  t.thermal_momentum = total[4];
  t.potential_ev = total[5];
  t.temperature_k =
      2.0 * t.kinetic_ev /
      (3.0 * static_cast<double>(std::max<std::int64_t>(1, atoms - 1)) * units::boltzmann_ev_per_k);
  const double volume = box.volume();
  t.pressure_gpa = (2.0 * t.kinetic_ev + total[6]) / (3.0 * volume) * units::ev_per_a3_in_gpa;
  t.pressure_axes_gpa.emplace();
  for (std::size_t d = 0; d < 3; ++d) {
    (*t.pressure_axes_gpa)[d] =
        (total[7 + d] * units::amu_a2_per_ps2_in_ev + total[10 + d]) / volume * units::ev_per_a3_in_gpa;
    t.box_angstrom[d] = box.length(static_cast<int>(d));
  }
  return t;
}

}  // namespace wafermark::tungsten
