// The heat of electrons on a grid of cells beside the atoms: the two-temperature model of Duffy and
// Rutherford, J. Phys.: Condens. Matter 19 (2007) 016207,
//   C(T) dT/dt = div(kappa(T) grad T) + what atoms lose to the electrons of their cell.
// The state of a cell is its energy density, so that nothing is lost where C depends on T.
#pragma once

#include <Kokkos_Core.hpp>

namespace wafermark::tungsten {

/// Heat capacity, eV/(Angstrom^3 K), and conductivity, eV/(ps Angstrom K): straight between ascending
/// temperatures, constant beyond them.
template <class T>
struct ElectronProperties {
  int n;
  const T *temperature, *heat_capacity, *conductivity;
  const T* energy;  ///< integral of C from 0 K to each temperature, eV/Angstrom^3

  KOKKOS_INLINE_FUNCTION int segment(const T* values, T at) const {
    int low = 0, high = n - 1;
    while (high - low > 1) {
      const int middle = (low + high) / 2;
      (values[middle] <= at ? low : high) = middle;
    }
    return low;
  }
  KOKKOS_INLINE_FUNCTION T conductivity_at(T kelvin) const {
    if (kelvin <= temperature[0]) return conductivity[0];
    if (kelvin >= temperature[n - 1]) return conductivity[n - 1];
    const int k = segment(temperature, kelvin);
    return conductivity[k] + (conductivity[k + 1] - conductivity[k]) * (kelvin - temperature[k]) /
                                 (temperature[k + 1] - temperature[k]);
  }
  KOKKOS_INLINE_FUNCTION T energy_at(T kelvin) const {
    if (kelvin <= temperature[0]) return heat_capacity[0] * kelvin;
    if (kelvin >= temperature[n - 1])
      return energy[n - 1] + heat_capacity[n - 1] * (kelvin - temperature[n - 1]);
    const int k = segment(temperature, kelvin);
    const T x = kelvin - temperature[k];
    return energy[k] + x * (heat_capacity[k] + T(0.5) * slope(k) * x);
  }
  /// 0 K for a cell that noise has taken more from than it had.
  KOKKOS_INLINE_FUNCTION T temperature_at(T density) const {
    using Kokkos::sqrt;
    if (!(density > T(0))) return T(0);
    if (density <= energy[0]) return density / heat_capacity[0];
    if (density >= energy[n - 1])
      return temperature[n - 1] + (density - energy[n - 1]) / heat_capacity[n - 1];
    const int k = segment(energy, density);
    // The root of C x + s x^2 / 2 = d in the form that does not cancel.
    const T d = density - energy[k], c = heat_capacity[k];
    return temperature[k] + T(2) * d / (c + T(sqrt(c * c + T(2) * slope(k) * d)));
  }

 private:
  KOKKOS_INLINE_FUNCTION T slope(int k) const {
    return (heat_capacity[k + 1] - heat_capacity[k]) / (temperature[k + 1] - temperature[k]);
  }
};

/// Energy density that a cell takes from its neighbour along an axis within dt; minus that is what the
/// neighbour takes from it, to the last bit. `dt_over_square`: dt / (cell edge)^2. However stiff electrons
/// become where they are cold, six such exchanges never carry a cell beyond its neighbours.
template <class T>
KOKKOS_INLINE_FUNCTION T heat_exchanged(const ElectronProperties<T>& of, T mine, T my_kelvin, T theirs,
                                        T their_kelvin, T dt_over_square) {
  using Kokkos::abs;
  using Kokkos::min;
  const T flow =
      of.conductivity_at(T(0.5) * (my_kelvin + their_kelvin)) * (their_kelvin - my_kelvin) * dt_over_square;
  const T most = T(abs(theirs - mine)) / T(12);
  return flow < T(0) ? -T(min(-flow, most)) : T(min(flow, most));
}

/// Cells that cut a box evenly; along open axes the outermost also hold what lies beyond.
struct HeatCells {
  int n[3];
  double lo[3], per_length[3];
  bool periodic[3];

  KOKKOS_INLINE_FUNCTION int size() const { return n[0] * n[1] * n[2]; }
  KOKKOS_INLINE_FUNCTION int slice(int d, double x) const {
    int c = static_cast<int>(Kokkos::floor((x - lo[d]) * per_length[d]));
    if (periodic[d]) {
      c %= n[d];
      return c < 0 ? c + n[d] : c;
    }
    return c < 0 ? 0 : c >= n[d] ? n[d] - 1 : c;
  }
  KOKKOS_INLINE_FUNCTION int cell_of(double x, double y, double z) const {
    return (slice(0, x) * n[1] + slice(1, y)) * n[2] + slice(2, z);
  }
  /// The neighbour of a cell along an axis, -1 or +1; the cell itself where there is none.
  KOKKOS_INLINE_FUNCTION int neighbour(int cell, int d, int way) const {
    const int stride = d == 0 ? n[1] * n[2] : d == 1 ? n[2] : 1;
    const int at = cell / stride % n[d], to = at + way;
    if (to >= 0 && to < n[d]) return cell + way * stride;
    if (!periodic[d]) return cell;
    return cell + (to < 0 ? n[d] - 1 : 1 - n[d]) * stride;
  }
};

/// Sums over atoms are kept in whole numbers of 2^-40 eV, so that neither threads nor ranks change a bit.
inline constexpr double heat_quanta_per_ev = 1099511627776.0;

}  // namespace wafermark::tungsten
