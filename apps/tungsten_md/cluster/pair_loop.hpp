// What every loop over pairs of atoms shares, whatever the potential: sites, rows of the Verlet list taken a
// pack of neighbours at a time (on GPUs a pack is one neighbour), and the loop that sums forces, energy and
// virial.
//
// Loops are flattened: all that they call becomes a part of them. Else compilers look at the size of the file
// that a loop stands in, and a call for each pack costs a CPU a third of its speed.
#pragma once

#include "common/runtime.hpp"
#include "tungsten_md/cluster/pair_sums.hpp"
#include "tungsten_md/cluster/precision.hpp"
#include "tungsten_md/cluster/row_lanes.hpp"
#include "tungsten_md/cluster/verlet_list.hpp"
#include "tungsten_md/kernels/separation.hpp"

namespace wafermark::tungsten {

/// What the pair kernels read of an atom, one aligned quad each: coordinates relative to `centre` (see
/// precision.hpp) and F'(rho), where the potential has a density. The last site is a dummy far from all
/// others: padding of the list's rows.
template <class Real>
struct Sites {
  Kokkos::View<Real*, MemSpace> quads;  ///< [n_local + n_ghost + 1][x, y, z, F']
  double centre[3]{};
  double inverse_unit = 1.0;  ///< site units per Angstrom
  Real unit = 1;              ///< Angstrom per site unit
};

/// A pack of pairs: pair energy, and minus dE/dr divided by r, which times (x_i - x_j) is the force on i.
template <class T>
struct PairForce {
  T phi, over_r;
};

/// Atoms and list. A potential derives from it what its own loops need beside them.
template <class Precision, ListKind list_kind>
struct PairLoop {
  using Real = typename Precision::Real;
  using T = native_lanes<Real, ExecSpace>;
  using Int = typename Lanes<T>::Int;
  static constexpr int width = Lanes<T>::width;
  static constexpr ListKind kind = list_kind;

  Sites<Real> sites;
  VerletList list;
  int n_local;

  /// Constants and one atom in registers: the loops write through pointers, so that the compiler would have
  /// to load members anew for every pack.
  struct Row {
    T x, y, z, slope;
    const int* entry;
    std::int64_t stride;
    const Real* quads;
    T unit_squared;
  };
  /// No atom yet; entries from the list's first.
  KOKKOS_FORCEINLINE_FUNCTION Row constants() const {
    return {{}, {}, {}, {}, list.entry.data(), list.stride, sites.quads.data(), T(sites.unit * sites.unit)};
  }
  KOKKOS_FORCEINLINE_FUNCTION static void stand_at(Row& row, int i) {
    const Real* s = row.quads + 4 * static_cast<std::ptrdiff_t>(i);
    row.x = T(s[0]);
    row.y = T(s[1]);
    row.z = T(s[2]);
    row.slope = T(s[3]);
  }
  /// Half lists: calls body(i, k) for each pack of a chunk, the neighbours k, k + 1, ... of the whole list,
  /// at atom i. One loop over all rows: rows are so short that leaving a loop for each costs more than what
  /// is done in it.
  template <class Body>
  KOKKOS_FORCEINLINE_FUNCTION void each_pack(int chunk, const Body& body) const {
    const int* const owner = list.owner.data();
    const std::int64_t end = list.first_pack(chunk + 1);
    for (std::int64_t pack = list.first_pack(chunk); pack < end; ++pack) body(owner[pack], pack);
  }

  struct Pack {
    const int* j;  ///< neighbour indices
    T dx, dy, dz;  ///< x_i - x_j, site units
    T slope_j;     ///< F'(rho_j)
  };
  KOKKOS_FORCEINLINE_FUNCTION static Pack pack(const Row& row, std::int64_t k) {
    Pack q;
    q.j = row.entry + k * row.stride;
    const Quad<T> s = load_quads<T>(row.quads, q.j);
    q.dx = Precision::difference(row.x, s.a);
    q.dy = Precision::difference(row.y, s.b);
    q.dz = Precision::difference(row.z, s.c);
    q.slope_j = s.d;
    return q;
  }
  /// Angstrom^2
  KOKKOS_FORCEINLINE_FUNCTION static T squared_distance(const Row& row, const Pack& q) {
    return squared_length(q.dx, q.dy, q.dz) * row.unit_squared;
  }
  /// A pair that stands in the lists of two atoms, or of two ranks, counts half each time.
  KOKKOS_FORCEINLINE_FUNCTION T weight(const int* j) const {
    if constexpr (kind == ListKind::half)
      return select(lane_less<T>(load_indices<T>(j), n_local), T(Real(1)), T(Real(0.5)));
    return T(Real(0.5));
  }
};

/// Lanes' sums of pair energy and virial.
template <class T>
struct LaneSums {
  using Real = typename Lanes<T>::Value;
  T phi{Real(0)}, xx{Real(0)}, yy{Real(0)}, zz{Real(0)}, xy{Real(0)}, xz{Real(0)}, yz{Real(0)};

