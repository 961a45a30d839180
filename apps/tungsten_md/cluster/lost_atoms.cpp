#include "tungsten_md/cluster/lost_atoms.hpp"

#include <limits>

namespace wafermark::tungsten {
namespace {

/// How far an atom lies beyond the open faces: 0: within the list's radius of the box; 1: farther; 2: farther
/// than the box is long.
struct Outside {
  Vector3View x;
  double lo[3], hi[3], length[3], radius;
  KOKKOS_FUNCTION int operator()(int i) const {
    int zone = 0;
    for (int d = 0; d < 3; ++d) {
      const double beyond = Kokkos::max(lo[d] - x(i, d), x(i, d) - hi[d]);
      if (beyond > radius) zone = Kokkos::max(zone, beyond > length[d] ? 2 : 1);
    }
    return zone;
  }
  KOKKOS_FUNCTION void operator()(int i, int& outside) const {
    if ((*this)(i) > 0) ++outside;
  }
};

/// Neighbours of each local atom, from lists that hold a pair once.
struct CountBothSides {
  VerletList list;
  int n_local;
  Kokkos::View<int*, MemSpace> neighbours;
  KOKKOS_FUNCTION void operator()(int i) const {
    Kokkos::atomic_add(&neighbours(i), list.count(i));
    for (int k = 0; k < list.count(i); ++k) {
      const int j = list.entry(list.first(i) + k * list.stride);
      if (j < n_local) Kokkos::atomic_inc(&neighbours(j));
    }
  }
};

struct CollectLost {
  Outside outside;
  Kokkos::View<int*, MemSpace> neighbours, index;
  KOKKOS_FUNCTION void operator()(int i, int& sum, bool last) const {
    const int zone = outside(i);
    if (zone == 0 || (zone == 1 && neighbours(i) >= neighbours_that_hold)) return;
    if (last) index(sum) = i;
    ++sum;
  }
};

Kokkos::View<int*, MemSpace> neighbours_of(const Particles& p, const VerletList& list) {
  if (list.kind == ListKind::full) return list.count;
  Kokkos::View<int*, MemSpace> neighbours("neighbours", static_cast<std::size_t>(p.n_local));
  Kokkos::parallel_for("count_both_sides", over(p.n_local), CountBothSides{list, p.n_local, neighbours});
  return neighbours;
}

}  // namespace

std::vector<int> find_lost(const Particles& p, const VerletList& list, const Box& box) {
  constexpr double endless = std::numeric_limits<double>::infinity();
  Outside outside{p.x, {}, {}, {}, list.radius};
  for (int d = 0; d < 3; ++d) {
    outside.lo[d] = box.periodic[d] ? -endless : box.lo[d];
    outside.hi[d] = box.periodic[d] ? endless : box.hi[d];
    outside.length[d] = Kokkos::max(box.length(d), list.radius);
  }
  int candidates = 0;
  Kokkos::parallel_reduce("outside", over(p.n_local), outside, candidates);
  if (candidates == 0) return {};
  Kokkos::View<int*, MemSpace> index("lost", static_cast<std::size_t>(candidates));
  int n = 0;
  Kokkos::parallel_scan("collect_lost", over(p.n_local), CollectLost{outside, neighbours_of(p, list), index},
                        n);
  const auto host = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), index);
  return {host.data(), host.data() + n};
}

}  // namespace wafermark::tungsten
