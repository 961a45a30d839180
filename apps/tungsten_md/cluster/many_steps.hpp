// Many steps by one kernel, for samples so small that a step is made of launches: one rank's atoms move, find
// their periodic images, and get their forces and second half kicks, step after step, until so many steps are
// made or a new list is due, which the host makes. Teams share the atoms and wait for one another where a
// step by several kernels has a kernel end (league_barrier.hpp). What is done to an atom, the same loop
// bodies do that the kernels of a single step run.
#pragma once

#include "tungsten_md/cluster/row_lanes.hpp"
#include "tungsten_md/cluster/step_launches.hpp"

namespace wafermark::tungsten {

template <class Forces>
struct ManySteps {
  StepOfRank of_rank;
  Forces forces;
  StepsAsked asked;
  int n_local, n_images;
  int lanes;  ///< that share an atom's neighbours: the vector lanes of a thread

  KOKKOS_FUNCTION void operator()(const Team& team) const {
    League league(team, asked.memory.league.data());
    StepsMade made;
    made.together = league.meet();
    if (made.together) made.steps = run(team, league);
    if (!league.leave()) return;
    made.displacement_squared = asked.memory.made().displacement_squared;
    made.late = asked.memory.made().late;
    asked.memory.told() = made;
    asked.memory.made() = StepsMade{};
  }

 private:
  /// Whole steps made.
  KOKKOS_FUNCTION int run(const Team& team, League& league) const {
    for (int step = 0; step < asked.steps; ++step) {
      each(team, n_local, [&](int i) { move(i, step); });
      league.barrier();
      if (Kokkos::atomic_load(&asked.memory.made().displacement_squared) > 0.0) return step;
      if (n_images > 0) {
        each(team, n_images, of_rank.images);
        league.barrier();
      }
      if constexpr (Forces::has_density) {
        each_row(team, [&](int i, const LanesOfThread& row) { forces.density(i, row); });
        league.barrier();
        if (n_images > 0) {
          each(team, n_images, [&](int g) { forces.image_slope(g); });
          league.barrier();
        }
      }
      each_row(team, [&](int i, const LanesOfThread& row) {
        forces.force(i, row);
        row.once([&] { of_rank.second_kick(i); });
      });
      league.barrier();  // the sites that forces were read from move in the next step
    }
    return asked.steps;
  }

  /// A team takes consecutive items, its threads' lanes one after the other.
  template <class Body>
  KOKKOS_FORCEINLINE_FUNCTION static void each(const Team& team, int n, const Body& body) {
    const int share = (n + team.league_size() - 1) / team.league_size();
    const int begin = Kokkos::min(n, share * team.league_rank()), end = Kokkos::min(n, begin + share);
    Kokkos::parallel_for(Kokkos::TeamVectorRange(team, begin, end), body);
  }
  /// The same atoms, a thread with all its lanes for each.
  template <class Body>
  KOKKOS_FORCEINLINE_FUNCTION void each_row(const Team& team, const Body& body) const {
    const int share = (n_local + team.league_size() - 1) / team.league_size();
    const int begin = share * team.league_rank(), end = Kokkos::min(n_local, begin + share);
    for (int i = begin + team.team_rank(); i < end; i += team.team_size())
      body(i, LanesOfThread(team, lanes));
  }

  KOKKOS_FORCEINLINE_FUNCTION void move(int i, int step) const {
    if (step == 0 && !(displacement(i) <= asked.list_bears))
      Kokkos::atomic_store(&asked.memory.made().late, 1);
    double moved2 = 0.0, speed2 = 0.0, kicked2 = 0.0;
    of_rank.move(i, moved2, speed2, kicked2);
    if (!(Kokkos::sqrt(moved2) <= asked.list_bears))
      Kokkos::atomic_max(&asked.memory.made().displacement_squared, moved2);
  }
  KOKKOS_FORCEINLINE_FUNCTION double displacement(int i) const {
    double moved2 = 0.0;
    for (int d = 0; d < 3; ++d) {
      const double moved = of_rank.move.p.x(i, d) - of_rank.move.x_at_build(i, d);
      moved2 += moved * moved;
    }
    return Kokkos::sqrt(moved2);
  }
};

/// Teams that run at once on a device that does nothing else, and their threads.
struct LeagueShape {
  int teams, threads;
  /// For so many atoms, a thread each where there are as many threads. `most_threads`: of a team of that
  /// kernel, so that one fits each multiprocessor; each has so many vector lanes.
  static LeagueShape of(int atoms, int most_threads, int lanes);
};

/// Launches it, waits, and tells what it did.
template <class Forces>
StepsMade run_many_steps(const StepOfRank& step, const Forces& forces, const StepsAsked& asked, int lanes) {
  const Particles& p = step.particles();
  const ManySteps<Forces> kernel{step, forces, asked, p.n_local, p.n_ghost, lanes};
  const int most = Kokkos::TeamPolicy<ExecSpace>(1, 1, lanes).team_size_max(kernel, Kokkos::ParallelForTag());
  const LeagueShape shape = LeagueShape::of(p.n_local, most, lanes);
  Kokkos::parallel_for("many_steps", Kokkos::TeamPolicy<ExecSpace>(shape.teams, shape.threads, lanes),
                       kernel);
  ExecSpace().fence("before the host reads how many steps were made");
  return asked.memory.told();
}

}  // namespace wafermark::tungsten
