#include "tungsten_md/cluster/integrate.hpp"

#include <algorithm>
#include <cmath>

#include "tungsten_md/kernels/velocity_verlet.hpp"

namespace wafermark::tungsten {
namespace {

struct KickAndDrift {
  Particles p;
  SitePlacer sites;
  double dt;
  KOKKOS_FUNCTION void operator()(int i) const {
    const double inverse_mass = 1.0 / p.mass_of_type(p.type(i));
    for (int d = 0; d < 3; ++d) move(i, d, inverse_mass);
    sites.place(i, p.x(i, 0), p.x(i, 1), p.x(i, 2));
  }
  KOKKOS_FORCEINLINE_FUNCTION void move(int i, int d, double inverse_mass) const {
    p.v(i, d) = kick(p.v(i, d), p.f(i, d), inverse_mass, 0.5 * dt);
    p.x(i, d) = drift(p.x(i, d), p.v(i, d), dt);
  }
};

struct MeasuredKickAndDrift : KickAndDrift {
  Vector3View x_at_build;
  /// Squares: of the displacement since the list was built, of the speed, and of what this half step adds.
  KOKKOS_FUNCTION void operator()(int i, double& displacement, double& speed, double& kicked) const {
    const double inverse_mass = 1.0 / p.mass_of_type(p.type(i));
    double moved2 = 0.0, v2 = 0.0, kick2 = 0.0;
    for (int d = 0; d < 3; ++d) {
      const double before = p.v(i, d);
      move(i, d, inverse_mass);
      const double moved = p.x(i, d) - x_at_build(i, d), by = p.v(i, d) - before;
      moved2 += moved * moved;
      v2 += p.v(i, d) * p.v(i, d);
      kick2 += by * by;
    }
    sites.place(i, p.x(i, 0), p.x(i, 1), p.x(i, 2));
    // NaN must not pass as small.
    if (!(moved2 < 1e300)) moved2 = Kokkos::Experimental::infinity_v<double>;
    if (moved2 > displacement) displacement = moved2;
    if (v2 > speed) speed = v2;
    if (kick2 > kicked) kicked = kick2;
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

void kick_and_drift(Particles& p, const SitePlacer& sites, double dt) {
  Kokkos::parallel_for("kick_and_drift", over(p.n_local), KickAndDrift{p, sites, dt});
}

Motion measured_kick_and_drift(const Communicator& comm, Particles& p, const SitePlacer& sites,
                               const VerletList& list, double dt) {
  double square[3] = {0.0, 0.0, 0.0};
  Kokkos::parallel_reduce(
      "kick_and_drift", over(p.n_local), MeasuredKickAndDrift{{p, sites, dt}, list.x_at_build},
      Kokkos::Max<double>(square[0]), Kokkos::Max<double>(square[1]), Kokkos::Max<double>(square[2]));
  // A rank without atoms has the identity of a maximum.
  for (double& s : square) s = std::max(s, 0.0);
  comm.max_in_place(square, 3);
  return {std::sqrt(square[0]), std::sqrt(square[1]), std::sqrt(square[2]) / (0.5 * dt)};
}

void kick(Particles& p, double dt) { Kokkos::parallel_for("kick", over(p.n_local), Kick{p, dt}); }

}  // namespace wafermark::tungsten
