// A barrier of all teams of a kernel, for kernels that make many steps.
//
// Nothing in Kokkos says that a kernel's teams run at the same time: on a device that is busy, or has fewer
// processors than teams, some begin when others have ended, and a team that waits for one of them waits for
// ever. So teams meet before they do anything: whoever begins says so, waits for the others for a while and
// no longer, and one compare-and-exchange decides for all of them whether they are together. If they are, all
// have begun, and threads of a GPU that have begun make progress (CUDA C++ Programming Guide, "Forward
// progress"; HIP's own grid barrier rests on the same), so that barriers from then on end. If they are not,
// every team leaves and has done nothing. No order in which teams begin makes one wait for ever.
//
// A barrier is that of CUDA's cooperative groups (grid_group::sync): the team's barrier, then one thread's
// fence, its arrival and its look at the others' arrivals, a fence, and the team's barrier again. What was
// written before it in one team is read behind it in all.
#pragma once

#include <Kokkos_Core.hpp>
#include <chrono>
#include <thread>

#include "tungsten_md/dynamics/particles.hpp"

namespace wafermark::tungsten {

/// What the teams of a kernel share, in device memory: all zero before the kernel and behind it.
struct LeagueWords {
  unsigned arrived = 0;   ///< at barriers, of all teams, one behind the other
  unsigned decision = 0;  ///< League::Decision
  unsigned left = 0;      ///< teams
};

/// One thread's part in it, as long as its kernel runs. All threads of all teams, and all their vector lanes,
/// call all functions, in the same order.
class League {
 public:
  KOKKOS_FUNCTION League(const Team& team, LeagueWords* words)
      : team_(team), words_(words), teams_(static_cast<unsigned>(team.league_size())) {}

  /// Whether all teams run. If not, go to leave().
  KOKKOS_FUNCTION bool meet() {
    if (teams_ == 1) return true;
    Kokkos::single(Kokkos::PerTeam(team_), [&] {
      const bool last = Kokkos::atomic_fetch_add(&words_->arrived, 1u) + 1u == teams_;
      int looks = last ? patience : 0;
      for (; looks < patience && Kokkos::atomic_load(&words_->decision) == undecided; ++looks) look_away();
      Kokkos::atomic_compare_exchange(&words_->decision, unsigned{undecided},
                                      unsigned{last ? together : apart});
    });
    team_.team_barrier();
    expected_ = teams_;
    return Kokkos::atomic_load(&words_->decision) == together;
  }

  KOKKOS_FUNCTION void barrier() {
    team_.team_barrier();
    if (teams_ == 1) return;
    expected_ += teams_;
    Kokkos::single(Kokkos::PerTeam(team_), [&] {
      Kokkos::memory_fence();
      Kokkos::atomic_inc(&words_->arrived);
      while (Kokkos::atomic_load(&words_->arrived) < expected_) let_others_run();
      Kokkos::memory_fence();
    });
    team_.team_barrier();
  }

  /// True in one thread of the last team: it sees what all teams wrote, and none of them will look at shared
  /// memory again.
  KOKKOS_FUNCTION bool leave() {
    team_.team_barrier();
    bool last = false;
    Kokkos::single(Kokkos::PerTeam(team_), [&] {
      Kokkos::memory_fence();
      last = Kokkos::atomic_fetch_add(&words_->left, 1u) + 1u == teams_;
      if (!last) return;
      Kokkos::memory_fence();
      *words_ = LeagueWords{};
    });
    return last;
  }

 private:
  enum Decision : unsigned { undecided, together, apart };
  /// Looks: of about a microsecond on a device, and on a CPU with pauses, so that threads without a core get
  /// one. Some tenths of a second.
  static constexpr int patience = on_cpu ? 1 << 12 : 1 << 19;
  KOKKOS_FORCEINLINE_FUNCTION static void look_away() {
    KOKKOS_IF_ON_HOST((std::this_thread::sleep_for(std::chrono::microseconds(100));))
  }
  KOKKOS_FORCEINLINE_FUNCTION static void let_others_run() { KOKKOS_IF_ON_HOST((std::this_thread::yield();)) }

  const Team& team_;
  LeagueWords* words_;
  unsigned teams_, expected_ = 0;  ///< arrivals before the barrier ends
};

}  // namespace wafermark::tungsten
