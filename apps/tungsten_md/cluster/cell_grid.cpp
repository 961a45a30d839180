#include "tungsten_md/cluster/cell_grid.hpp"

#include <array>
#include <cmath>
#include <utility>

#include "tungsten_md/cluster/kept_array.hpp"

namespace wafermark::tungsten {
namespace {

struct CountCells {
  CellGrid grid;
  Vector3View x;
  Kokkos::View<int*, MemSpace> cell, count;
  KOKKOS_FUNCTION void operator()(int i) const {
    cell(i) = grid.cell_of(x(i, 0), x(i, 1), x(i, 2));
    Kokkos::atomic_inc(&count(cell(i)));
  }
};

struct ScanCells {
  Kokkos::View<int*, MemSpace> count, first;
  int cells;
  KOKKOS_FUNCTION void operator()(int c, int& sum, bool last) const {
    if (last) {
      first(c) = sum;
      if (c == cells - 1) first(cells) = sum + count(c);
    }
    sum += count(c);
  }
};

struct FillCells {
  Kokkos::View<int*, MemSpace> cell, first, count, order;
  KOKKOS_FUNCTION void operator()(int i) const {
    const int c = cell(i);
    order(first(c + 1) - Kokkos::atomic_fetch_add(&count(c), -1)) = i;
  }
};

struct OrderWithinCell {
  Kokkos::View<int*, MemSpace> first, order;
  IdView id;
  bool by_id;
  KOKKOS_FUNCTION void operator()(int c) const {
    for (int a = first(c) + 1; a < first(c + 1); ++a) {
      const int moving = order(a);
      int b = a;
      for (; b > first(c) && after(order(b - 1), moving); --b) order(b) = order(b - 1);
      order(b) = moving;
    }
  }
  KOKKOS_FUNCTION bool after(int a, int b) const { return by_id ? id(a) > id(b) : a > b; }
};

struct Reorder {
  Particles from, to;
  Kokkos::View<int*, MemSpace> order;
  KOKKOS_FUNCTION void operator()(int i) const {
    const int k = order(i);
    for (int d = 0; d < 3; ++d) {
      to.x(i, d) = from.x(k, d);
      to.v(i, d) = from.v(k, d);
    }
    to.id(i) = from.id(k);
    to.type(i) = from.type(k);
  }
};

struct Occupied {
  Vector3View x;
  int axis;
  KOKKOS_FUNCTION void operator()(int i, double& lowest, double& highest) const {
    if (x(i, axis) < lowest) lowest = x(i, axis);
    if (x(i, axis) > highest) highest = x(i, axis);
  }
};

using Counts = std::array<double, 3>;  // of cells inside the margin, whole numbers

Counts inner_cells(const Vec3& lo, const Vec3& hi, double list_radius) {
  Counts inner;
  for (std::size_t d = 0; d < 3; ++d) inner[d] = std::max(1.0, std::floor((hi[d] - lo[d]) / list_radius));
  return inner;
}

double cells_of(const Counts& inner) { return (inner[0] + 2.0) * (inner[1] + 2.0) * (inner[2] + 2.0); }

/// The same room for both: they change places.
template <class ViewType>
void match(ViewType& spare, const ViewType& used) {
  if (spare.extent(0) >= used.extent(0)) return;
  spare = {};
  spare = ViewType(Kokkos::view_alloc(Kokkos::WithoutInitializing, used.label()), used.extent(0));
}

}  // namespace

CellGrid::CellGrid(const Subdomain& s, double list_radius, const Particles& p) {
  // A list radius holds a dozen atoms of a metal: crystals never come near this.
  const double most = 8.0 * p.n_local + 4096.0;
  Vec3 from = s.lo, to = s.hi;
  Counts inner = inner_cells(from, to, list_radius);
  if (cells_of(inner) > most) {
    for (int d = 0; d < 3; ++d) {
      double lowest = s.hi[d], highest = s.lo[d];
      Kokkos::parallel_reduce("occupied", over(p.n_local), Occupied{p.x, d}, Kokkos::Min<double>(lowest),
                              Kokkos::Max<double>(highest));
      from[d] = p.n_local == 0 ? s.lo[d] : lowest;
      to[d] = p.n_local == 0 ? s.lo[d] : highest;
    }
    inner = inner_cells(from, to, list_radius);
    // Atoms far apart: the cells grow, most of them along the longest axis.
    while (cells_of(inner) > most) {
      double& longest = *std::max_element(inner.begin(), inner.end());
      longest = std::max(1.0, std::floor(longest * std::max(0.5, most / cells_of(inner))));
    }
  }
  for (int d = 0; d < 3; ++d) {
    const double size = std::max((to[d] - from[d]) / inner[d], list_radius);
    lo[d] = from[d] - size;
    inverse_size[d] = 1.0 / size;
    dims[d] = static_cast<int>(inner[d]) + 2;
  }
}

CellOrder CellSorter::bin(const CellGrid& grid, const Particles& p, int n, WithinCell order) {
  const int cells = grid.size();
  make_room(cell_of_atom_, n, "cell_of_atom");
  make_room(result_.order, n + CellOrder::slack, "cell_order");
  make_room(result_.first, cells + 1, "first_of_cell");
  if (count_.extent_int(0) < cells) count_ = Kokkos::View<int*, MemSpace>("atoms_of_cell", cells + cells / 8);
  Kokkos::parallel_for("count_cells", over(n), CountCells{grid, p.x, cell_of_atom_, count_});
  Kokkos::parallel_scan("scan_cells", over(cells), ScanCells{count_, result_.first, cells});
  Kokkos::parallel_for("fill_cells", over(n), FillCells{cell_of_atom_, result_.first, count_, result_.order});
  Kokkos::parallel_for("order_within_cell", over(cells),
                       OrderWithinCell{result_.first, result_.order, p.id, order == WithinCell::by_id});
  return result_;
}

void CellSorter::sort(const CellGrid& grid, Particles& p) {
  const CellOrder cells = bin(grid, p, p.n_local, WithinCell::by_id);
  match(spare_.x, p.x);
  match(spare_.id, p.id);
  match(spare_.type, p.type);
  // Forces are of the order before: their array takes the velocities.
  match(p.f, p.v);
  Particles to = p;
  to.x = spare_.x;
  to.v = p.f;
  to.id = spare_.id;
  to.type = spare_.type;
  Kokkos::parallel_for("permute", over(p.n_local), Reorder{p, to, cells.order});
  std::swap(p.x, spare_.x);
  std::swap(p.v, p.f);
  std::swap(p.id, spare_.id);
  std::swap(p.type, spare_.type);
}

std::size_t CellSorter::bytes() const {
  return sizeof(int) * (result_.first.size() + result_.order.size() + cell_of_atom_.size() + count_.size() +
                        spare_.type.size()) +
         sizeof(double) * spare_.x.size() + sizeof(std::int64_t) * spare_.id.size();
}

}  // namespace wafermark::tungsten
