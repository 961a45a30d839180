// The three loops of an embedded-atom force: densities, embedding, forces. Each loop takes one atom and its
// row of the Verlet list a pack of neighbours at a time; on GPUs a pack is one neighbour. The arithmetic is
// kernels/eam.hpp.
#pragma once

#include "tungsten_md/cluster/eam_tables.hpp"
#include "tungsten_md/cluster/force_field.hpp"
#include "tungsten_md/cluster/precision.hpp"
#include "tungsten_md/kernels/eam.hpp"
#include "tungsten_md/kernels/separation.hpp"

namespace wafermark::tungsten {

/// What the pair kernels read of an atom, one aligned quad each: coordinates relative to `centre` (see
/// precision.hpp) and F'(rho). The last site is a dummy far from all others: padding of the list's rows.
template <class Real>
struct Sites {
  Kokkos::View<Real*, MemSpace> quads;  ///< [n_local + n_ghost + 1][x, y, z, F']
  double centre[3]{};
  double inverse_unit = 1.0;  ///< site units per Angstrom
  Real unit = 1;              ///< Angstrom per site unit
};

template <class Precision>
struct PlaceSites {
  Vector3View x;
  Sites<typename Precision::Real> sites;
  KOKKOS_FUNCTION void operator()(int i) const {
    for (int d = 0; d < 3; ++d)
      sites.quads(4 * i + d) = Precision::encode(x(i, d), sites.centre[d], sites.inverse_unit);
  }
};

/// Pair energy and virial of one rank, in double.
struct PairSums {
  double phi = 0, xx = 0, yy = 0, zz = 0, xy = 0, xz = 0, yz = 0;
  KOKKOS_FUNCTION PairSums& operator+=(const PairSums& o) {
    phi += o.phi;
    xx += o.xx;
    yy += o.yy;
    zz += o.zz;
    xy += o.xy;
    xz += o.xz;
    yz += o.yz;
    return *this;
  }
};

/// What both pair loops need: atoms, list and tables.
///
/// With a half list the density pass keeps each pair's radial terms (kernels/eam.hpp) for the force pass,
/// which then needs no distances and no tables. With a full list, on GPUs, recomputing them costs less than
/// the memory traffic.
template <class Precision, ListKind kind, bool alloy>
struct PairLoop {
  using Real = typename Precision::Real;
  using T = native_lanes<Real, ExecSpace>;
  using Int = typename Lanes<T>::Int;
  static constexpr int width = Lanes<T>::width;
  static constexpr bool keeps_terms = kind == ListKind::half;
  static constexpr int kept = alloy ? 3 : 2;  ///< values kept of a pair

  Sites<Real> sites;
  Kokkos::View<int*, MemSpace> entry, count;
  Kokkos::View<std::int64_t*, MemSpace> first;
  std::int64_t stride;
  Kokkos::View<Real*, MemSpace> terms;  ///< [entries of the list][kept], pack by pack
  TypeView type;
  EamTables<Real> tables;
  int n_local;

  /// One atom's constants in registers: the loops write through pointers, so that the compiler would have to
  /// load members anew for every pack.
  struct Row {
    T x, y, z, slope;
    const int* entry;
    std::int64_t stride;
    const Real *quads, *radial;
    Real* terms;
    T unit_squared, inverse_dr, cutoff_squared;
    int pieces, elements, n, type;
    const int* types;
  };
  KOKKOS_FORCEINLINE_FUNCTION Row row(int i) const {
    const Real* s = sites.quads.data() + 4 * static_cast<std::ptrdiff_t>(i);
    const std::int64_t begin = first(i);
    return {T(s[0]),
            T(s[1]),
            T(s[2]),
            T(s[3]),
            entry.data() + begin,
            stride,
            sites.quads.data(),
            tables.radial.data(),
            keeps_terms ? terms.data() + kept * begin : nullptr,
            T(sites.unit * sites.unit),
            T(tables.inverse_dr),
            T(tables.cutoff_squared),
            tables.nr,
            tables.elements,
            count(i),
            alloy ? type(i) : 0,
            type.data()};
  }

  struct Pack {
    Int j;         ///< neighbour indices
    T dx, dy, dz;  ///< x_i - x_j, site units
    T slope_j;     ///< F'(rho_j)
  };
  KOKKOS_FORCEINLINE_FUNCTION static Pack pack(const Row& row, int k) {
    Pack q;
    q.j = load_indices<T>(row.entry + k * row.stride);
    const Quad<T> s = load_quads(row.quads, q.j);
    q.dx = Precision::difference(row.x, s.a);
    q.dy = Precision::difference(row.y, s.b);
    q.dz = Precision::difference(row.z, s.c);
    q.slope_j = s.d;
    return q;
  }

