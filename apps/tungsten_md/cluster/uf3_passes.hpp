// The loops of a UF3 force: what the force loop (pair_loop.hpp) takes of a pair, the triplets around an atom,
// and what each atom has of all of them. The arithmetic is kernels/uf3.hpp.
#pragma once

#include "tungsten_md/cluster/pair_loop.hpp"
#include "tungsten_md/kernels/uf3.hpp"
#include "tungsten_md/model/uf3_layout.hpp"

namespace wafermark::tungsten {

/// A layout's copy on the device.
template <class Real>
struct Uf3OnDevice {
  Kokkos::View<Uf3PairTable<Real>*, MemSpace> pairs;
  Kokkos::View<Uf3TripletTable<Real>*, MemSpace> triplets;
  Kokkos::View<Real*, MemSpace> numbers;
  Kokkos::View<int*, MemSpace> guides;
  int elements;

  explicit Uf3OnDevice(const Uf3Layout<Real>& layout)
      : pairs(copied(layout.pairs, "uf3_pairs")),
        triplets(copied(layout.triplets, "uf3_triplets")),
        numbers(copied(layout.numbers, "uf3_numbers")),
        guides(copied(layout.guides, "uf3_guides")),
        elements(layout.elements) {}

  KOKKOS_FORCEINLINE_FUNCTION Uf3Tables<Real> tables() const {
    return {pairs.data(), triplets.data(), numbers.data(), guides.data(), elements};
  }
  std::size_t bytes() const {
    return sizeof(Uf3PairTable<Real>) * pairs.size() + sizeof(Uf3TripletTable<Real>) * triplets.size() +
           sizeof(Real) * numbers.size() + sizeof(int) * guides.size();
  }

 private:
  template <class Value>
  static Kokkos::View<Value*, MemSpace> copied(const std::vector<Value>& from, const std::string& name) {
    const Kokkos::View<Value*, MemSpace> to(Kokkos::view_alloc(Kokkos::WithoutInitializing, name),
                                            from.size());
    const Kokkos::View<const Value*, Kokkos::HostSpace, Kokkos::MemoryUnmanaged> host(from.data(),
                                                                                      from.size());
    Kokkos::deep_copy(to, host);
    return to;
  }
};

/// The pairs. Distances are taken a pack at a time, splines one by one: triplets cost ten times as much.
template <class Precision, ListKind list_kind>
struct Uf3Pairs : PairLoop<Precision, list_kind> {
  using Base = PairLoop<Precision, list_kind>;
  using typename Base::Pack;
  using typename Base::Real;
  using typename Base::T;

  TypeView type;
  Uf3OnDevice<Real> potential;

  struct Row : Base::Row {
    Uf3Tables<Real> tables;
    const int* types;
    const Uf3PairTable<Real>* of_type;
  };
  KOKKOS_FORCEINLINE_FUNCTION Row constants() const {
    return {Base::constants(), potential.tables(), type.data(), nullptr};
  }
  KOKKOS_FORCEINLINE_FUNCTION static void stand_at(Row& row, int i) {
    Base::stand_at(row, i);
    row.of_type = row.tables.pairs + static_cast<std::ptrdiff_t>(row.types[i]) * row.tables.elements;
  }
  KOKKOS_FORCEINLINE_FUNCTION static PairForce<T> pair(const Row& row, const Pack& q, std::int64_t) {
    alignas(T) Real r2[Base::width], r[Base::width], phi[Base::width], over_r[Base::width];
    const T squared = Base::squared_distance(row, q);
    store_values(r2, squared);
    store_values(r, quick_roots(squared).root);
    for (int lane = 0; lane < Base::width; ++lane) {
      const Uf3PairTable<Real>& table = row.of_type[row.types[q.j[lane]]];
      Uf3Pair<Real> of{0, 0};
      if (r2[lane] < table.cutoff_squared) of = uf3_pair(row.tables, table, r[lane]);
      phi[lane] = of.phi;
      over_r[lane] = of.force_over_r;
    }
    return {load_values<T>(phi), load_values<T>(over_r)};
  }
};

/// From one atom to another.
template <class Real>
struct Bond {
  Real x, y, z, r;
};

/// All triplets around an atom or a ghost. Leaves what they pull at each neighbour at its entry of the row;
/// the centre's own force is minus their sum. The reduction sums energy and virial, of local centres.
template <class Precision>
struct TripletPass {
  using Real = typename Precision::Real;
  Sites<Real> sites;
  VerletList list;  ///< rows of atoms and ghosts
  TypeView type;
  Uf3OnDevice<Real> potential;
  int n_local;
  Kokkos::View<Real*, MemSpace> pull;  ///< [entry][3]

  KOKKOS_FUNCTION void operator()(int i) const { sum_row<false>(i, nullptr); }
  KOKKOS_FUNCTION void operator()(int i, PairSums& sums) const { sum_row<true>(i, &sums); }

