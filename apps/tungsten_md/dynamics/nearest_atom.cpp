#include "tungsten_md/dynamics/nearest_atom.hpp"

#include <limits>

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

}  // namespace

FoundAtom nearest_atom(const Communicator& comm, const Particles& p, const Box& box, const Vec3& place) {
  const auto all = over(p.n_local);
  DistanceSquared distance{p.x, {}, {}, {}};
  for (int d = 0; d < 3; ++d) {
    distance.site[d] = place[d];
    distance.length[d] = box.length(d);
    distance.periodic[d] = box.periodic[d];
  }
  double least = std::numeric_limits<double>::infinity();
  Kokkos::parallel_reduce("nearest_atom", all, Nearest{distance}, Kokkos::Min<double>(least));
  least = comm.min(least);
  // Rounding, of the distances here or of the forces before, must not choose between atoms that are equally
  // near: a margin of a millionth.
  const double within = least * (1.0 + 1e-6) + 1e-12;
  std::int64_t id = std::numeric_limits<std::int64_t>::max();
  Kokkos::parallel_reduce("lowest_id", all, LowestId{distance, p.id, within}, Kokkos::Min<std::int64_t>(id));
  id = comm.min(id);
  int local = -1;
  Kokkos::parallel_reduce("index_of", all, IndexOf{p.id, id}, Kokkos::Max<int>(local));
  return {id, local >= 0 && local < p.n_local ? local : -1, least};
}

}  // namespace wafermark::tungsten
