// Who walks a row of the Verlet list. One thread does on CPUs, whose vectors take a pack of neighbours at a
// time, and on a GPU that has atoms enough. With few atoms most of a GPU is idle while each thread takes its
// neighbours one after the other: there several lanes of a warp share a row and take its packs in turn, and
// what they find is added up in an order that never changes. Loops over pairs are written once for
// both: they ask `lanes` for the sum of the lanes' shares, and do once what is done to the atom.
#pragma once

#include <Kokkos_Core.hpp>

#include "tungsten_md/cluster/pair_sums.hpp"
#include "tungsten_md/dynamics/particles.hpp"

namespace wafermark::tungsten {

/// A thread by itself.
struct OneLane {
  /// Of share(lane, lanes) over all lanes.
  template <class Share>
  KOKKOS_FORCEINLINE_FUNCTION auto sum(const Share& share) const {
    return share(0, 1);
  }
  template <class Body>
  KOKKOS_FORCEINLINE_FUNCTION void once(const Body& body) const {
    body();
  }
};

/// The vector lanes of a thread of a team: on a GPU those of a warp, or a part of one, and the sum is a tree
/// of shuffles that all of them get. On CPUs one lane runs after the other.
class LanesOfThread {
 public:
  KOKKOS_FUNCTION LanesOfThread(const Team& team, int lanes) : team_(team), lanes_(lanes) {}

  template <class Share>
  KOKKOS_FORCEINLINE_FUNCTION auto sum(const Share& share) const {
    using Sum = decltype(share(0, 1));
    Sum total{};
    Kokkos::parallel_reduce(
        Kokkos::ThreadVectorRange(team_, lanes_), [&](int lane, Sum& part) { part += share(lane, lanes_); },
        total);
    return total;
  }
  template <class Body>
  KOKKOS_FORCEINLINE_FUNCTION void once(const Body& body) const {
    Kokkos::single(Kokkos::PerThread(team_), body);
  }

 private:
  const Team& team_;
  int lanes_;
};

/// A pass over rows as a kernel of teams, whose threads have so many vector lanes.
template <class Pass>
struct SharedRows {
  Pass pass;
  int rows, lanes;

  KOKKOS_FUNCTION void operator()(const Team& team) const {
    if (const int i = row(team); i < rows) pass.of_atom(i, LanesOfThread(team, lanes));
  }
  KOKKOS_FUNCTION void operator()(const Team& team, PairSums& sums) const {
    if (const int i = row(team); i < rows) pass.of_atom(i, LanesOfThread(team, lanes), sums);
  }

  /// Of 128 threads of a GPU, as RangePolicy has them where nobody says otherwise.
  static Kokkos::TeamPolicy<ExecSpace> policy(int rows, int lanes) {
    const int of_a_team = on_cpu ? 1 : 128 / lanes;
    return {(rows + of_a_team - 1) / of_a_team, of_a_team, lanes};
  }

 private:
  KOKKOS_FORCEINLINE_FUNCTION static int row(const Team& team) {
    return team.league_rank() * team.team_size() + team.team_rank();
  }
};

/// launch(policy, kernel) with the kernel of `pass` over rows 0 ... rows - 1: a thread a row, or so many
/// lanes. The pass has of_atom(i, lanes), and operator()(i) for one lane; where it sums, both take the sums
/// as well.
template <class Pass, class Launch>
void over_rows(int rows, int lanes, const Pass& pass, const Launch& launch) {
  if (lanes == 1)
    launch(over(rows), pass);
  else
    launch(SharedRows<Pass>::policy(rows, lanes), SharedRows<Pass>{pass, rows, lanes});
}

/// Lanes that share an atom's neighbours, where the deck leaves it open: doubled from 1 up to 32, as long as
/// all atoms' lanes run at once. `threads`: that run at once.
int lanes_for(std::int64_t atoms, std::int64_t threads);

/// Threads of pair loops that run at once on this device, whichever loop: a quarter of what it holds at most,
/// as of kernels with 128 registers (docs/gpus.md). 1 on CPUs, where lanes are those of a vector.
std::int64_t threads_at_once();

}  // namespace wafermark::tungsten
