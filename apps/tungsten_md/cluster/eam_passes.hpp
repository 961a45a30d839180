// The three loops of an embedded-atom force: densities, embedding, forces. Each loop takes one atom and its
// row of the Verlet list a pack of neighbours at a time; on GPUs a pack is one neighbour. The arithmetic is
// kernels/eam.hpp.
#pragma once

#include "tungsten_md/cluster/eam_tables.hpp"
#include "tungsten_md/cluster/force_field.hpp"
#include "tungsten_md/cluster/precision.hpp"
#include "tungsten_md/kernels/eam.hpp"

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

/// What both pair loops need, and their shared first half: distances and table positions of one pack of
/// pairs.
template <class Precision, bool alloy>
struct PairLoop {
  using Real = typename Precision::Real;
  using T = native_lanes<Real, ExecSpace>;
  using Int = typename Lanes<T>::Int;
  static constexpr int width = Lanes<T>::width;

  Sites<Real> sites;
  Kokkos::View<int**, MemSpace> neighbour;
  Kokkos::View<int*, MemSpace> count;
  TypeView type;
  EamTables<Real> tables;

  struct Pack {
    Int j;                ///< neighbour indices
    T dx, dy, dz;         ///< x_i - x_j, site units
    T slope_j;            ///< F'(rho_j)
    T inverse_r;          ///< 1 / Angstrom
    TablePosition<T> at;  ///< piece of the pair (i, j)
    Int mirrored;         ///< piece of the pair (j, i)
  };

  KOKKOS_FORCEINLINE_FUNCTION Pack pack(int i, int k, T xi, T yi, T zi) const {
    Pack q;
    q.j = load_indices<T>(&neighbour(i, k));
    const Quad<T> s = load_quads(sites.quads.data(), q.j);
    q.dx = Precision::difference(xi, s.a);
    q.dy = Precision::difference(yi, s.b);
    q.dz = Precision::difference(zi, s.c);
    q.slope_j = s.d;
    const T r2 = (q.dx * q.dx + q.dy * q.dy + q.dz * q.dz) * T(sites.unit * sites.unit);
    using Kokkos::sqrt;
    const T r = T(sqrt(r2));
    q.inverse_r = T(Real(1)) / r;
    q.at = locate(T(r * T(tables.inverse_dr)), r2 < T(tables.cutoff_squared), tables.nr);
    q.mirrored = q.at.index;
    if constexpr (alloy) {
      // first_piece(a, b) of either order, lane by lane.
      const Int tj = gather_int<T>(type.data(), q.j);
      const int ti = type(i), stride = tables.nr + 1;
      q.mirrored = q.at.index + (tj * Int(tables.elements) + Int(ti)) * Int(stride);
      q.at.index = q.at.index + (Int(ti * tables.elements) + tj) * Int(stride);
    }
    return q;
  }
  KOKKOS_FORCEINLINE_FUNCTION Quad<T> density_piece(Int piece) const {
    return load_quads(tables.radial.data(), Int(piece + piece));
  }
  KOKKOS_FORCEINLINE_FUNCTION Quad<T> r_phi_piece(Int piece) const {
    return load_quads(tables.radial.data() + 4, Int(piece + piece));
  }
};

/// rho(i) = sum of the densities at i; with a half list also adds to the neighbours' (rho starts at zero).
template <class Precision, ListKind kind, bool alloy>
struct DensityPass : PairLoop<Precision, alloy> {
  using Base = PairLoop<Precision, alloy>;
  using typename Base::Real;
  using typename Base::T;
  Kokkos::View<Real*, MemSpace> rho;  ///< [n_local + n_ghost + 1]; ghosts' and the dummy's are not used

