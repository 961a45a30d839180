// Where kernels run and what they read.
#pragma once

#include <Kokkos_Core.hpp>

#if defined(WAFERMARK_SEPARATE_MEMORY)
#include "common/separate_memory.hpp"
#endif

namespace wafermark {

using ExecSpace = Kokkos::DefaultExecutionSpace;
#if defined(WAFERMARK_SEPARATE_MEMORY)
using MemSpace = SeparateMemory;
using MemLayout = Kokkos::LayoutLeft;
using KernelScope = SeparateMemory::Open;
#else
using MemSpace = ExecSpace::memory_space;
/// How arrays of several numbers an element lie where nobody says so: on GPUs the first numbers of all
/// elements are together.
using MemLayout = ExecSpace::array_layout;
/// As long as one lives, what lies in MemSpace may be touched as by a kernel: for what runs kernels unknown
/// to Kokkos' callbacks, on a build that guards its memory.
struct KernelScope {
  KernelScope() {}
};
#endif
/// Host memory that kernels reach.
using SharedSpace = Kokkos::SharedHostPinnedSpace;

/// Whether kernels are run by threads of a CPU, which have no lanes of their own.
inline constexpr bool on_cpu = Kokkos::SpaceAccessibility<ExecSpace, Kokkos::HostSpace>::accessible;
/// Whether the host reads what lies in MemSpace.
inline constexpr bool host_reads_device = Kokkos::SpaceAccessibility<Kokkos::HostSpace, MemSpace>::accessible;

}  // namespace wafermark
