// Cubic B-splines on a knot vector (de Boor, A Practical Guide to Splines, 1978): which interval a distance
// lies in, and the four functions that are not zero there. The intervals' cubics are made once, by
// model/uf3_layout.cpp.
#pragma once

#include "tungsten_md/kernels/cubic_table.hpp"

namespace wafermark::tungsten {

/// A knot vector as kernels read it. An interval has a record among the numbers of its potential: where it
/// begins, 1 / its width, and its cubics over p, 0 at its begin and 1 at its end.
template <class Real>
struct KnotVector {
  Real begin = 0;              ///< of the first interval, Angstrom
  Real bins_per_angstrom = 0;  ///< of `guide`
  int intervals = 0, bins = 0;
  int guide =
      0;  ///< where its bins begin among the potential's whole numbers: bin -> an interval not beyond it
  int record = 0;  ///< where its records begin among the potential's numbers
};

/// Numbers of a record before its cubics.
inline constexpr int record_head = 2;
/// Of one cubic: a spline whose coefficients are summed up.
inline constexpr int summed_record = record_head + 4;
/// Of the four functions' cubics.
inline constexpr int basis_record = record_head + 4 * 4;

template <class Real>
struct KnotPlace {
  int interval;
  const Real* cubics;
  Real p, per_angstrom;  ///< how far into the interval; dp/dr
};

/// The interval of distance r: the first or last one where r lies outside, whose cubics then go on.
template <class Real>
KOKKOS_FORCEINLINE_FUNCTION KnotPlace<Real> find_interval(const KnotVector<Real>& knots, const Real* numbers,
                                                          const int* guides, int record_size, Real r) {
  const Real bin = (r - knots.begin) * knots.bins_per_angstrom;
  const int b = bin > Real(0) ? (bin < Real(knots.bins) ? static_cast<int>(bin) : knots.bins - 1) : 0;
  int m = guides[knots.guide + b];
  const Real* record = numbers + knots.record + static_cast<std::ptrdiff_t>(m) * record_size;
  while (m + 1 < knots.intervals && r >= record[record_size]) {
    ++m;
    record += record_size;
  }
  return {m, record + record_head, (r - record[0]) * record[1], record[1]};
}

/// The functions that are not zero at a place, and their derivatives with respect to r.
template <class Real>
struct SplineBasis {
  Real value[4], slope[4];
};

template <class Real>
KOKKOS_FORCEINLINE_FUNCTION SplineBasis<Real> spline_basis(const KnotPlace<Real>& at) {
  SplineBasis<Real> basis;
  for (int k = 0; k < 4; ++k) {
    const Quad<Real> cubic = load_quads(at.cubics, k);
    basis.value[k] = cubic_value(cubic, at.p);
    basis.slope[k] = cubic_slope(cubic, at.p) * at.per_angstrom;
  }
  return basis;
}

}  // namespace wafermark::tungsten
