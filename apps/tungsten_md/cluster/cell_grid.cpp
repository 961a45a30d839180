#include "tungsten_md/cluster/cell_grid.hpp"

#include <array>
#include <cmath>

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

template <class ViewType>
struct Gather {
  ViewType from, to;
  Kokkos::View<int*, MemSpace> order;
  KOKKOS_FUNCTION void operator()(int i) const {
    if constexpr (ViewType::rank() == 2) {
      for (int d = 0; d < 3; ++d) to(i, d) = from(order(i), d);
    } else {
      to(i) = from(order(i));
    }
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

template <class ViewType>
void permute(ViewType& view, const Kokkos::View<int*, MemSpace>& order, int n) {
  ViewType sorted(Kokkos::view_alloc(Kokkos::WithoutInitializing, view.label()), view.extent(0));
  Kokkos::parallel_for("permute", over(n), Gather<ViewType>{view, sorted, order});
  view = sorted;
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

CellOrder bin_atoms(const CellGrid& grid, const Particles& p, int n, bool by_id) {
  using Kokkos::view_alloc;
  using Kokkos::WithoutInitializing;
  const int cells = grid.size();
  Kokkos::View<int*, MemSpace> cell(view_alloc(WithoutInitializing, "cell_of_atom"), n);
  Kokkos::View<int*, MemSpace> count("atoms_of_cell", cells);
  CellOrder result{
      Kokkos::View<int*, MemSpace>(view_alloc(WithoutInitializing, "first_of_cell"), cells + 1),
      Kokkos::View<int*, MemSpace>(view_alloc(WithoutInitializing, "cell_order"), n + CellOrder::slack)};
  Kokkos::parallel_for("count_cells", over(n), CountCells{grid, p.x, cell, count});
  Kokkos::parallel_scan("scan_cells", over(cells), ScanCells{count, result.first, cells});
  Kokkos::parallel_for("fill_cells", over(n), FillCells{cell, result.first, count, result.order});
  Kokkos::parallel_for("order_within_cell", over(cells),
                       OrderWithinCell{result.first, result.order, p.id, by_id});
  return result;
}

void sort_by_cell(const CellGrid& grid, Particles& p) {
  const CellOrder cells = bin_atoms(grid, p, p.n_local, true);
  permute(p.x, cells.order, p.n_local);
  permute(p.v, cells.order, p.n_local);
  permute(p.id, cells.order, p.n_local);
  permute(p.type, cells.order, p.n_local);
}

}  // namespace wafermark::tungsten