  /// A pack at (dx, dy, dz), its force there.
  KOKKOS_FORCEINLINE_FUNCTION void add(T pair_energy, T dx, T dy, T dz, T px, T py, T pz, T weight) {
    const T wx = px * weight, wy = py * weight, wz = pz * weight;
    phi = phi + pair_energy * weight;
    xx = xx + dx * wx;
    yy = yy + dy * wy;
    zz = zz + dz * wz;
    xy = xy + dx * wy;
    xz = xz + dx * wz;
    yz = yz + dy * wz;
  }
  KOKKOS_FORCEINLINE_FUNCTION PairSums total(double angstrom) const {
    const auto sum = [](T lanes) { return static_cast<double>(sum_of_lanes(lanes)); };
    return {sum(phi),           angstrom * sum(xx), angstrom * sum(yy), angstrom * sum(zz),
            angstrom * sum(xy), angstrom * sum(xz), angstrom * sum(yz)};
  }
};

/// What some of an atom's neighbours do to it.
template <class Real>
struct RowForce {
  Real x = 0, y = 0, z = 0;  ///< eV/Angstrom
  KOKKOS_FUNCTION RowForce& operator+=(const RowForce& o) {
    x += o.x;
    y += o.y;
    z += o.z;
    return *this;
  }
};
template <class Real>
struct RowForceAndSums : RowForce<Real> {
  PairSums pairs;
  KOKKOS_FUNCTION RowForceAndSums& operator+=(const RowForceAndSums& o) {
    RowForce<Real>::operator+=(o);
    pairs += o.pairs;
    return *this;
  }
};

/// Forces by a full list, atom by atom. The reduction sums the virial and the pairs' energies. `Pairs` is a
/// PairLoop with pair(row, pack of pairs, its number) -> PairForce.
template <class Pairs>
struct ForcePass : Pairs {
  using typename Pairs::Real;
  using typename Pairs::T;
  Vector3View f;

  [[gnu::flatten]] KOKKOS_FUNCTION void operator()(int i) const { of_atom(i, OneLane()); }
  [[gnu::flatten]] KOKKOS_FUNCTION void operator()(int i, PairSums& sums) const {
    of_atom(i, OneLane(), sums);
  }

  template <class RowLanes>
  KOKKOS_FORCEINLINE_FUNCTION void of_atom(int i, const RowLanes& lanes) const {
    const auto row = lanes.sum([&](int lane, int n) { return share_of_row<RowForce<Real>>(i, lane, n); });
    lanes.once([&] { set(i, row); });
  }
  template <class RowLanes>
  KOKKOS_FORCEINLINE_FUNCTION void of_atom(int i, const RowLanes& lanes, PairSums& sums) const {
    const auto row =
        lanes.sum([&](int lane, int n) { return share_of_row<RowForceAndSums<Real>>(i, lane, n); });
    lanes.once([&] {
      set(i, row);
      sums += row.pairs;
    });
  }

 private:
  KOKKOS_FORCEINLINE_FUNCTION void set(int i, const RowForce<Real>& row) const {
    f(i, 0) = static_cast<double>(row.x);
    f(i, 1) = static_cast<double>(row.y);
    f(i, 2) = static_cast<double>(row.z);
  }

  /// Of every lanes-th pack.
  template <class Sum>
  KOKKOS_FORCEINLINE_FUNCTION Sum share_of_row(int i, int lane, int lanes) const {
    constexpr bool tally = std::is_same_v<Sum, RowForceAndSums<Real>>;
    auto row = this->constants();
    Pairs::stand_at(row, i);
    row.entry += this->list.first(i);
    const int n = this->list.count(i);
    const T zero(0), unit(this->sites.unit);
    T fx = zero, fy = zero, fz = zero;
    LaneSums<T> sums;
    for (int k = lane * Pairs::width; k < n; k += lanes * Pairs::width) {
      const auto q = Pairs::pack(row, k);
      const PairForce<T> pair = Pairs::pair(row, q, k);
      const T scaled = pair.over_r * unit;
      const T px = q.dx * scaled, py = q.dy * scaled, pz = q.dz * scaled;
      fx = fx + px;
      fy = fy + py;
      fz = fz + pz;
      if constexpr (tally) sums.add(pair.phi, q.dx, q.dy, q.dz, px, py, pz, this->weight(q.j));
    }
    Sum share;
    share.x = sum_of_lanes(fx);
    share.y = sum_of_lanes(fy);
    share.z = sum_of_lanes(fz);
    if constexpr (tally) share.pairs = sums.total(static_cast<double>(this->sites.unit));
    return share;
  }
};

/// The same by a half list, chunk by chunk: adds to the force quads of both atoms of a pair. `Chunks` says by
/// takes(k) which chunk, if any (-1), the k-th call works on.
template <class Pairs, class Chunks>
struct HalfForcePass : Pairs {
  using typename Pairs::Real;
  using typename Pairs::T;
  Kokkos::View<Real*, MemSpace> force;  ///< [n_local + n_ghost + 1][4]
  Chunks chunks;

