// Numbers of the host as an array of the device, and back.
#pragma once

#include <string>
#include <vector>

#include "tungsten_md/dynamics/particles.hpp"

namespace wafermark::tungsten {

inline ScalarView numbers_on_device(const std::vector<double>& values, const std::string& name) {
  ScalarView view(Kokkos::view_alloc(Kokkos::WithoutInitializing, name), values.size());
  Kokkos::deep_copy(view,
                    Kokkos::View<const double*, Kokkos::HostSpace, Kokkos::MemoryTraits<Kokkos::Unmanaged>>(
                        values.data(), values.size()));
  return view;
}

inline std::vector<double> numbers_on_host(const ScalarView& view) {
  const auto host = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), view);
  return {host.data(), host.data() + host.size()};
}

}  // namespace wafermark::tungsten