  struct Radial {
    T density_ij, density_ji;
    RadialTerm<T> term;
  };
  /// Tables at the distance of a pack's pairs; zero beyond the cut-off.
  KOKKOS_FORCEINLINE_FUNCTION static Radial radial(const Row& row, const Pack& q) {
    const T r2 = squared_length(q.dx, q.dy, q.dz) * row.unit_squared;
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
  /// A pair that stands in the lists of two atoms, or of two ranks, counts half each time.
  KOKKOS_FORCEINLINE_FUNCTION T weight(Int j) const {
    if constexpr (kind == ListKind::half) return select(lane_less<T>(j, n_local), T(Real(1)), T(Real(0.5)));
    return T(Real(0.5));
  }
};

/// rho(i) = sum of the densities at i; with a half list also adds to the neighbours' (rho starts at zero) and
/// keeps the pairs' radial terms. The reduction sums phi of half lists.
template <class Precision, ListKind kind, bool alloy>
struct DensityPass : PairLoop<Precision, kind, alloy> {
  using Base = PairLoop<Precision, kind, alloy>;
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
  Kokkos::View<Real*, MemSpace> rho, slope, quads;
  TypeView type;
  EamTables<Real> tables;
  KOKKOS_FUNCTION void operator()(int i, double& energy) const {
    const Embedding<Real> f = embed(tables.embedding_of(type(i)), tables.nrho, tables.inverse_drho, rho(i));
    slope(i) = f.slope;
    quads(4 * i + 3) = f.slope;
    energy += static_cast<double>(f.energy);
  }
};
template <class Real>
struct SetGhostSlopes {
  Kokkos::View<Real*, MemSpace> slope, quads;
  KOKKOS_FUNCTION void operator()(int i) const { quads(4 * i + 3) = slope(i); }
};

/// Forces on i; with a half list also on the neighbours (force quads start at zero). The reduction sums the
/// virial, and phi of full lists.
template <class Precision, ListKind kind, bool alloy>
struct ForcePass : PairLoop<Precision, kind, alloy> {
  using Base = PairLoop<Precision, kind, alloy>;
  using typename Base::Real;
  using typename Base::T;
  Kokkos::View<Real*, MemSpace> force;  ///< half: [n_local + n_ghost + 1][4]
  Vector3View f;                        ///< full: the result

  KOKKOS_FUNCTION void operator()(int i) const { sum_row<false>(i, nullptr); }
  KOKKOS_FUNCTION void operator()(int i, PairSums& sums) const { sum_row<true>(i, &sums); }

  KOKKOS_FORCEINLINE_FUNCTION static RadialTerm<T> term(const typename Base::Row& row,
                                                        const typename Base::Pack& q, int k) {
    if constexpr (Base::keeps_terms) {
      const Real* in = row.terms + Base::kept * k;
      const T ij = load_values<T>(in + Base::width);
      return {T(Real(0)), load_values<T>(in), ij,
              alloy ? load_values<T>(in + (Base::kept - 1) * Base::width) : ij};
    } else {
      return Base::radial(row, q).term;
    }
  }

  template <bool tally>
  KOKKOS_FORCEINLINE_FUNCTION void sum_row(int i, PairSums* sums) const {
    const auto row = this->row(i);
    Real* const to = force.data();
    const T zero(Real(0)), unit(this->sites.unit);
    T fx = zero, fy = zero, fz = zero;
    T phi = zero, xx = zero, yy = zero, zz = zero, xy = zero, xz = zero, yz = zero;
    for (int k = 0; k < row.n; k += Base::width) {
      const auto q = Base::pack(row, k);
      const RadialTerm<T> pair = term(row, q, k);
      const T scaled = eam_force_over_r(pair, row.slope, q.slope_j) * unit;
      const T px = q.dx * scaled, py = q.dy * scaled, pz = q.dz * scaled;
      fx = fx + px;
      fy = fy + py;
      fz = fz + pz;
      if constexpr (kind == ListKind::half) subtract_quads(to, q.j, px, py, pz);
      if constexpr (tally) {
        const T weight = this->weight(q.j);
        const T wx = px * weight, wy = py * weight, wz = pz * weight;
        phi = phi + pair.phi * weight;
        xx = xx + q.dx * wx;
        yy = yy + q.dy * wy;
        zz = zz + q.dz * wz;
        xy = xy + q.dx * wy;
        xz = xz + q.dx * wz;
        yz = yz + q.dy * wz;
      }
    }
    if constexpr (kind == ListKind::half) {
      Real* out = to + 4 * static_cast<std::ptrdiff_t>(i);
      out[0] += sum_of_lanes(fx);
      out[1] += sum_of_lanes(fy);
      out[2] += sum_of_lanes(fz);
    } else {
      f(i, 0) = static_cast<double>(sum_of_lanes(fx));
      f(i, 1) = static_cast<double>(sum_of_lanes(fy));
      f(i, 2) = static_cast<double>(sum_of_lanes(fz));
    }
    if constexpr (tally) {
      const double angstrom = static_cast<double>(this->sites.unit);
      const auto total = [](T lanes) { return static_cast<double>(sum_of_lanes(lanes)); };
      *sums +=
          PairSums{total(phi),           angstrom * total(xx), angstrom * total(yy), angstrom * total(zz),
                   angstrom * total(xy), angstrom * total(xz), angstrom * total(yz)};
    }
  }
};

template <class Real>
struct CollectForces {
  Kokkos::View<Real*, MemSpace> force;
  Vector3View f;
  KOKKOS_FUNCTION void operator()(int i) const {
    for (int d = 0; d < 3; ++d) f(i, d) = static_cast<double>(force(4 * i + d));
  }
};

}  // namespace wafermark::tungsten

template <>
struct Kokkos::reduction_identity<wafermark::tungsten::PairSums> {
  KOKKOS_FORCEINLINE_FUNCTION static wafermark::tungsten::PairSums sum() { return {}; }
};