  KOKKOS_FUNCTION void operator()(int i) const {
    const Real* s = this->sites.quads.data() + 4 * static_cast<std::ptrdiff_t>(i);
    const T xi(s[0]), yi(s[1]), zi(s[2]);
    T sum(Real(0));
    const int n = this->count(i);
    for (int k = 0; k < n; k += Base::width) {
      const auto q = this->pack(i, k, xi, yi, zi);
      const T at_i = cubic_value(this->density_piece(q.at.index), q.at.p);
      sum = sum + at_i;
      if constexpr (kind == ListKind::half) {
        const T at_j = alloy ? cubic_value(this->density_piece(q.mirrored), q.at.p) : at_i;
        add_at(rho.data(), q.j, at_j);
      }
    }
    if constexpr (kind == ListKind::half)
      rho(i) += sum_of_lanes(sum);
    else
      rho(i) = sum_of_lanes(sum);
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

/// Forces on i; with a half list also on the neighbours (force quads start at zero).
template <class Precision, ListKind kind, bool alloy>
struct ForcePass : PairLoop<Precision, alloy> {
  using Base = PairLoop<Precision, alloy>;
  using typename Base::Real;
  using typename Base::T;
  Kokkos::View<Real*, MemSpace> force;  ///< half: [n_local + n_ghost + 1][4]
  Vector3View f;                        ///< full: the result
  int n_local;

  KOKKOS_FUNCTION void operator()(int i) const { row<false>(i, nullptr); }
  KOKKOS_FUNCTION void operator()(int i, PairSums& sums) const { row<true>(i, &sums); }

  template <bool tally>
  KOKKOS_FORCEINLINE_FUNCTION void row(int i, PairSums* sums) const {
    const Real* s = this->sites.quads.data() + 4 * static_cast<std::ptrdiff_t>(i);
    const T xi(s[0]), yi(s[1]), zi(s[2]), slope_i(s[3]), inverse_dr(this->tables.inverse_dr);
    const T zero(Real(0));
    T fx = zero, fy = zero, fz = zero;
    T phi = zero, xx = zero, yy = zero, zz = zero, xy = zero, xz = zero, yz = zero;
    const int n = this->count(i);
    for (int k = 0; k < n; k += Base::width) {
      const auto q = this->pack(i, k, xi, yi, zi);
      const auto rho_ij = this->density_piece(q.at.index);
      const auto r_phi = this->r_phi_piece(q.at.index);
      const T slope_ij = cubic_slope(rho_ij, q.at.p) * inverse_dr;
      const T slope_ji =
          alloy ? T(cubic_slope(this->density_piece(q.mirrored), q.at.p) * inverse_dr) : slope_ij;
      const PairTerm<T> pair =
          eam_pair<T>(q.inverse_r, cubic_value(r_phi, q.at.p), cubic_slope(r_phi, q.at.p) * inverse_dr,
                      slope_i, slope_ij, q.slope_j, slope_ji);
      const T scaled = pair.force_over_r * T(this->sites.unit);
      const T px = q.dx * scaled, py = q.dy * scaled, pz = q.dz * scaled;
      fx = fx + px;
      fy = fy + py;
      fz = fz + pz;
      if constexpr (kind == ListKind::half) subtract_quads(force.data(), q.j, px, py, pz);
      if constexpr (tally) {
        // A pair that stands twice in the lists of all ranks counts half each time.
        T weight(Real(0.5));
        if constexpr (kind == ListKind::half)
          weight = select(lane_less<T>(q.j, n_local), T(Real(1)), T(Real(0.5)));
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
      Real* out = force.data() + 4 * static_cast<std::ptrdiff_t>(i);
      out[0] += sum_of_lanes(fx);
      out[1] += sum_of_lanes(fy);
      out[2] += sum_of_lanes(fz);
    } else {
      f(i, 0) = static_cast<double>(sum_of_lanes(fx));
      f(i, 1) = static_cast<double>(sum_of_lanes(fy));
      f(i, 2) = static_cast<double>(sum_of_lanes(fz));
    }
    if constexpr (tally) {
      const double unit = static_cast<double>(this->sites.unit);
      const auto total = [](T lanes) { return static_cast<double>(sum_of_lanes(lanes)); };
      *sums += PairSums{total(phi),       unit * total(xx), unit * total(yy), unit * total(zz),
                        unit * total(xy), unit * total(xz), unit * total(yz)};
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
