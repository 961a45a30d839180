#include "tungsten_md/cluster/integrate.hpp"

#include <algorithm>
#include <cmath>

#include "tungsten_md/kernels/velocity_verlet.hpp"

namespace wafermark::tungsten {
namespace {

struct KickAndDrift {
  Particles p;
  Vector3View x_at_build;
  double dt;
  KOKKOS_FUNCTION void operator()(int i) const { move(i); }
  KOKKOS_FUNCTION void operator()(int i, double& displacement, double& speed, double& kicked) const {
    Squares s = move(i);
    // NaN must not pass as small.
    if (!(s.displacement < 1e300)) s.displacement = Kokkos::Experimental::infinity_v<double>;
    if (s.displacement > displacement) displacement = s.displacement;
    if (s.speed > speed) speed = s.speed;
    if (s.kick > kicked) kicked = s.kick;
  }

  struct Squares {
    double displacement = 0.0, speed = 0.0, kick = 0.0;  ///< since the list was built; now; by this half step
  };
  KOKKOS_FORCEINLINE_FUNCTION Squares move(int i) const {
    const double inverse_mass = 1.0 / p.mass_of_type(p.type(i));
    Squares s;
    for (int d = 0; d < 3; ++d) {
      const double before = p.v(i, d);
      p.v(i, d) = kick(before, p.f(i, d), inverse_mass, 0.5 * dt);
      p.x(i, d) = drift(p.x(i, d), p.v(i, d), dt);
      const double moved = p.x(i, d) - x_at_build(i, d), by = p.v(i, d) - before;
      s.displacement += moved * moved;
      s.speed += p.v(i, d) * p.v(i, d);
      s.kick += by * by;
    }
    return s;
  }
};

struct Kick {
  Particles p;
  double dt;
  KOKKOS_FUNCTION void operator()(int i) const {
    const double inverse_mass = 1.0 / p.mass_of_type(p.type(i));
    for (int d = 0; d < 3; ++d) p.v(i, d) = kick(p.v(i, d), p.f(i, d), inverse_mass, 0.5 * dt);
  }
};

}  // namespace

void kick_and_drift(Particles& p, const VerletList& list, double dt) {
  Kokkos::parallel_for("kick_and_drift", over(p.n_local), KickAndDrift{p, list.x_at_build, dt});
}

Motion measured_kick_and_drift(const Communicator& comm, Particles& p, const VerletList& list, double dt) {
  double square[3] = {0.0, 0.0, 0.0};
  Kokkos::parallel_reduce("kick_and_drift", over(p.n_local), KickAndDrift{p, list.x_at_build, dt},
                          Kokkos::Max<double>(square[0]), Kokkos::Max<double>(square[1]),
                          Kokkos::Max<double>(square[2]));
  // A rank without atoms has the identity of a maximum.
  for (double& s : square) s = std::max(s, 0.0);
  comm.max_in_place(square, 3);
  return {std::sqrt(square[0]), std::sqrt(square[1]), std::sqrt(square[2]) / (0.5 * dt)};
}

void kick(Particles& p, double dt) { Kokkos::parallel_for("kick", over(p.n_local), Kick{p, dt}); }

}  // namespace wafermark::tungsten
