// Device memory of a build for CPUs that only kernels and copies may touch: a host's access, which a GPU
// would answer by a crash far from its cause, ends here where it happens, with the name of the view (preset
// `separate-memory`).
#pragma once

#include <Kokkos_Core.hpp>
#include <cstddef>

namespace wafermark {

/// A memory space of Kokkos. All of it lies in one range of addresses, which the operating system lets nobody
/// read or write but while a kernel or a copy runs, as Kokkos' callbacks tell. Mirrors of its views are
/// copies, as on a GPU. A copy between it and a host that Kokkos makes by a kernel, since a view is not
/// contiguous, ends the program: a GPU has no such kernel.
///
/// Not found: what loops on DefaultHostExecutionSpace touch, for which memory is open as well, and kernels
/// that read host memory.
class SeparateMemory {
 public:
  using memory_space = SeparateMemory;
  using execution_space = Kokkos::DefaultExecutionSpace;
  using device_type = Kokkos::Device<execution_space, memory_space>;
  using size_type = std::size_t;
  using index_type = std::ptrdiff_t;

  static constexpr const char* name() { return "Separate"; }

  void* allocate(const char* label, std::size_t size, std::size_t logical_size = 0) const;
  void* allocate(std::size_t size) const { return allocate("", size); }
  template <class Exec>
  void* allocate(const Exec&, std::size_t size) const {
    return allocate("", size);
  }
  template <class Exec>
  void* allocate(const Exec&, const char* label, std::size_t size, std::size_t = 0) const {
    return allocate(label, size);
  }
  void deallocate(const char* label, void* begin, std::size_t size, std::size_t logical_size = 0) const;
  void deallocate(void* begin, std::size_t size) const { deallocate("", begin, size); }

  /// Copies bytes that lie in it, or in the host's memory.
  static void copy(void* to, const void* from, std::size_t bytes);

  /// It is open as long as one lives.
  class Open {
   public:
    Open();
    ~Open();
    Open(const Open&) = delete;
    Open& operator=(const Open&) = delete;
  };
};

}  // namespace wafermark

// What Kokkos asks of a memory space. Its kernels run on threads that read host memory, and only they (and
// copies) read it; yet a host must not, which mirrors and our own code ask.
template <>
struct Kokkos::Impl::MemorySpaceAccess<Kokkos::HostSpace, wafermark::SeparateMemory> {
  enum : bool { assignable = false };
  enum : bool { accessible = true };
};
template <>
struct Kokkos::Impl::MemorySpaceAccess<wafermark::SeparateMemory, Kokkos::HostSpace> {
  enum : bool { assignable = false };
  enum : bool { accessible = true };
};
template <>
struct Kokkos::SpaceAccessibility<Kokkos::HostSpace, wafermark::SeparateMemory> {
  enum : bool { accessible = false };
  enum : bool { assignable = false };
  using space = Kokkos::HostSpace;
};
template <>
struct Kokkos::Impl::HostMirror<wafermark::SeparateMemory> {
  using device_type = Kokkos::HostSpace::device_type;
  using execution_space = device_type::execution_space;
  using memory_space = device_type::memory_space;
  using Space = memory_space;
};
KOKKOS_IMPL_HOST_INACCESSIBLE_SHARED_ALLOCATION_SPECIALIZATION(wafermark::SeparateMemory);

namespace wafermark {
/// As Kokkos copies between two spaces.
struct SeparateCopy {
  SeparateCopy(void* to, const void* from, std::size_t bytes) { SeparateMemory::copy(to, from, bytes); }
  template <class Exec>
  SeparateCopy(const Exec&, void* to, const void* from, std::size_t bytes) : SeparateCopy(to, from, bytes) {}
};
}  // namespace wafermark
template <class Exec>
struct Kokkos::Impl::DeepCopy<wafermark::SeparateMemory, wafermark::SeparateMemory, Exec>
    : wafermark::SeparateCopy {
  using SeparateCopy::SeparateCopy;
};
template <class Exec>
struct Kokkos::Impl::DeepCopy<wafermark::SeparateMemory, Kokkos::HostSpace, Exec> : wafermark::SeparateCopy {
  using SeparateCopy::SeparateCopy;
};
template <class Exec>
struct Kokkos::Impl::DeepCopy<Kokkos::HostSpace, wafermark::SeparateMemory, Exec> : wafermark::SeparateCopy {
  using SeparateCopy::SeparateCopy;
};
