// Arrays that are made once and used again for list after list: on a GPU making one stops the device.
#pragma once

#include <Kokkos_Core.hpp>
#include <string>

namespace wafermark::tungsten {

/// Room for `size` elements at least, and an eighth more where it has to grow; what the array held is lost
/// then.
template <class ViewType>
void make_room(ViewType& view, int size, const std::string& label) {
  if (view.extent_int(0) >= size) return;
  view = {};
  view = ViewType(Kokkos::view_alloc(Kokkos::WithoutInitializing, label), size + size / 8);
}

/// The same, and keeps what the array held.
template <class ViewType>
void grow(ViewType& view, int size) {
  if (view.extent_int(0) < size) Kokkos::resize(view, size + size / 8);
}

}  // namespace wafermark::tungsten
