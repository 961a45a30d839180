#include "tungsten_md/dynamics/pka.hpp"

#include <cmath>
#include <limits>
#include <vector>

#include "tungsten_md/kernels/random.hpp"
#include "tungsten_md/model/units.hpp"

namespace wafermark::tungsten {
namespace {

struct DistanceSquared {
  Vector3View x;
  double site[3], length[3];
  bool periodic[3];
  KOKKOS_FUNCTION double operator()(int i) const {
    double sum = 0.0;
    for (int d = 0; d < 3; ++d) {
      double dx = x(i, d) - site[d];
      if (periodic[d]) dx -= length[d] * Kokkos::round(dx / length[d]);
      sum += dx * dx;
    }
    return sum;
  }
};

struct Nearest {
  DistanceSquared distance;
  KOKKOS_FUNCTION void operator()(int i, double& least) const {
    const double d2 = distance(i);
    if (d2 < least) least = d2;
  }
};
/// Lowest id among the atoms that are as near as the nearest.
struct LowestId {
  DistanceSquared distance;
  IdView id;
  double within;  ///< squared distance
  KOKKOS_FUNCTION void operator()(int i, std::int64_t& lowest) const {
    if (distance(i) <= within && id(i) < lowest) lowest = id(i);
  }
};
struct IndexOf {
  IdView id;
  std::int64_t wanted;
  KOKKOS_FUNCTION void operator()(int i, int& index) const {
    if (id(i) == wanted) index = i;
  }
};

Vec3 site_of(const PkaSettings& pka, const Box& box, int index, std::uint64_t seed) {
  if (pka.position) return *pka.position;
  Vec3 site{};
  const auto words = random_words(seed, static_cast<std::uint64_t>(index), 1, Stream::pka);
  for (int d = 0; d < 3; ++d) {
    const double share = pka.random_site ? uniform(words[static_cast<std::size_t>(d)]) : 0.5;
    site[d] = box.lo[d] + share * box.length(d);
  }
  return site;
}

}  // namespace

Recoil knock_on(const Communicator& comm, Particles& p, const Box& box, const PkaSettings& pka, int index,
                std::uint64_t seed) {
  const auto all = over(p.n_local);
  const Vec3 site = site_of(pka, box, index, seed);
  DistanceSquared distance{p.x, {}, {}, {}};
  for (int d = 0; d < 3; ++d) {
    distance.site[d] = site[d];
    distance.length[d] = box.length(d);
    distance.periodic[d] = box.periodic[d];
  }
  double least = std::numeric_limits<double>::infinity();
  Kokkos::parallel_reduce("nearest_atom", all, Nearest{distance}, Kokkos::Min<double>(least));
  // Rounding, of the distances here or of the forces before, must not choose between atoms that are equally
  // near: a margin of a millionth.
  const double within = comm.min(least) * (1.0 + 1e-6) + 1e-12;
  std::int64_t id = std::numeric_limits<std::int64_t>::max();
  Kokkos::parallel_reduce("lowest_id", all, LowestId{distance, p.id, within}, Kokkos::Min<std::int64_t>(id));
  id = comm.min(id);
  int local = -1;
  Kokkos::parallel_reduce("index_of", all, IndexOf{p.id, id}, Kokkos::Max<int>(local));

  Recoil recoil;
  recoil.atom = id;
  if (pka.direction) {
    recoil.direction = *pka.direction;
  } else {
    const Triple r = random_direction(seed, static_cast<std::uint64_t>(index), 0, Stream::pka);
    recoil.direction = {r.x, r.y, r.z};
  }
  std::vector<double> told(4, 0.0);
  if (local >= 0 && local < p.n_local) {
    int type = 0;
    Kokkos::deep_copy(type, Kokkos::subview(p.type, local));
    double mass = 0.0;
    Kokkos::deep_copy(mass, Kokkos::subview(p.mass_of_type, type));
    mass *= units::amu_a2_per_ps2_in_ev;
    double along = 0.0, before = 0.0, after = 0.0;
    Vec3 velocity{};
    for (int d = 0; d < 3; ++d) {
      Kokkos::deep_copy(velocity[d], Kokkos::subview(p.v, local, d));
      Kokkos::deep_copy(told[static_cast<std::size_t>(d)], Kokkos::subview(p.x, local, d));
      along += velocity[d] * recoil.direction[d];
      before += 0.5 * mass * velocity[d] * velocity[d];
    }
    // m/2 ((along + u)^2 - along^2) = E
    const double gain = -along + std::sqrt(along * along + 2.0 * pka.energy_ev / mass);
    for (int d = 0; d < 3; ++d) {
      velocity[d] += gain * recoil.direction[d];
      Kokkos::deep_copy(Kokkos::subview(p.v, local, d), velocity[d]);
      after += 0.5 * mass * velocity[d] * velocity[d];
    }
    told[3] = after - before;
  }
  told = comm.sum(told);
  recoil.position = {told[0], told[1], told[2]};
  recoil.energy_gained_ev = told[3];
  return recoil;
}

}  // namespace wafermark::tungsten
