// What Kokkos::Experimental::Graph can hold on the back end of this build.
#pragma once

#include <Kokkos_Macros.hpp>

namespace wafermark {

/// Whether a graph takes kernels of teams: not with HIP, where Kokkos 5.2 compiles no large bodies of teams
/// into one (Kokkos_HIP_GraphNodeKernel.hpp asks them for a get_policy() that they have not).
#if defined(KOKKOS_ENABLE_HIP)
inline constexpr bool graphs_take_teams = false;
#else
inline constexpr bool graphs_take_teams = true;
#endif

}  // namespace wafermark
