#include "tungsten_md/cluster/verlet_list.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "common/errors.hpp"
#include "common/runtime.hpp"
#include "tungsten_md/cluster/kept_array.hpp"

namespace wafermark::tungsten {
namespace {

using FloatView = Kokkos::View<float*, MemSpace>;
using Lane = native_lanes<float, ExecSpace>;

/// Distances are tested in fp32 relative to the subdomain's centre; this much is added to the radius so that
/// rounding cannot lose a pair: of two coordinates, and more where they lie farther than 8,000 Angstrom from
/// the centre. The force kernels apply the exact cut-off.
float rounding_margin(double half_extent) {
  constexpr double farthest = 1e7;  // 1 mm: a margin of 2.5 Angstrom, lists stay short
  if (half_extent > farthest)
    throw InputError(
        fmt::format("box: found atoms of one rank {:.3g} Angstrom apart, expected at most {:.3g}",
                    2.0 * half_extent, 2.0 * farthest));
  return static_cast<float>(std::max(2e-3, 2.5e-7 * half_extent));
}

/// Positions in cell order, so that the inner loop reads consecutive memory; and those of the rows' atoms as
/// they are.
struct GatherPositions {
  Vector3View x, x_at_build;
  int rows;
  Kokkos::View<int*, MemSpace> order;
  FloatView sx, sy, sz;
  double centre[3];
  KOKKOS_FUNCTION void operator()(int k) const {
    const int i = order(k);
    sx(k) = static_cast<float>(x(i, 0) - centre[0]);
    sy(k) = static_cast<float>(x(i, 1) - centre[1]);
    sz(k) = static_cast<float>(x(i, 2) - centre[2]);
    if (i >= rows) return;
    for (int d = 0; d < 3; ++d) x_at_build(i, d) = x(i, d);
  }
};

struct FindNeighbours {
  CellGrid grid;
  CellOrder cells;
  FloatView sx, sy, sz;
  Vector3View x;
  double centre[3];
  float radius_squared;
  bool half;
  int dummy, pack;
  Kokkos::View<int*, MemSpace> entry, count, owner;
  Kokkos::View<std::int64_t*, MemSpace> first;
  Kokkos::View<std::int64_t, MemSpace>
      end;                        ///< half: where the next row begins; one thread walks the rows in order
  std::int64_t stride, row_step;  ///< full: row i begins at i * row_step
  std::int64_t capacity;          ///< full: of a row; half: of all entries

  KOKKOS_FUNCTION void operator()(int i, int& longest) const {
    const float at[3] = {static_cast<float>(x(i, 0) - centre[0]), static_cast<float>(x(i, 1) - centre[1]),
                         static_cast<float>(x(i, 2) - centre[2])};
    const int cx = grid.slice(0, x(i, 0)), cy = grid.slice(1, x(i, 1)), cz = grid.slice(2, x(i, 2));
    const int z0 = cz > 0 ? cz - 1 : 0, z1 = cz + 1 < grid.dims[2] ? cz + 1 : cz;
    const std::int64_t begin = half ? end() : i * row_step;
    const std::int64_t room = half ? capacity - begin : capacity;
    int found = 0;
    for (int ix = cx > 0 ? cx - 1 : 0; ix <= cx + 1 && ix < grid.dims[0]; ++ix)
      for (int iy = cy > 0 ? cy - 1 : 0; iy <= cy + 1 && iy < grid.dims[1]; ++iy) {
        const int row = (ix * grid.dims[1] + iy) * grid.dims[2], end_cell = row + z1 + 1;
        int cell = row + z0;
        if (half)
          while (cell < end_cell && last_index(cell) <= i) ++cell;
        found = scan_row(i, at, cells.first(cell), cells.first(end_cell), found, begin, room);
      }
    count(i) = found;
    first(i) = begin;
    const int padded = (half && found == 0 ? 1 : (found + pack - 1) / pack) * pack;
    for (int k = found; k < padded && k < room; ++k) entry(begin + k * stride) = dummy;
    if (half) {
      end() = begin + padded;
      for (std::int64_t k = begin; k < begin + padded && k < capacity; k += pack) owner(k / pack) = i;
    }
    if (padded > longest) longest = padded;
  }

  /// Of a cell's atoms, which stand in the order of their indices.
  KOKKOS_FORCEINLINE_FUNCTION int last_index(int cell) const {
    const int beyond = cells.first(cell + 1);
    return beyond > cells.first(cell) ? cells.order(beyond - 1) : -1;
  }

  KOKKOS_FORCEINLINE_FUNCTION int scan_row(int i, const float* at, int k_begin, int k_end, int found,
                                           std::int64_t from, std::int64_t room) const {
    constexpr int width = Lanes<Lane>::width;
    const Lane xi(at[0]), yi(at[1]), zi(at[2]), r2(radius_squared);
    for (int k = k_begin; k < k_end; k += width) {
      const Lane dx = load_values<Lane>(sx.data() + k) - xi;
      const Lane dy = load_values<Lane>(sy.data() + k) - yi;
      const Lane dz = load_values<Lane>(sz.data() + k) - zi;
      const int* const j = cells.order.data() + k;
      unsigned hits = mask_bits(dx * dx + dy * dy + dz * dz < r2);
      hits &= half ? above<Lane>(j, i) : differs<Lane>(j, i);
      if (k_end - k < width) hits &= (1u << (k_end - k)) - 1u;
      if (found + width <= room)
        found += store_chosen<Lane>(entry.data() + from + found * stride, j, hits);
      else
        found = store_one_by_one(j, hits, found, from, room);
    }
    return found;
  }

