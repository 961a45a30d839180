// The loops of an embedded-atom force: densities, embedding, and what the force loop (pair_loop.hpp) takes of
// a pair. The arithmetic is kernels/eam.hpp.
#pragma once

#include "tungsten_md/cluster/eam_tables.hpp"
#include "tungsten_md/cluster/ghost_records.hpp"
#include "tungsten_md/cluster/pair_loop.hpp"
#include "tungsten_md/kernels/eam.hpp"

namespace wafermark::tungsten {

/// Where the force loop has a pair's radial terms (kernels/eam.hpp) from.
enum class Terms {
  computed,  ///< from distance and tables; on GPUs that costs less than the memory traffic
  kept,      ///< from the density pass, which left them in a ring of packs: no distances, no tables
};

/// The pairs of an embedded-atom potential.
template <class Precision, ListKind list_kind, bool alloy, Terms source>
struct EamPairs : PairLoop<Precision, list_kind> {
  using Base = PairLoop<Precision, list_kind>;
  using typename Base::Int;
  using typename Base::Pack;
  using typename Base::Real;
  using typename Base::T;
  static constexpr int kept = alloy ? 3 : 2;  ///< values kept of a pair

  Kokkos::View<Real*, MemSpace> terms;  ///< [ring][kept][width]
  std::int64_t ring;                    ///< packs, a power of two
  TypeView type;
  EamTables<Real> tables;

  struct Row : Base::Row {
    const Real* radial;
    Real* terms;
    std::int64_t ring_mask;
    T inverse_dr, cutoff_squared;
    int pieces, elements, type;
    const int* types;
  };
  KOKKOS_FORCEINLINE_FUNCTION Row constants() const {
    return {Base::constants(), tables.radial.data(), terms.data(),
            ring - 1,          T(tables.inverse_dr), T(tables.cutoff_squared),
            tables.nr,         tables.elements,      0,
            type.data()};
  }
  KOKKOS_FORCEINLINE_FUNCTION static void stand_at(Row& row, int i) {
    Base::stand_at(row, i);
    if constexpr (alloy) row.type = row.types[i];
  }

  /// Where a pack's pairs are in their tables.
  struct Place {
    T inverse_r, p;
    alignas(T) int piece[Base::width];
    int mirrored[alloy ? Base::width : 1];  ///< piece of the pairs (j, i)
  };
  KOKKOS_FORCEINLINE_FUNCTION static Place place(const Row& row, const Pack& q) {
    const T r2 = Base::squared_distance(row, q);
    const Roots<T> r = quick_roots(r2);
    const TablePosition<T> at = locate(T(r.root * row.inverse_dr), r2 < row.cutoff_squared, row.pieces);
    Place result;
    result.inverse_r = r.inverse;
    result.p = at.p;
    if constexpr (alloy) {
      // Blocks of the ordered pairs (i, j) and (j, i).
      const Int tj = gather_int<T>(row.types, load_indices<T>(q.j));
      const int block = row.pieces + 1;
      store_indices<T>(result.piece, at.index + (Int(row.type * row.elements) + tj) * Int(block));
      store_indices<T>(result.mirrored, at.index + (tj * Int(row.elements) + Int(row.type)) * Int(block));
    } else {
      store_indices<T>(result.piece, at.index);
    }
    return result;
  }

  struct Radial {
    T density_ij, density_ji;
    RadialTerm<T> term;
  };
  /// Tables there; zero beyond the cut-off. A piece is two quads: density, r phi.
  KOKKOS_FORCEINLINE_FUNCTION static Radial radial(const Row& row, const Place& at) {
    const QuadPair<T> ij = load_quad_pairs<T>(row.radial, at.piece);
    Quad<T> rho_ji = ij.first;
    if constexpr (alloy) rho_ji = load_quad_pairs<T>(row.radial, at.mirrored).first;
    return {cubic_value(ij.first, at.p), cubic_value(rho_ji, at.p),
            eam_radial(ij.first, rho_ji, ij.second, at.p, at.inverse_r, row.inverse_dr)};
  }
  /// Where a pack's terms are kept.
  KOKKOS_FORCEINLINE_FUNCTION static Real* terms_of(const Row& row, std::int64_t pack) {
    return row.terms + kept * Base::width * (pack & row.ring_mask);
  }
  /// For the force loop; with a half list the energies are in the density pass' sum.
  KOKKOS_FORCEINLINE_FUNCTION static PairForce<T> pair(const Row& row, const Pack& q, std::int64_t pack) {
    RadialTerm<T> term;
    if constexpr (source == Terms::kept) {
      const Real* in = terms_of(row, pack);
      const T ij = load_values<T>(in + Base::width);
      term = {{load_values<T>(in), ij, alloy ? load_values<T>(in + (kept - 1) * Base::width) : ij},
              T(Real(0))};
    } else {
      term = radial(row, place(row, q)).term;
      if constexpr (list_kind == ListKind::half) term.phi = T(Real(0));
    }
    return {term.phi, eam_force_over_r(term, row.slope, q.slope_j)};
  }
};

/// rho(i) = sum of the densities at i, by a full list.
template <class Precision, bool alloy>
struct DensityPass : EamPairs<Precision, ListKind::full, alloy, Terms::computed> {
  using Base = EamPairs<Precision, ListKind::full, alloy, Terms::computed>;
  using typename Base::Real;
  using typename Base::T;
  Kokkos::View<Real*, MemSpace> rho;  ///< [n_local]

