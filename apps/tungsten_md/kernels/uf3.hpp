// Ultra-fast force fields (Xie, Rupp and Hennig, npj Comput. Mater. 9 (2023) 162), with the sums of LAMMPS'
// pair style uf3:
//   E = sum_i sum_{j != i} V2(r_ij) + sum_i sum_{j < k} V3(r_ij, r_ik, r_jk),   j, k neighbours of i
//   V2(r) = sum_n c_n B_n(r),   V3 = sum_lmn c_lmn B_l(r_ij) B_m(r_ik) B_n(r_jk)
// Values in, values out; who the neighbours are is the caller's business.
#pragma once

#include "tungsten_md/kernels/b_spline.hpp"

namespace wafermark::tungsten {

/// Of an ordered pair of elements.
template <class Real>
struct Uf3PairTable {
  Real cutoff_squared = 0;
  KnotVector<Real> knots;  ///< its cubics are those of phi = 2 V2: a pair stands twice in the sum
};

/// Of the elements of a centre i and two neighbours j, k. V3 is zero outside these distances.
template <class Real>
struct Uf3TripletTable {
  Real cutoff = 0;  ///< of r_ij and r_ik
  KnotVector<Real> ij, ik, jk;
  int coefficients = 0;              ///< where they begin among the potential's numbers
  int stride_ij = 0, stride_ik = 0;  ///< of functions of r_ij and r_ik; those of r_jk lie side by side

  /// Whether V3 may be other than zero there. As LAMMPS has it, nothing is added below the first knots.
  KOKKOS_FORCEINLINE_FUNCTION bool holds(Real r_ij, Real r_ik, Real r_jk) const {
    return r_ij <= cutoff && r_ik <= cutoff && r_ij >= ij.begin && r_ik >= ik.begin && r_jk >= jk.begin;
  }
};

/// A potential's tables by address.
template <class Real>
struct Uf3Tables {
  const Uf3PairTable<Real>* pairs;        ///< [i][j]
  const Uf3TripletTable<Real>* triplets;  ///< [i][j][k]; null: pairs alone
  const Real* numbers;
  const int* guides;
  int elements;
};

template <class Real>
struct Uf3Pair {
  Real phi;           ///< 2 V2, eV
  Real force_over_r;  ///< times (x_i - x_j) it is the force on i, eV/A^2
};

/// Two atoms at distance r, within the cut-off.
template <class Real>
KOKKOS_FORCEINLINE_FUNCTION Uf3Pair<Real> uf3_pair(const Uf3Tables<Real>& t, const Uf3PairTable<Real>& pair,
                                                   Real r) {
  const KnotPlace<Real> at = find_interval(pair.knots, t.numbers, t.guides, summed_record, r);
  const Quad<Real> cubic = load_quads(at.cubics, 0);
  return {cubic_value(cubic, at.p), -cubic_slope(cubic, at.p) * at.per_angstrom / r};
}

/// The functions of r along one side of a triplet, and the first one's number.
template <class Real>
struct Uf3Side {
  SplineBasis<Real> basis;
  int first;
};
template <class Real>
KOKKOS_FORCEINLINE_FUNCTION Uf3Side<Real> uf3_side(const Uf3Tables<Real>& t, const KnotVector<Real>& knots,
                                                   Real r) {
  const KnotPlace<Real> at = find_interval(knots, t.numbers, t.guides, basis_record, r);
  return {spline_basis(at), at.interval};
}

/// V3 and its derivatives with respect to the three distances, eV and eV/Angstrom.
template <class Real>
struct Uf3Triplet {
  Real energy, slope_ij, slope_ik, slope_jk;
};
template <class Real>
KOKKOS_FORCEINLINE_FUNCTION Uf3Triplet<Real> uf3_triplet(const Uf3Tables<Real>& t,
                                                         const Uf3TripletTable<Real>& triplet,
                                                         const Uf3Side<Real>& ij, const Uf3Side<Real>& ik,
                                                         const Uf3Side<Real>& jk) {
  const Real* const c = t.numbers + triplet.coefficients + ij.first * triplet.stride_ij +
                        ik.first * triplet.stride_ik + jk.first;
  Uf3Triplet<Real> sum{0, 0, 0, 0};
  for (int l = 0; l < 4; ++l) {
    Real energy = 0, along_ik = 0, along_jk = 0;
    for (int m = 0; m < 4; ++m) {
      const Real* const row = c + l * triplet.stride_ij + m * triplet.stride_ik;
      Real value = 0, slope = 0;
      for (int n = 0; n < 4; ++n) {
        value += row[n] * jk.basis.value[n];
        slope += row[n] * jk.basis.slope[n];
      }
      energy += ik.basis.value[m] * value;
      along_ik += ik.basis.slope[m] * value;
      along_jk += ik.basis.value[m] * slope;
    }
    sum.energy += ij.basis.value[l] * energy;
    sum.slope_ij += ij.basis.slope[l] * energy;
    sum.slope_ik += ij.basis.value[l] * along_ik;
    sum.slope_jk += ij.basis.value[l] * along_jk;
  }
  return sum;
}

}  // namespace wafermark::tungsten
