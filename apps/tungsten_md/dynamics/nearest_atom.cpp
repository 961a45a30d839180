#include "tungsten_md/dynamics/nearest_atom.hpp"

#include <cmath>
#include <limits>

namespace wafermark::tungsten {
namespace {

struct DistanceSquared {
  Vector3View x;
  TypeView type;
  int wanted;  ///< atoms of other types are infinitely far; any_type: none are
  double site[3], length[3];
  bool periodic[3];
  KOKKOS_FUNCTION double operator()(int i) const {
    if (wanted >= 0 && type(i) != wanted) return Kokkos::Experimental::infinity_v<double>;
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

FoundAtom nearest_atom(const Communicator& comm, const Particles& p, const Box& box, const Vec3& place,
                       int type) {
  const auto all = over(p.n_local);
  DistanceSquared distance{p.x, p.type, type, {}, {}, {}};
  for (int d = 0; d < 3; ++d) {
    distance.site[d] = place[d];
    distance.length[d] = box.length(d);
    distance.periodic[d] = box.periodic[d];
  }
  double least = std::numeric_limits<double>::infinity();
  Kokkos::parallel_reduce("nearest_atom", all, Nearest{distance}, Kokkos::Min<double>(least));
  least = comm.min(least);
  if (std::isinf(least)) return {};
  // Rounding, of the distances here or of the forces before, must not choose between atoms that are equally
  // near: a margin of a millionth.
  const double within = least * (1.0 + 1e-6) + 1e-12;
  std::int64_t id = std::numeric_limits<std::int64_t>::max();
  Kokkos::parallel_reduce("lowest_id", all, LowestId{distance, p.id, within}, Kokkos::Min<std::int64_t>(id));
  id = comm.min(id);
  return {id, local_index(p, id), least};
}

int local_index(const Particles& p, std::int64_t id) {
  int local = -1;
  Kokkos::parallel_reduce("index_of", over(p.n_local), IndexOf{p.id, id}, Kokkos::Max<int>(local));
  return local >= 0 && local < p.n_local ? local : -1;
}

}  // namespace wafermark::tungsten
