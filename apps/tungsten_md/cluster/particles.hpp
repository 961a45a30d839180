// The atoms of one rank on the device: local atoms first, then ghosts.
#pragma once

#include <Kokkos_Core.hpp>
#include <cstdint>

namespace wafermark::tungsten {

using ExecSpace = Kokkos::DefaultExecutionSpace;
using MemSpace = ExecSpace::memory_space;
using Vector3View = Kokkos::View<double* [3], MemSpace>;
using ScalarView = Kokkos::View<double*, MemSpace>;
using IdView = Kokkos::View<std::int64_t*, MemSpace>;
using TypeView = Kokkos::View<int*, MemSpace>;

/// Structure of arrays in double, on the device. Entries [0, n_local) belong to this rank; [n_local, n_local
/// + n_ghost) of x, id and type are copies of other ranks' atoms or periodic images. v and f hold local atoms
/// only. Units: Angstrom, Angstrom/ps, eV/Angstrom.
struct Particles {
  int n_local = 0, n_ghost = 0;
  Vector3View x;
  Vector3View v;
  Vector3View f;
  IdView id;
  TypeView type;
  ScalarView mass_of_type;  ///< amu
};

}  // namespace wafermark::tungsten
