// Density and force of one atom from those that its list holds: the functional part of the emulator, in
// lanes.
//
// T holds one value or several. All arithmetic of a pair is done in lanes; sums are taken one neighbour after
// the other in the order of the list, so that any T gives the bits of the scalar loop.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>

#include "tungsten_md/wafer/tile_program.hpp"

namespace wafermark::tungsten {

/// A piece of an atom's list, in the arithmetic's order of data: what is beyond `size` is far away.
struct ListPiece {
  static constexpr int most = 64;
  static constexpr float far_away = 1e6f;  // Angstrom

  int size = 0;
  alignas(64) std::array<float, most> x, y, z;  ///< separations, z not yet of the nearest image
  alignas(64) std::array<float, most> slope;    ///< F' of the others
  std::array<std::uint8_t, most> share;         ///< which of the atom's partial sums it goes to

  void add(const Vector<float>& d, float slope_of_other, int share_of_other) {
    const auto k = static_cast<std::size_t>(size++);
    x[k] = d.x;
    y[k] = d.y;
    z[k] = d.z;
    slope[k] = slope_of_other;
    share[k] = static_cast<std::uint8_t>(share_of_other);
  }
  /// Up to a whole number of lanes.
  void fill_up(int width) {
    for (int k = size; k % width != 0; ++k) {
      const auto at = static_cast<std::size_t>(k);
      x[at] = y[at] = far_away;
      z[at] = slope[at] = 0.0f;
    }
  }
};

/// Some neighbours at once.
template <class T>
struct NearLanes {
  Vector<T> d;
  T r2;
  Mask<T> acts;
};

template <class T>
KOKKOS_FORCEINLINE_FUNCTION NearLanes<T> near_lanes(const ListPiece& near, int first,
                                                    const PeriodicZ<float>& z, float cutoff_squared) {
  const auto at = static_cast<std::size_t>(first);
  Vector<T> d{load_values<T>(&near.x[at]), load_values<T>(&near.y[at]), load_values<T>(&near.z[at])};
  if (z.on) d.z = nearest_image(d.z, T(z.length), T(z.inverse_length));
  const T r2 = squared_length(d.x, d.y, d.z);
  return {d, r2, inside(r2, cutoff_squared)};
}

/// An atom's density as it is summed up, by share.
struct DensitySum {
  std::array<float, 4> partial{};
  std::array<int, 4> found{};  ///< neighbours whose density was added
  int neighbours = 0;          ///< within the cut-off
};

/// `all`: those beyond the cut-off are added too, where tables are zero there (untested lists).
enum class Taken { within_cutoff, all };

template <class T, class Tables>
void add_densities(ListPiece& near, const Tables& tables, const PeriodicZ<float>& z, float cutoff_squared,
                   Taken taken, int shares, DensitySum& sum) {
  constexpr int width = Lanes<T>::width;
  near.fill_up(width);
  alignas(64) std::array<float, ListPiece::most> density;
  for (int k = 0; k < near.size; k += width) {
    const NearLanes<T> pair = near_lanes<T>(near, k, z, cutoff_squared);
    T value(0.0f);
    add_density(tables, neighbour_distance(tables, pair.r2, pair.acts), value);
    if (taken == Taken::within_cutoff) value = select(pair.acts, value, T(0.0f));
    store_values(&density[static_cast<std::size_t>(k)], value);
    const unsigned acting = mask_bits(pair.acts);
    sum.neighbours += std::popcount(acting);
    if (shares == 1) continue;
    for (int lane = 0; lane < std::min(width, near.size - k); ++lane)
      sum.found[near.share[static_cast<std::size_t>(k + lane)]] +=
          taken == Taken::all || (acting >> lane & 1u) != 0 ? 1 : 0;
  }
  for (int k = 0; k < near.size; ++k) {
    const auto at = static_cast<std::size_t>(k);
    float& partial = sum.partial[shares == 4 ? near.share[at] : 0];
    partial = partial + density[at];
  }
}

/// An atom's force as it is summed up, by share, and what the machine does not compute.
struct ForceSum {
  bool with_energy = false;
  std::array<Vector<float>, 4> partial{};
  double pair_energy = 0.0, virial = 0.0;  ///< eV: half of each pair's
};

template <class T, class Tables>
void add_forces(ListPiece& near, const Tables& tables, const PeriodicZ<float>& z, float cutoff_squared,
                Taken taken, float slope, ForceSum& sum) {
  constexpr int width = Lanes<T>::width;
  near.fill_up(width);
  alignas(64) std::array<float, ListPiece::most> over_r, energy, virial;
  for (int k = 0; k < near.size; k += width) {
    const auto at = static_cast<std::size_t>(k);
    const NearLanes<T> pair = near_lanes<T>(near, k, z, cutoff_squared);
    const auto distance = neighbour_distance(tables, pair.r2, pair.acts);
    T force = eam_force_over_r(radial_slopes(tables, distance), T(slope), load_values<T>(&near.slope[at]));
    if (taken == Taken::within_cutoff) force = select(pair.acts, force, T(0.0f));
    store_values(&over_r[at], force);
    if (z.on) store_values(&near.z[at], pair.d.z);
    if (!sum.with_energy) continue;
    T phi = pair_energy(tables, distance);
    if (taken == Taken::within_cutoff) phi = select(pair.acts, phi, T(0.0f));
    store_values(&energy[at], phi);
    store_values(&virial[at], T(force * pair.r2));
  }
  for (int k = 0; k < near.size; ++k) {
    const auto at = static_cast<std::size_t>(k);
    add_scaled(Vector<float>{near.x[at], near.y[at], near.z[at]}, over_r[at], sum.partial[near.share[at]]);
    if (!sum.with_energy) continue;
    sum.pair_energy += 0.5 * static_cast<double>(energy[at]);
    sum.virial += 0.5 * static_cast<double>(virial[at]);
  }
}

}  // namespace wafermark::tungsten
