// What one tile computes in a time step: the kernels of both targets, on one atom and its candidates.
//
// Every function is a template over T: float and lanes of floats run (V is then float: what memory holds),
// Counted<float> is counted (step_code.cpp). Words of memory
// count by themselves where what they hold is Counted and kept in memory; those of numbers of atoms and
// places in tables, loop ends and branches count where they happen.
#pragma once

#include "tungsten_md/kernels/eam.hpp"
#include "tungsten_md/kernels/fire.hpp"
#include "tungsten_md/kernels/separation.hpp"
#include "tungsten_md/kernels/velocity_verlet.hpp"
#include "tungsten_md/wafer/counted_lanes.hpp"

namespace wafermark::tungsten {

/// Things that cost the tile something and are not arithmetic; nothing when T only runs.
template <class T>
struct OnTile {
  static KOKKOS_FORCEINLINE_FUNCTION void count(wse::Operation op, int times) {
    if constexpr (std::is_same_v<T, wse::Counted<float>>) wse::count(op, times);
  }
  static KOKKOS_FORCEINLINE_FUNCTION void read(int words) { count(wse::Operation::load, words); }
  static KOKKOS_FORCEINLINE_FUNCTION void written(int words) { count(wse::Operation::store, words); }
  static KOKKOS_FORCEINLINE_FUNCTION void branch() { count(wse::Operation::branch, 1); }
  /// An address made from an index.
  static KOKKOS_FORCEINLINE_FUNCTION void address() { count(wse::Operation::integer, 1); }
  /// Counter and jump at the end of a loop's body.
  static KOKKOS_FORCEINLINE_FUNCTION void loop_end() {
    count(wse::Operation::integer, 1);
    count(wse::Operation::branch, 1);
  }
};

/// A potential's tables in a tile's memory: quads, as cluster/eam_tables.hpp lays them out for one element.
template <class T>
struct TileTables {
  const T* radial;     ///< [piece 0 ... nr][density: 4, r phi: 4]; piece nr is zero
  const T* embedding;  ///< [piece 0 ... nrho - 1][4]
  int nr, nrho;
  T inverse_dr, inverse_drho, cutoff_squared;
};
/// Which of T's values are meant.
template <class T>
using Mask = typename Lanes<T>::Mask;

/// The radial tables over u = r^2 instead (model/squared_tables.hpp).
template <class T>
struct SquaredTileTables {
  const T* density;  ///< [piece][4]; the last is zero, as in slopes
  const T* slopes;   ///< [piece][rho'/r: 4, phi'/r: 4]
  T inverse_du, half_du, last;
};

/// Of an alloy, the tables of an atom i and a neighbour j, of any two elements; both laid out as for one
/// element. What j lays at i is the first of `radial`, what i lays at j the first of `reverse`.
template <class T>
struct PairTileTables {
  const T *radial, *reverse;
  int nr;
  T inverse_dr;
};
/// The same over u = r^2.
template <class T>
struct PairSquaredTileTables {
  const T *density, *slopes, *reverse;
  T inverse_du, half_du, last;
};

template <class T>
struct Vector {
  T x, y, z;
};

/// The z axis, where it is periodic.
template <class T>
struct PeriodicZ {
  bool on;
  T length, inverse_length;
};

/// Vector instructions over all candidates: x_i - x_j. `corners`: corner of the candidate's column less the
/// tile's own, x and y.
template <class T>
KOKKOS_FORCEINLINE_FUNCTION Vector<T> separation(const Vector<T>& own, const Vector<T>& candidate,
                                                 T corners_x, T corners_y, const PeriodicZ<T>& z) {
  Vector<T> d{cell_difference(own.x, candidate.x, corners_x), cell_difference(own.y, candidate.y, corners_y),
              own.z - candidate.z};
  if (z.on) d.z = nearest_image(d.z, z.length, z.inverse_length);
  return d;
}

/// The scalar loop over candidates that makes the neighbour list: is it inside the cut-off?
template <class T, class V>
KOKKOS_FORCEINLINE_FUNCTION Mask<T> inside(T r2, V cutoff_squared) {
  OnTile<T>::read(1);
  OnTile<T>::branch();
  OnTile<T>::loop_end();
  return r2 < T(cutoff_squared);
}
/// What the loop does beside that with a candidate that is: its number goes into the list.
template <class T>
KOKKOS_FORCEINLINE_FUNCTION void enter_in_list() {
  OnTile<T>::address();
  OnTile<T>::written(1);
}

/// A loop over neighbours that sums densities alone reads a neighbour's number and r2; where a loop tests and
/// sums at once, r2 is still in a register.
template <class T>
KOKKOS_FORCEINLINE_FUNCTION void turn_over_neighbours() {
  OnTile<T>::read(2);
  OnTile<T>::address();
  OnTile<T>::loop_end();
}

/// What summing the density keeps of a neighbour for the force loop. With tables over r^2: a TablePosition.
template <class T>
struct NeighbourDistance {
  T inverse_r;
  TablePosition<T> at;
};
/// Tables over r, of one element or of a pair.
template <class Tables>
concept OverDistance = requires(Tables t) {
  t.radial;
};

/// `acts`: those that are within the cut-off; the others get the piece that is zero.
template <OverDistance Tables, class T>
KOKKOS_FORCEINLINE_FUNCTION NeighbourDistance<T> neighbour_distance(const Tables& t, T r2,
                                                                    Mask<T> acts = Mask<T>(true)) {
  OnTile<T>::written(3);
  const Roots<T> r = roots(r2);
  return {r.inverse, locate(T(r.root * t.inverse_dr), acts, t.nr)};
}
template <class Tables, class T>
KOKKOS_FORCEINLINE_FUNCTION TablePosition<T> neighbour_distance(const Tables& t, T r2,
                                                                Mask<T> = Mask<T>(true)) {
  OnTile<T>::written(2);
  return locate_or_beyond(T(r2 * t.inverse_du), T(t.last));
}

template <OverDistance Tables, class T>
KOKKOS_FORCEINLINE_FUNCTION void add_density(const Tables& t, const NeighbourDistance<T>& r, T& density) {
  density = density + cubic_value(load_quads(t.radial, 2 * r.at.index), r.at.p);
}
template <class Tables, class T>
KOKKOS_FORCEINLINE_FUNCTION void add_density(const Tables& t, const TablePosition<T>& r, T& density) {
  density = density + cubic_value(load_quads(t.density, r.index), r.p);
}

/// The pair energy, which the machine does not compute.
template <OverDistance Tables, class T>
KOKKOS_FORCEINLINE_FUNCTION T pair_energy(const Tables& t, const NeighbourDistance<T>& r) {
  return cubic_value(load_quads(t.radial + 4, 2 * r.at.index), r.at.p) * r.inverse_r;
}
template <class Tables, class T>
KOKKOS_FORCEINLINE_FUNCTION T pair_energy(const Tables& t, const TablePosition<T>& r) {
  return phi_of_squares(load_quads(t.slopes + 4, 2 * r.index), r.p, T(t.half_du));
}

/// Of an alloy: the tables of a neighbour's element, whose place among a tile's follows from one word.
template <class T>
KOKKOS_FORCEINLINE_FUNCTION void find_tables() {
  OnTile<T>::read(2);  // the neighbour's element, where its tables begin
  OnTile<T>::address();
}

template <class T, class V>
KOKKOS_FORCEINLINE_FUNCTION RadialSlopes<T> radial_slopes(const TileTables<V>& t,
                                                          const NeighbourDistance<T>& r) {
  OnTile<T>::read(3);  // 1/r, piece, p
  const Quad<T> density = load_quads(t.radial, 2 * r.at.index);
  const Quad<T> r_phi = load_quads(t.radial + 4, 2 * r.at.index);
  return eam_radial(density, r_phi, r.at.p, r.inverse_r, T(t.inverse_dr));
}
template <class T, class V>
KOKKOS_FORCEINLINE_FUNCTION RadialSlopes<T> radial_slopes(const SquaredTileTables<V>& t,
                                                          const TablePosition<T>& r) {
  OnTile<T>::read(2);  // piece, p
  return eam_radial_of_squares(load_quads(t.slopes, 2 * r.index), load_quads(t.slopes + 4, 2 * r.index), r.p);
}

template <class T>
KOKKOS_FORCEINLINE_FUNCTION RadialSlopes<T> radial_slopes(const PairTileTables<T>& t,
                                                          const NeighbourDistance<T>& r) {
  OnTile<T>::read(3);  // 1/r, piece, p
  const Quad<T> density = load_quads(t.radial, 2 * r.at.index),
                reverse = load_quads(t.reverse, 2 * r.at.index);
  return eam_radial(density, reverse, load_quads(t.radial + 4, 2 * r.at.index), r.at.p, r.inverse_r,
                    t.inverse_dr);
}
template <class T>
KOKKOS_FORCEINLINE_FUNCTION RadialSlopes<T> radial_slopes(const PairSquaredTileTables<T>& t,
                                                          const TablePosition<T>& r) {
  OnTile<T>::read(2);  // piece, p
  return eam_radial_of_squares(load_quads(t.slopes, 2 * r.index), load_quads(t.reverse, 2 * r.index),
                               load_quads(t.slopes + 4, 2 * r.index), r.p);
}

template <class T>
KOKKOS_FORCEINLINE_FUNCTION void add_scaled(const Vector<T>& d, T factor, Vector<T>& sum) {
  sum.x = sum.x + d.x * factor;
  sum.y = sum.y + d.y * factor;
  sum.z = sum.z + d.z * factor;
}

/// One turn of the loop over neighbours that sums the force; `slope`: F' of the atom and of the neighbour.
/// Returns the force divided by the separation. `r`: of neighbour_distance().
template <class T, class Tables, class Distance>
KOKKOS_FORCEINLINE_FUNCTION T add_force(const Tables& t, const Distance& r, const Vector<T>& d, T slope,
                                        T slope_of_neighbour, Vector<T>& force) {
  OnTile<T>::read(5);  // number, separation, slope
  OnTile<T>::address();
  const T scaled = eam_force_over_r(radial_slopes(t, r), slope, slope_of_neighbour);
  add_scaled(d, scaled, force);
  OnTile<T>::loop_end();
  return scaled;
}

/// A partial sum that another tile made joins the tile's own.
template <class T>
KOKKOS_FORCEINLINE_FUNCTION Vector<T> sum(const Vector<T>& a, const Vector<T>& b) {
  return {a.x + b.x, a.y + b.y, a.z + b.z};
}

/// Half a step of velocity Verlet, with the drift in the first half.
template <class T>
KOKKOS_FORCEINLINE_FUNCTION Vector<T> kicked(const Vector<T>& v, const Vector<T>& f, T inverse_mass, T time) {
  return {kick(v.x, f.x, inverse_mass, time), kick(v.y, f.y, inverse_mass, time),
          kick(v.z, f.z, inverse_mass, time)};
}
template <class T>
KOKKOS_FORCEINLINE_FUNCTION Vector<T> drifted(const Vector<T>& x, const Vector<T>& v, T time) {
  return {drift(x.x, v.x, time), drift(x.y, v.y, time), drift(x.z, v.z, time)};
}

template <class T>
KOKKOS_FORCEINLINE_FUNCTION Vector<T> scaled(const Vector<T>& v, T factor) {
  return {v.x * factor, v.y * factor, v.z * factor};
}

template <class T>
KOKKOS_FORCEINLINE_FUNCTION T product(const Vector<T>& a, const Vector<T>& b) {
  return a.x * b.x + a.y * b.y + a.z * b.z;
}

/// FIRE's mixing of a velocity with the direction of the force.
template <class T>
KOKKOS_FORCEINLINE_FUNCTION Vector<T> turned_towards(const Vector<T>& v, const Vector<T>& f, T mixing,
                                                     T along_force) {
  return {turned(v.x, f.x, mixing, along_force), turned(v.y, f.y, mixing, along_force),
          turned(v.z, f.z, mixing, along_force)};
}

/// How much two atoms' squared distances from the sites of their tiles shrink, in sum, when they change
/// tiles; `sites` and `atoms` are the separations. With displacements p, q and S = -sites this is p^2 + q^2 -
/// (p - S)^2 - (q + S)^2.
template <class T>
KOKKOS_FORCEINLINE_FUNCTION T swap_gain(const Vector<T>& sites, const Vector<T>& atoms) {
  OnTile<T>::read(7);
  OnTile<T>::address();
  OnTile<T>::branch();
  OnTile<T>::loop_end();
  return T(-2.0f) * (sites.x * atoms.x + sites.y * atoms.y + sites.z * atoms.z);
}

}  // namespace wafermark::tungsten
