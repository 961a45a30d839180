#include "tungsten_md/cluster/lost_atoms.hpp"

#include "tungsten_md/dynamics/lost_atoms.hpp"

namespace wafermark::tungsten {
namespace {

struct Outside {
  Vector3View x;
  OpenFaces faces;
  KOKKOS_FUNCTION int operator()(int i) const { return faces.zone(x(i, 0), x(i, 1), x(i, 2)); }
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
    if (!is_lost(outside(i), neighbours(i))) return;
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
  const Outside outside{p.x, open_faces(box, list.radius)};
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