  template <bool tally>
  KOKKOS_FORCEINLINE_FUNCTION void sum_row(int i, PairSums* sums) const {
    const int n = list.count(i);
    Real* const first = pull.data() + 3 * list.first(i);
    const std::int64_t stride = 3 * list.stride;
    bool of_interest = i < n_local;
    for (int k = 0; k < n; ++k) {
      for (int d = 0; d < 3; ++d) first[k * stride + d] = Real(0);
      of_interest = of_interest || neighbour(i, k) < n_local;
    }
    if (!of_interest) return;
    double energy = 0;
    for (int j = 0; j + 1 < n; ++j) energy += sum_bond(i, j, n, first, stride);
    if constexpr (tally) {
      if (i >= n_local) return;
      sums->phi += energy;
      for (int k = 0; k < n; ++k) {
        const Bond<Real> b = bond(i, neighbour(i, k));
        const Real* const f = first + k * stride;
        *sums += PairSums{0,
                          double(b.x) * f[0],
                          double(b.y) * f[1],
                          double(b.z) * f[2],
                          double(b.x) * f[1],
                          double(b.x) * f[2],
                          double(b.y) * f[2]};
      }
    }
  }

  KOKKOS_FORCEINLINE_FUNCTION int neighbour(int i, int k) const {
    return list.entry(list.first(i) + k * list.stride);
  }
  KOKKOS_FORCEINLINE_FUNCTION Bond<Real> bond(int i, int j) const {
    const Real* const from = sites.quads.data() + 4 * static_cast<std::ptrdiff_t>(i);
    const Real* const to = sites.quads.data() + 4 * static_cast<std::ptrdiff_t>(j);
    Bond<Real> b;
    b.x = Precision::difference(to[0], from[0]) * sites.unit;
    b.y = Precision::difference(to[1], from[1]) * sites.unit;
    b.z = Precision::difference(to[2], from[2]) * sites.unit;
    b.r = Kokkos::sqrt(squared_length(b.x, b.y, b.z));
    return b;
  }

  /// The triplets of centre i with its neighbour j of the row and a later one; their energy.
  KOKKOS_FORCEINLINE_FUNCTION double sum_bond(int i, int j, int n, Real* first, std::int64_t stride) const {
    const Uf3Tables<Real> t = potential.tables();
    const int at_j = neighbour(i, j);
    const Bond<Real> ij = bond(i, at_j);
    const auto* const triplets =
        t.triplets + (static_cast<std::ptrdiff_t>(type(i)) * t.elements + type(at_j)) * t.elements;
    Uf3Side<Real> side_ij{};
    const Uf3TripletTable<Real>* of_side = nullptr;  // whose functions of r_ij those are
    Real* const f_j = first + j * stride;
    double energy = 0;
    for (int k = j + 1; k < n; ++k) {
      const int at_k = neighbour(i, k);
      if (i >= n_local && at_j >= n_local && at_k >= n_local) continue;
      const Uf3TripletTable<Real>& triplet = triplets[type(at_k)];
      if (ij.r > triplet.cutoff) continue;
      const Bond<Real> ik = bond(i, at_k);
      if (ik.r > triplet.cutoff) continue;
      const Bond<Real> jk = bond(at_j, at_k);
      if (!triplet.holds(ij.r, ik.r, jk.r)) continue;
      if (of_side != &triplet) {
        side_ij = uf3_side(t, triplet.ij, ij.r);
        of_side = &triplet;
      }
      const Uf3Triplet<Real> e =
          uf3_triplet(t, triplet, side_ij, uf3_side(t, triplet.ik, ik.r), uf3_side(t, triplet.jk, jk.r));
      energy += static_cast<double>(e.energy);
      const Real on_ij = e.slope_ij / ij.r, on_ik = e.slope_ik / ik.r, on_jk = e.slope_jk / jk.r;
      Real* const f_k = first + k * stride;
      f_j[0] += on_jk * jk.x - on_ij * ij.x;
      f_j[1] += on_jk * jk.y - on_ij * ij.y;
      f_j[2] += on_jk * jk.z - on_ij * ij.z;
      f_k[0] -= on_jk * jk.x + on_ik * ik.x;
      f_k[1] -= on_jk * jk.y + on_ik * ik.y;
      f_k[2] -= on_jk * jk.z + on_ik * ik.z;
    }
    return energy;
  }
};

/// Adds to each local atom what triplets pull at it: around its neighbours, and around itself.
template <class Real>
struct CollectPulls {
  VerletList list;
  Kokkos::View<std::int64_t*, MemSpace> mirror;
  Kokkos::View<Real*, MemSpace> pull;
  Vector3View f;
  KOKKOS_FUNCTION void operator()(int i) const {
    double sum[3] = {0, 0, 0};
    for (int k = 0; k < list.count(i); ++k) {
      const std::int64_t own = list.first(i) + k * list.stride;
      for (int d = 0; d < 3; ++d)
        sum[d] += static_cast<double>(pull(3 * mirror(own) + d)) - static_cast<double>(pull(3 * own + d));
    }
    for (int d = 0; d < 3; ++d) f(i, d) += sum[d];
  }
};

}  // namespace wafermark::tungsten
