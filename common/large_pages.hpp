// Fewer address translations for arrays that are read from end to end.
#pragma once

#include <Kokkos_Core.hpp>
#include <cstddef>
#include <cstdint>
#include <string>

namespace wafermark {

inline constexpr std::size_t large_page = std::size_t(1) << 21;  ///< bytes, on x86-64

/// Asks the operating system to back the bytes from `begin`, where a large page begins, by large pages
/// (`madvise(MADV_HUGEPAGE)`), which it often gives only when asked; the last one too if half of it is used.
/// Before the memory is first written; a wish, never an error.
void prefer_large_pages(const void* begin, std::size_t bytes);

/// An array [size], not initialised. On hosts it begins with a large page and lies in large pages, unless it
/// is much smaller than one.
template <class T, class Space = Kokkos::HostSpace>
Kokkos::View<T*, Space> large_page_array(const std::string& label, std::int64_t size) {
  const auto named = Kokkos::view_alloc(Kokkos::WithoutInitializing, label);
  const std::size_t bytes = std::size_t(size) * sizeof(T);
  if (!Kokkos::SpaceAccessibility<Kokkos::HostSpace, Space>::accessible || bytes < large_page / 2)
    return Kokkos::View<T*, Space>(named, std::size_t(size));
  const std::size_t pages = (bytes + large_page - 1) / large_page;  // what is not touched takes no memory
  const Kokkos::View<T*, Space> all(named, (pages + 1) * large_page / sizeof(T));
  const std::size_t before =
      (large_page - reinterpret_cast<std::uintptr_t>(all.data()) % large_page) % large_page / sizeof(T);
  const Kokkos::View<T*, Space> array =
      Kokkos::subview(all, Kokkos::make_pair(before, before + std::size_t(size)));
  prefer_large_pages(array.data(), bytes);
  return array;
}

}  // namespace wafermark
