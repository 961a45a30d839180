// What every loop over pairs of atoms shares, whatever the potential: sites, rows of the Verlet list taken a
// pack of neighbours at a time (on GPUs a pack is one neighbour), and the loop that sums forces, energy and
// virial.
#pragma once

#include "tungsten_md/cluster/precision.hpp"
#include "tungsten_md/cluster/verlet_list.hpp"
#include "tungsten_md/dynamics/thermo.hpp"
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
  Kokkos::View<int*, MemSpace> entry, count;
  Kokkos::View<std::int64_t*, MemSpace> first;
  std::int64_t stride;
  int n_local;

  /// One atom's constants in registers: the loops write through pointers, so that the compiler would have to
  /// load members anew for every pack.
  struct Row {
    T x, y, z, slope;
    const int* entry;
    std::int64_t stride;
    const Real* quads;
    T unit_squared;
    int n;
  };
  KOKKOS_FORCEINLINE_FUNCTION Row row(int i) const {
    const Real* s = sites.quads.data() + 4 * static_cast<std::ptrdiff_t>(i);
    return {T(s[0]),
            T(s[1]),
            T(s[2]),
            T(s[3]),
            entry.data() + first(i),
            stride,
            sites.quads.data(),
            T(sites.unit * sites.unit),
            count(i)};
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
  /// Angstrom^2
  KOKKOS_FORCEINLINE_FUNCTION static T squared_distance(const Row& row, const Pack& q) {
    return squared_length(q.dx, q.dy, q.dz) * row.unit_squared;
  }
  /// A pair that stands in the lists of two atoms, or of two ranks, counts half each time.
  KOKKOS_FORCEINLINE_FUNCTION T weight(Int j) const {
    if constexpr (kind == ListKind::half) return select(lane_less<T>(j, n_local), T(Real(1)), T(Real(0.5)));
    return T(Real(0.5));
  }
};

/// Forces on i; with a half list also on the neighbours (force quads start at zero). The reduction sums the
/// virial and the pairs' energies. `Pairs` is a PairLoop with pair(row, pack, k) -> PairForce.
template <class Pairs>
struct ForcePass : Pairs {
  using typename Pairs::Real;
  using typename Pairs::T;
  Kokkos::View<Real*, MemSpace> force;  ///< half: [n_local + n_ghost + 1][4]
  Vector3View f;                        ///< full: the result

  KOKKOS_FUNCTION void operator()(int i) const { sum_row<false>(i, nullptr); }
  KOKKOS_FUNCTION void operator()(int i, PairSums& sums) const { sum_row<true>(i, &sums); }

  template <bool tally>
  KOKKOS_FORCEINLINE_FUNCTION void sum_row(int i, PairSums* sums) const {
    const auto row = this->row(i);
    Real* const to = force.data();
    const T zero(Real(0)), unit(this->sites.unit);
    T fx = zero, fy = zero, fz = zero;
    T phi = zero, xx = zero, yy = zero, zz = zero, xy = zero, xz = zero, yz = zero;
    for (int k = 0; k < row.n; k += Pairs::width) {
      const auto q = Pairs::pack(row, k);
      const PairForce<T> pair = Pairs::pair(row, q, k);
      const T scaled = pair.over_r * unit;
      const T px = q.dx * scaled, py = q.dy * scaled, pz = q.dz * scaled;
      fx = fx + px;
      fy = fy + py;
      fz = fz + pz;
      if constexpr (Pairs::kind == ListKind::half) subtract_quads(to, q.j, px, py, pz);
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
    if constexpr (Pairs::kind == ListKind::half) {
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

namespace wafermark::tungsten {

/// Runs the force loop over this rank's atoms: sets p.f. Energies of pairs and the virial are summed where
/// `result` is given. `force` is zero where the list is half.
template <class Pairs>
void sum_forces(const char* label, const Pairs& pairs,
                const Kokkos::View<typename Pairs::Real*, MemSpace>& force, Particles& p,
                EnergyVirial* result) {
  const ForcePass<Pairs> pass{pairs, force, p.f};
  if (result != nullptr) {
    PairSums sums;
    Kokkos::parallel_reduce(label, over(p.n_local), pass, Kokkos::Sum<PairSums>(sums));
    *result = {sums.phi, {sums.xx, sums.yy, sums.zz, sums.xy, sums.xz, sums.yz}};
  } else {
    Kokkos::parallel_for(label, over(p.n_local), pass);
  }
  if constexpr (Pairs::kind == ListKind::half)
    Kokkos::parallel_for("collect_forces", over(p.n_local), CollectForces<typename Pairs::Real>{force, p.f});
}

}  // namespace wafermark::tungsten
