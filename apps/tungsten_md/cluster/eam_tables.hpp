// A potential's tables on the device, in the precision of the pair kernels.
#pragma once

#include "tungsten_md/dynamics/particles.hpp"
#include "tungsten_md/model/potential_tables.hpp"

namespace wafermark::tungsten {

/// Cubic pieces as quads (kernels/cubic_table.hpp). The density and r phi(r) of a pair of elements lie side
/// by side, piece by piece, so that one cache line serves both.
template <class Real>
struct EamTables {
  /// [a][b][piece 0 ... nr][density at a from b: 4, r phi: 4]; piece nr is zero, for pairs beyond the
  /// cut-off.
  Kokkos::View<Real*, MemSpace> radial;
  /// [element][piece 0 ... nrho - 1][4]
  Kokkos::View<Real*, MemSpace> embedding;
  int elements = 0, nr = 0, nrho = 0;
  Real inverse_dr = 0, inverse_drho = 0, cutoff_squared = 0;
  /// The embedding tables are those of eam/he: they begin here.
  bool begins_below_zero = false;
  double least_density = 0.0, drho = 0.0;

  explicit EamTables(const PotentialTables& tables);

  /// First radial piece of the pair (a, b).
  KOKKOS_FORCEINLINE_FUNCTION int first_piece(int a, int b) const { return (a * elements + b) * (nr + 1); }
  KOKKOS_FORCEINLINE_FUNCTION const Real* embedding_of(int a) const {
    return embedding.data() + static_cast<std::ptrdiff_t>(a) * nrho * 4;
  }
};

}  // namespace wafermark::tungsten
