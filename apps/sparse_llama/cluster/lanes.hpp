// Warps of a device in Kokkos' terms: a thread of a team is a warp, whose lanes are the thread's vector
// lanes. On a host the same code runs by teams of one thread, lane after lane: for tests, and for simulated
// workers.
#pragma once

#include "sparse_llama/cluster/loops.hpp"

namespace wafermark::llama {

/// One T for each lane of a warp: on a device the lane's own register.
template <class T>
struct LaneValue {
  T values[on_cpu ? row_lanes : 1] = {};
  KOKKOS_INLINE_FUNCTION T& operator()(int lane) { return values[on_cpu ? lane : 0]; }
};

/// So many sums at once.
template <int n>
struct LaneSums {
  float at[n] = {};
  KOKKOS_INLINE_FUNCTION LaneSums& operator+=(const LaneSums& other) {
    for (int i = 0; i < n; ++i) at[i] += other.at[i];
    return *this;
  }
};

/// body(lane) by every lane of a warp.
template <class Body>
KOKKOS_INLINE_FUNCTION void each_lane(const Team::member_type& team, const Body& body) {
  Kokkos::parallel_for(Kokkos::ThreadVectorRange(team, row_lanes), body);
}

/// On devices the memory next to the team's processor; what Kokkos has there for hosts is too small.
inline constexpr int room_level = on_cpu ? 1 : 0;

/// Room of a team for n elements, which begin at a multiple of 16 bytes. Threads ask for it in the same
/// order.
template <class T>
KOKKOS_INLINE_FUNCTION T* team_array(const Team::member_type& team, std::int64_t n) {
  return static_cast<T*>(
      team.team_scratch(int(room_level)).get_shmem_aligned(n * std::int64_t(sizeof(T)), 16));
}
/// Bytes to ask for, for it.
template <class T>
constexpr std::int64_t team_bytes(std::int64_t n) {
  return n * std::int64_t(sizeof(T)) + 16;
}

/// `teams` teams of so many warps on a device, with room for `bytes` each.
inline Team warps_of_teams(std::int64_t teams, int warps, std::int64_t bytes = 0) {
  return Team(int(teams), on_cpu ? 1 : warps, row_lanes).set_scratch_size(room_level, Kokkos::PerTeam(bytes));
}

}  // namespace wafermark::llama

template <int n>
struct Kokkos::reduction_identity<wafermark::llama::LaneSums<n>> {
  KOKKOS_INLINE_FUNCTION static wafermark::llama::LaneSums<n> sum() { return {}; }
};
