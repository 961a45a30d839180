#include "tungsten_md/cluster/triplet_list.hpp"

#include <fmt/format.h>

#include <stdexcept>

namespace wafermark::tungsten {
namespace {

struct FindMirrors {
  VerletList list;
  Kokkos::View<std::int64_t*, MemSpace> mirror;
  KOKKOS_FUNCTION void operator()(int i, int& missing) const {
    for (int k = 0; k < list.count(i); ++k) {
      const std::int64_t at = list.first(i) + k * list.stride;
      const int j = list.entry(at), n = list.count(j);
      int other = 0;
      while (other < n && list.entry(list.first(j) + other * list.stride) != i) ++other;
      if (other == n) ++missing;
      mirror(at) = list.first(j) + other * list.stride;
    }
  }
};

}  // namespace

void TripletList::build(const Particles& p, const CellGrid& grid, double radius) {
  Particles all = p;
  all.n_local = p.n_local + p.n_ghost;
  all.n_ghost = 0;
  rows_.kind = ListKind::full;
  rows_.radius = radius;
  rows_.build(grid, all, work_);
  if (mirror_.extent(0) < rows_.entry.extent(0)) {
    mirror_ = {};
    mirror_ = Kokkos::View<std::int64_t*, MemSpace>(
        Kokkos::view_alloc(Kokkos::WithoutInitializing, "mirrors"), rows_.entry.extent(0));
  }
  int missing = 0;
  Kokkos::parallel_reduce("find_mirrors", over(p.n_local), FindMirrors{rows_, mirror_}, missing);
  if (missing > 0)
    throw std::logic_error(fmt::format("{} pairs stand in one row of the list of triplets alone", missing));
}

std::size_t TripletList::bytes() const {
  return sizeof(int) * (rows_.entry.size() + rows_.count.size()) +
         sizeof(std::int64_t) * (rows_.first.size() + mirror_.size()) +
         sizeof(double) * rows_.x_at_build.size() + work_.bytes();
}

}  // namespace wafermark::tungsten