  [[gnu::flatten]] KOKKOS_FUNCTION void operator()(int k) const {
    if (const int chunk = chunks.takes(k); chunk >= 0) sum_chunk<false>(chunk, nullptr);
  }
  [[gnu::flatten]] KOKKOS_FUNCTION void operator()(int k, PairSums& sums) const {
    if (const int chunk = chunks.takes(k); chunk >= 0) sum_chunk<true>(chunk, &sums);
  }

  template <bool tally>
  KOKKOS_FORCEINLINE_FUNCTION void sum_chunk(int chunk, PairSums* sums) const {
    auto row = this->constants();
    Real* const to = force.data();
    const T unit(this->sites.unit);
    LaneSums<T> lanes;
    this->each_pack(chunk, [&](int i, std::int64_t pack) {
      Pairs::stand_at(row, i);
      const auto q = Pairs::pack(row, pack * Pairs::width);
      const PairForce<T> pair = Pairs::pair(row, q, pack);
      const T scaled = pair.over_r * unit;
      const T px = q.dx * scaled, py = q.dy * scaled, pz = q.dz * scaled;
      exchange_quads(to, i, q.j, px, py, pz);
      if constexpr (tally) lanes.add(pair.phi, q.dx, q.dy, q.dz, px, py, pz, this->weight(q.j));
    });
    if constexpr (tally) *sums += lanes.total(static_cast<double>(this->sites.unit));
  }
};

struct AllChunks {
  KOKKOS_FORCEINLINE_FUNCTION static int takes(int k) { return k; }
};
struct ChunksWithoutGhosts {
  Kokkos::View<int*, MemSpace> has_ghosts;
  KOKKOS_FORCEINLINE_FUNCTION int takes(int k) const { return has_ghosts(k) != 0 ? -1 : k; }
};
struct ListedChunks {
  Kokkos::View<int*, MemSpace> listed;
  KOKKOS_FORCEINLINE_FUNCTION int takes(int k) const { return listed(k); }
};

template <class Real>
struct CollectForces {
  Kokkos::View<Real*, MemSpace> force;
  Vector3View f;
  KOKKOS_FUNCTION void operator()(int i) const {
    for (int d = 0; d < 3; ++d) f(i, d) = static_cast<double>(force(4 * i + d));
  }
};

/// Runs a pass; where `sums` is given it grows by the pairs' energies and virial.
template <class Policy, class Pass>
void run_pass(const char* label, const Policy& policy, const Pass& pass, PairSums* sums) {
  if (sums == nullptr) {
    Kokkos::parallel_for(label, policy, pass);
    return;
  }
  PairSums found;
  Kokkos::parallel_reduce(label, policy, pass, Kokkos::Sum<PairSums>(found));
  *sums += found;
}

/// Chunks begin ... end - 1 of a half list. To a simulated clock (runtime.hpp) a loop's items are atoms,
/// these.
inline Kokkos::RangePolicy<ExecSpace> over_chunks(int begin, int end, int atoms) {
  const auto range = over(begin, end);
  runtime::announce_items(atoms);
  return range;
}

template <class Real>
void collect_forces(const Kokkos::View<Real*, MemSpace>& force, Particles& p) {
  Kokkos::parallel_for("collect_forces", over(p.n_local), CollectForces<Real>{force, p.f});
}

/// Forces that hang on nothing but the pairs: sets p.f. `force` is zero where the list is half.
template <class Pairs>
void sum_forces(const char* label, const Pairs& pairs,
                const Kokkos::View<typename Pairs::Real*, MemSpace>& force, Particles& p, PairSums* sums) {
  if constexpr (Pairs::kind == ListKind::half) {
    run_pass(label, over_chunks(0, pairs.list.chunks(), p.n_local),
             HalfForcePass<Pairs, AllChunks>{pairs, force, {}}, sums);
    collect_forces(force, p);
  } else {
    over_rows(p.n_local, pairs.list.lanes, ForcePass<Pairs>{pairs, p.f},
              [&](const auto& policy, const auto& pass) { run_pass(label, policy, pass, sums); });
  }
}

}  // namespace wafermark::tungsten
