// The loops of an embedded-atom force: densities, embedding, and what the force loop (pair_loop.hpp) takes of
// a pair. The arithmetic is kernels/eam.hpp.
#pragma once

#include "tungsten_md/cluster/eam_tables.hpp"
#include "tungsten_md/cluster/pair_loop.hpp"
#include "tungsten_md/kernels/eam.hpp"

namespace wafermark::tungsten {

/// The pairs of an embedded-atom potential.
///
/// With a half list the density pass keeps each pair's radial terms (kernels/eam.hpp) for the force pass,
/// which then needs no distances and no tables. With a full list, on GPUs, recomputing them costs less than
/// the memory traffic.
template <class Precision, ListKind list_kind, bool alloy>
struct EamPairs : PairLoop<Precision, list_kind> {
  using Base = PairLoop<Precision, list_kind>;
  using typename Base::Int;
  using typename Base::Pack;
  using typename Base::Real;
  using typename Base::T;
  static constexpr bool keeps_terms = list_kind == ListKind::half;
  static constexpr int kept = alloy ? 3 : 2;  ///< values kept of a pair

  Kokkos::View<Real*, MemSpace> terms;  ///< [entries of the list][kept], pack by pack
  TypeView type;
  EamTables<Real> tables;

  struct Row : Base::Row {
    const Real* radial;
    Real* terms;
    T inverse_dr, cutoff_squared;
    int pieces, elements, type;
    const int* types;
  };
  KOKKOS_FORCEINLINE_FUNCTION Row row(int i) const {
    return {Base::row(i),
            tables.radial.data(),
            keeps_terms ? terms.data() + kept * this->first(i) : nullptr,
            T(tables.inverse_dr),
            T(tables.cutoff_squared),
            tables.nr,
            tables.elements,
            alloy ? type(i) : 0,
            type.data()};
  }

  struct Radial {
    T density_ij, density_ji;
    RadialTerm<T> term;
  };
  /// Tables at the distance of a pack's pairs; zero beyond the cut-off.
  KOKKOS_FORCEINLINE_FUNCTION static Radial radial(const Row& row, const Pack& q) {
    const T r2 = Base::squared_distance(row, q);
    const Roots<T> r = roots(r2);
    const TablePosition<T> at = locate(T(r.root * row.inverse_dr), r2 < row.cutoff_squared, row.pieces);
    Int piece = at.index, mirrored = at.index;
    if constexpr (alloy) {
      // Blocks of the ordered pairs (i, j) and (j, i).
      const Int tj = gather_int<T>(row.types, q.j);
      const int block = row.pieces + 1;
      mirrored = at.index + (tj * Int(row.elements) + Int(row.type)) * Int(block);
      piece = at.index + (Int(row.type * row.elements) + tj) * Int(block);
    }
    // A piece is two quads: density, r phi.
    const Quad<T> rho_ij = load_quads(row.radial, Int(piece + piece));
    const Quad<T> r_phi = load_quads(row.radial + 4, Int(piece + piece));
    Quad<T> rho_ji = rho_ij;
    if constexpr (alloy) rho_ji = load_quads(row.radial, Int(mirrored + mirrored));
    return {cubic_value(rho_ij, at.p), cubic_value(rho_ji, at.p),
            eam_radial(rho_ij, rho_ji, r_phi, at.p, r.inverse, row.inverse_dr)};
  }
  /// For the force loop; with a half list the energies are in the density pass' sum.
  KOKKOS_FORCEINLINE_FUNCTION static PairForce<T> pair(const Row& row, const Pack& q, int k) {
    RadialTerm<T> term;
    if constexpr (keeps_terms) {
      const Real* in = row.terms + kept * k;
      const T ij = load_values<T>(in + Base::width);
      term = {{load_values<T>(in), ij, alloy ? load_values<T>(in + (kept - 1) * Base::width) : ij},
              T(Real(0))};
    } else {
      term = radial(row, q).term;
    }
    return {term.phi, eam_force_over_r(term, row.slope, q.slope_j)};
  }
};

/// rho(i) = sum of the densities at i; with a half list also adds to the neighbours' (rho starts at zero) and
/// keeps the pairs' radial terms. The reduction sums phi of half lists.
template <class Precision, ListKind kind, bool alloy>
struct DensityPass : EamPairs<Precision, kind, alloy> {
  using Base = EamPairs<Precision, kind, alloy>;
  using typename Base::Real;
  using typename Base::T;
  Kokkos::View<Real*, MemSpace> rho;  ///< [n_local + n_ghost + 1]; ghosts' and the dummy's are not used

  KOKKOS_FUNCTION void operator()(int i) const { sum_row<false>(i, nullptr); }
  KOKKOS_FUNCTION void operator()(int i, double& phi) const { sum_row<true>(i, &phi); }

  template <bool tally>
  KOKKOS_FORCEINLINE_FUNCTION void sum_row(int i, double* phi) const {
    const auto row = this->row(i);
    Real* const at = rho.data();
    T sum(Real(0)), phi_sum(Real(0));
    for (int k = 0; k < row.n; k += Base::width) {
      const auto q = Base::pack(row, k);
      const auto r = Base::radial(row, q);
      sum = sum + r.density_ij;
      if constexpr (tally) phi_sum = phi_sum + r.term.phi * this->weight(q.j);
      if constexpr (Base::keeps_terms) {
        Real* out = row.terms + Base::kept * k;
        store_values(out, r.term.phi_slope_over_r);
        store_values(out + Base::width, r.term.density_slope_over_r_ij);
        if constexpr (alloy) store_values(out + 2 * Base::width, r.term.density_slope_over_r_ji);
        add_at(at, q.j, r.density_ji);
      }
    }
    at[i] = sum_of_lanes(sum) + (Base::keeps_terms ? at[i] : Real(0));
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
    const Embedding<Real> f = embed(tables.embedding_of(type(i)), tables.nrho, tables.inverse_drho, rho(i));
    quads(4 * i + 3) = f.slope;
    return f.energy;
  }
};

}  // namespace wafermark::tungsten
