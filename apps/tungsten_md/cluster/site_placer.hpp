// Writes the sites that pair loops read (pair_loop.hpp), for loops that move atoms and know neither the
// potential nor its precision: an atom is placed where it is moved, which saves a pass over memory and, on
// GPUs, a launch.
#pragma once

#include "tungsten_md/cluster/precision.hpp"
#include "tungsten_md/dynamics/particles.hpp"

namespace wafermark::tungsten {

/// One of the two arrays is empty: that of the precision that is not used.
struct SitePlacer {
  Kokkos::View<double*, MemSpace> doubles;
  Kokkos::View<float*, MemSpace> singles;
  double centre[3]{};
  double inverse_unit = 1.0;  ///< site units per Angstrom

  KOKKOS_FORCEINLINE_FUNCTION void place(int i, double x, double y, double z) const {
    if (singles.data() == nullptr)
      write<DoublePrecision>(doubles.data(), i, x, y, z);
    else
      write<MixedPrecision>(singles.data(), i, x, y, z);
  }

 private:
  template <class Precision>
  KOKKOS_FORCEINLINE_FUNCTION void write(typename Precision::Real* quads, int i, double x, double y,
                                         double z) const {
    typename Precision::Real* site = quads + 4 * static_cast<std::ptrdiff_t>(i);
    site[0] = Precision::encode(x, centre[0], inverse_unit);
    site[1] = Precision::encode(y, centre[1], inverse_unit);
    site[2] = Precision::encode(z, centre[2], inverse_unit);
  }
};

/// Sites of the local atoms, where those that moved them did not place them.
void place_local_sites(const Particles& p, const SitePlacer& sites);

}  // namespace wafermark::tungsten
