// What a program starts and waits for, counted through Kokkos Tools' callbacks and by the MPI calls that a
// test passes on. The counts of a build for CPUs are those of a GPU's, but for what only a device needs:
// copies between its memory and the host's, which preset separate-memory has as well.
#pragma once

#include <Kokkos_Core.hpp>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "common/spaces.hpp"

namespace wafermark::counts {

/// Calls by "kind label", and sums of bytes by kind, while `counting`.
inline std::map<std::string, std::int64_t> calls;
inline bool counting = false;
inline Kokkos::Tools::Experimental::EventSet before;  ///< of memory that only kernels may touch
inline bool waits_again = false;                      ///< nothing has been started since the host last waited

inline void note(std::string_view kind, std::string_view label, std::int64_t n = 1) {
  if (counting) calls[std::string(kind) + ' ' + std::string(label)] += n;
}

inline void note_kernel(const char* label, std::uint32_t device, std::uint64_t* kernel) {
  note("kernel", label);
  waits_again = false;
  if (before.begin_parallel_for != nullptr) before.begin_parallel_for(label, device, kernel);
}

/// A fence behind a fence waits for nothing, and those around a tool's callbacks are only there with a tool.
inline void note_fence(const char* label, std::uint32_t, std::uint64_t*) {
  if (std::string_view(label).find("Kokkos::Tools::") != std::string_view::npos) return;
  // A graph's start, and a call in one: fences on a CPU, none on a GPU (Kokkos 5.2).
  for (const char* of_host : {"DefaultGraph::submit: fencing before", "DefaultGraphNode::then_host"})
    if (std::string_view(label).find(of_host) != std::string_view::npos) return;
  if (waits_again) return;
  note("wait", label);
  waits_again = true;
}

inline void note_copy(Kokkos_Profiling_SpaceHandle to_space, const char* to, const void* to_data,
                      Kokkos_Profiling_SpaceHandle from_space, const char* from, const void* from_data,
                      std::uint64_t bytes) {
  note("copy", to);
  note("copied", "bytes", static_cast<std::int64_t>(bytes));
  waits_again = false;
  if (before.begin_deep_copy != nullptr)
    before.begin_deep_copy(to_space, to, to_data, from_space, from, from_data, bytes);
}

/// Something was started that Kokkos tells tools nothing of (a graph).
inline void note_event(const char* label) {
  note("event", label);
  waits_again = false;
}

inline void note_allocation(Kokkos_Profiling_SpaceHandle, const char* label, const void*, std::uint64_t) {
  note("allocation", label);
}

/// Counts what Kokkos does as long as it lives.
class KokkosWatch {
 public:
  KokkosWatch() {
    const Kokkos::View<char, MemSpace> first("first");  // from here on its memory has its own callbacks
    before = Kokkos::Tools::Experimental::get_callbacks();
    set(note_kernel, note_fence, note_copy, note_allocation, note_event);
  }
  ~KokkosWatch() {
    set(before.begin_parallel_for, nullptr, before.begin_deep_copy, nullptr, nullptr);
    before = {};
  }
  KokkosWatch(const KokkosWatch&) = delete;
  KokkosWatch& operator=(const KokkosWatch&) = delete;

 private:
  static void set(Kokkos_Profiling_beginFunction kernel, Kokkos_Profiling_beginFenceFunction fence,
                  Kokkos_Profiling_beginDeepCopyFunction copy,
                  Kokkos_Profiling_allocateDataFunction allocation,
                  Kokkos_Profiling_profileEventFunction event) {
    namespace tools = Kokkos::Tools::Experimental;
    tools::set_begin_parallel_for_callback(kernel);
    tools::set_begin_parallel_reduce_callback(kernel);
    tools::set_begin_parallel_scan_callback(kernel);
    tools::set_begin_fence_callback(fence);
    tools::set_begin_deep_copy_callback(copy);
    tools::set_allocate_data_callback(allocation);
    tools::set_profile_event_callback(event);
  }
};

inline std::int64_t of_kind(std::string_view kind) {
  std::int64_t n = 0;
  for (const auto& [label, k] : calls)
    if (label.starts_with(std::string(kind) + ' ')) n += k;
  return n;
}

}  // namespace wafermark::counts
