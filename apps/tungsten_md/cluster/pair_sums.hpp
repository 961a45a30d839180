// What loops over pairs sum beside forces.
#pragma once

#include <Kokkos_Core.hpp>

#include "tungsten_md/dynamics/thermo.hpp"

namespace wafermark::tungsten {

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

inline EnergyVirial energy_and_virial(const PairSums& s) {
  return {s.phi, {s.xx, s.yy, s.zz, s.xy, s.xz, s.yz}};
}

}  // namespace wafermark::tungsten

template <>
struct Kokkos::reduction_identity<wafermark::tungsten::PairSums> {
  KOKKOS_FORCEINLINE_FUNCTION static wafermark::tungsten::PairSums sum() { return {}; }
};
