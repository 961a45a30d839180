// The atoms of one rank on the device: local atoms first, then ghosts.
#pragma once

#include <Kokkos_Core.hpp>
#include <cstdint>
#include <vector>

#include "common/runtime.hpp"
#include "common/spaces.hpp"
#include "tungsten_md/model/configuration.hpp"

namespace wafermark::tungsten {

using Team = Kokkos::TeamPolicy<ExecSpace>::member_type;
using Vector3View = Kokkos::View<double* [3], MemLayout, MemSpace>;
using ScalarView = Kokkos::View<double*, MemSpace>;
using IdView = Kokkos::View<std::int64_t*, MemSpace>;
using TypeView = Kokkos::View<int*, MemSpace>;

/// One step of a loop for each of first ... end - 1. Loops take their ranges from here and from nowhere else:
/// a simulated clock is told how long they are.
inline Kokkos::RangePolicy<ExecSpace> over(int first, int end) {
  runtime::announce_items(end - first);
  return {first, end};
}
/// The same for 0 ... n - 1.
inline Kokkos::RangePolicy<ExecSpace> over(int n) { return over(0, n); }

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

/// Host atoms to the device and back. Masses in amu, by type.
Particles to_device(const Atoms& atoms, const std::vector<double>& masses);
Atoms to_host(const Particles& p);

/// Vectors of the first n atoms, as a part of the view. A device keeps each component of all atoms together,
/// so such a part goes to and from a host by way of a view of its own.
inline auto first_of(const Vector3View& view, int n) {
  return Kokkos::subview(view, Kokkos::make_pair(0, n), Kokkos::ALL);
}

/// The same in host memory.
inline auto first_on_host(const Vector3View& view, int n) {
  const Vector3View part(Kokkos::view_alloc(Kokkos::WithoutInitializing, view.label()), std::size_t(n));
  Kokkos::deep_copy(part, first_of(view, n));
  return Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), part);
}

}  // namespace wafermark::tungsten