  [[gnu::flatten]] KOKKOS_FUNCTION void operator()(int i) const { of_atom(i, OneLane()); }

  template <class RowLanes>
  KOKKOS_FORCEINLINE_FUNCTION void of_atom(int i, const RowLanes& lanes) const {
    const Real density = lanes.sum([&](int lane, int n) { return share_of_row(i, lane, n); });
    lanes.once([&] { rho(i) = density; });
  }

 private:
  /// Of every lanes-th pack.
  KOKKOS_FORCEINLINE_FUNCTION Real share_of_row(int i, int lane, int lanes) const {
    auto row = this->constants();
    Base::stand_at(row, i);
    row.entry += this->list.first(i);
    const int n = this->list.count(i);
    T sum(Real(0));
    for (int k = lane * Base::width; k < n; k += lanes * Base::width)
      sum = sum + Base::radial(row, Base::place(row, Base::pack(row, k))).density_ij;
    return sum_of_lanes(sum);
  }
};

/// The same by a half list, for both atoms of a pair (rho starts at zero), and keeps the pairs' radial terms.
/// The reduction sums phi.
///
/// Two loops over a chunk, first where its pairs are in the tables, then what is there: each chain of
/// operations that wait for one another is half as long, so that a CPU has twice as many under way.
template <class Precision, bool alloy>
struct HalfDensityPass : EamPairs<Precision, ListKind::half, alloy, Terms::kept> {
  using Base = EamPairs<Precision, ListKind::half, alloy, Terms::kept>;
  using typename Base::Real;
  using typename Base::T;
  Kokkos::View<Real*, MemSpace> rho;  ///< [n_local + n_ghost + 1]; ghosts' and the dummy's are not used

  [[gnu::flatten]] KOKKOS_FUNCTION void operator()(int chunk) const { sum_chunk<false>(chunk, nullptr); }
  [[gnu::flatten]] KOKKOS_FUNCTION void operator()(int chunk, double& phi) const {
    sum_chunk<true>(chunk, &phi);
  }

  template <bool tally>
  KOKKOS_FORCEINLINE_FUNCTION void sum_chunk(int chunk, double* phi) const {
    auto row = this->constants();
    Real* const at = rho.data();
    typename Base::Place places[VerletList::packs_of_a_chunk];
    auto* to = places;
    this->each_pack(chunk, [&](int i, std::int64_t pack) {
      Base::stand_at(row, i);
      *to++ = Base::place(row, Base::pack(row, pack * Base::width));
    });
    T phi_sum(Real(0));
    const auto* place = places;
    this->each_pack(chunk, [&](int i, std::int64_t pack) {
      const int* const j = row.entry + pack * Base::width;
      const auto r = Base::radial(row, *place++);
      if constexpr (tally) phi_sum = phi_sum + r.term.phi * this->weight(j);
      Real* out = Base::terms_of(row, pack);
      store_values(out, r.term.phi_slope_over_r);
      store_values(out + Base::width, r.term.density_slope_over_r_ij);
      if constexpr (alloy) store_values(out + 2 * Base::width, r.term.density_slope_over_r_ji);
      at[i] += sum_of_lanes(r.density_ij);
      add_at(at, j, r.density_ji);
    });
    if constexpr (tally) *phi += static_cast<double>(sum_of_lanes(phi_sum));
  }
};

/// F'(rho) of every local atom; the reduction sums F(rho).
template <class Real>
struct EmbeddingPass {
  Kokkos::View<Real*, MemSpace> rho, quads;
  TypeView type;
  EamTables<Real> tables;
  KOKKOS_FUNCTION void operator()(int i) const { embed_atom(i); }
  KOKKOS_FUNCTION void operator()(int i, double& energy) const {
    energy += static_cast<double>(embed_atom(i));
  }

  KOKKOS_FORCEINLINE_FUNCTION Real embed_atom(int i) const {
    const Real* quads_of_type = tables.embedding_of(type(i));
    const Embedding<Real> f =
        tables.begins_below_zero
            ? embed_from(quads_of_type, tables.nrho, tables.drho, tables.least_density, rho(i))
            : embed(quads_of_type, tables.nrho, tables.inverse_drho, rho(i));
    quads(4 * i + 3) = f.slope;
    return f.energy;
  }
};

/// Of one atom after the other (step_passes.hpp).
template <class Precision, bool alloy>
struct EamOfAtoms {
  using Real = typename Precision::Real;
  static constexpr bool has_density = true;
  DensityPass<Precision, alloy> densities;
  EmbeddingPass<Real> embedding;
  ForcePass<EamPairs<Precision, ListKind::full, alloy, Terms::computed>> forces;
  FillGhosts<SlopeRecord<Real>> images;

  template <class RowLanes>
  KOKKOS_FORCEINLINE_FUNCTION void density(int i, const RowLanes& lanes) const {
    densities.of_atom(i, lanes);
    lanes.once([&] { embedding(i); });
  }
  KOKKOS_FUNCTION void image_slope(int image) const { images(image); }
  template <class RowLanes>
  KOKKOS_FORCEINLINE_FUNCTION void force(int i, const RowLanes& lanes) const {
    forces.of_atom(i, lanes);
  }
};

}  // namespace wafermark::tungsten