  /// Near the end of the room, where store_chosen would write beyond; counts what has none.
  KOKKOS_FUNCTION int store_one_by_one(const int* j, unsigned hits, int found, std::int64_t from,
                                       std::int64_t room) const {
    for (; hits != 0u; hits &= hits - 1u) {
      if (found < room) entry(from + found * stride) = j[Kokkos::Experimental::countr_zero_builtin(hits)];
      ++found;
    }
    return found;
  }
};

struct Displacement {
  Vector3View x, from;
  KOKKOS_FUNCTION void operator()(int i, double& largest) const {
    double d2 = 0.0;
    for (int d = 0; d < 3; ++d) {
      const double dx = x(i, d) - from(i, d);
      d2 += dx * dx;
    }
    if (!(d2 < 1e300)) d2 = Kokkos::Experimental::infinity_v<double>;  // NaN must not pass as small
    if (d2 > largest) largest = d2;
  }
};

}  // namespace

void VerletList::reserve_rows(int n) {
  if (count.extent_int(0) >= n) return;
  const int more = n + n / 16 + 16;
  using Kokkos::view_alloc;
  using Kokkos::WithoutInitializing;
  count = Kokkos::View<int*, MemSpace>(view_alloc(WithoutInitializing, "neighbour_count"), more);
  first = Kokkos::View<std::int64_t*, MemSpace>(view_alloc(WithoutInitializing, "first_neighbour"), more);
  x_at_build = Vector3View(view_alloc(WithoutInitializing, "x_at_build"), more);
  entry = {};
}

void VerletList::build(const CellGrid& grid, const Particles& p, ListWorkspace& work) {
  const int n = p.n_local + p.n_ghost;
  const CellOrder cells = work.sorter.bin(grid, p, n, WithinCell::by_index);
  reserve_rows(p.n_local);
  rows = p.n_local;
  for (FloatView* view : {&work.x, &work.y, &work.z})
    make_room(*view, n + Lanes<Lane>::width, "cell_positions");
  GatherPositions gather{p.x, x_at_build, rows, cells.order, work.x, work.y, work.z, {}};
  for (int d = 0; d < 3; ++d) gather.centre[d] = grid.lo[d] + 0.5 * grid.dims[d] / grid.inverse_size[d];
  Kokkos::parallel_for("gather_positions", over(n), gather);

  const bool half = kind == ListKind::half;
  const std::int64_t room = count.extent_int(0);
  const bool row_by_row = half || lanes > 1 || Lanes<Lane>::width > 1 || host_reads_device;
  stride = row_by_row ? 1 : room;
  std::int64_t capacity = static_cast<std::int64_t>(entry.extent(0)) / (half || room == 0 ? 1 : room);
  if (capacity == 0) capacity = half ? 32 * room : 64;
  const float r = static_cast<float>(radius) + rounding_margin(grid.half_extent());
  for (;;) {
    const auto size = static_cast<std::size_t>(half ? capacity : capacity * room);
    if (entry.extent(0) != size) {
      entry = {};
      entry =
          Kokkos::View<int*, MemSpace>(Kokkos::view_alloc(Kokkos::WithoutInitializing, "neighbours"), size);
      if (half)
        owner = Kokkos::View<int*, MemSpace>(Kokkos::view_alloc(Kokkos::WithoutInitializing, "owner_of_pack"),
                                             size / pack + 1);
    }
    if (half) Kokkos::deep_copy(ExecSpace(), work.end, std::int64_t{0});
    FindNeighbours find{grid,    cells, gather.sx, gather.sy, gather.sz, p.x,
                        {},      r * r, half,      n,         pack,      entry,
                        count,   owner, first,     work.end,  stride,    row_by_row ? capacity : 1,
                        capacity};
    for (int d = 0; d < 3; ++d) find.centre[d] = gather.centre[d];
    int longest = 0;
    Kokkos::parallel_reduce("find_neighbours", over(p.n_local), find, Kokkos::Max<int>(longest));
    std::int64_t used = longest;
    if (half) Kokkos::deep_copy(used, work.end);
    packs = half ? used / pack : 0;
    if (used <= capacity) break;
    capacity = half ? used + used / 16 : used;
  }
  if (runtime::charges_kernels()) runtime::announce_candidates(entries());
}

std::int64_t VerletList::entries() const {
  std::int64_t total = 0;
  const auto counts = count;
  Kokkos::parallel_reduce(
      "entries", over(rows), KOKKOS_LAMBDA(int i, std::int64_t& sum) { sum += counts(i); }, total);
  return total;
}

double max_displacement_squared(const VerletList& list, const Particles& p) {
  double largest = 0.0;
  Kokkos::parallel_reduce("displacement", over(p.n_local), Displacement{p.x, list.x_at_build},
                          Kokkos::Max<double>(largest));
  return largest;
}

}  // namespace wafermark::tungsten
