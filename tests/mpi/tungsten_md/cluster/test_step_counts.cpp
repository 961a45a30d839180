// What one time step starts and waits for: kernels, copies, waits for the device, messages, collectives; and
// what a step does that makes lists. On a GPU a step of few atoms costs what these cost, and so does one of
// thousands of small subdomains, so their numbers are held here. Full lists, as GPUs have them.
// WAFERMARK_PRINT_COUNTS=1 mpirun -np 4 test_step_counts prints them by label, of a rank in the middle.
#include <gtest/gtest.h>
#include <mpi.h>

#include <cstdio>
#include <cstdlib>
#include <string>

#include "kokkos_counts.hpp"
#include "tungsten_md/cluster/simulation.hpp"
#include "tungsten_md/model/analytic_potential.hpp"
#include "tungsten_md/model/lennard_jones.hpp"

// The MPI that this program calls: counted, then passed on.
extern "C" {
int MPI_Isend(const void* out, int n, MPI_Datatype type, int to, int tag, MPI_Comm comm,
              MPI_Request* request) {
  int size = 0;
  PMPI_Type_size(type, &size);
  wafermark::counts::note("message", "isend");
  wafermark::counts::note("sent", "bytes", std::int64_t{size} * n);
  return PMPI_Isend(out, n, type, to, tag, comm, request);
}
int MPI_Sendrecv(const void* out, int n_out, MPI_Datatype t_out, int to, int tag_out, void* in, int n_in,
                 MPI_Datatype t_in, int from, int tag_in, MPI_Comm comm, MPI_Status* status) {
  wafermark::counts::note("message", "sendrecv");
  return PMPI_Sendrecv(out, n_out, t_out, to, tag_out, in, n_in, t_in, from, tag_in, comm, status);
}
int MPI_Allreduce(const void* out, void* in, int n, MPI_Datatype type, MPI_Op op, MPI_Comm comm) {
  wafermark::counts::note("collective", "allreduce");
  return PMPI_Allreduce(out, in, n, type, op, comm);
}
}

namespace wafermark::tungsten {
namespace {

struct Counts {
  std::int64_t kernels = 0, copies = 0, waits = 0, allocations = 0, messages = 0, sent_bytes = 0,
               collectives = 0;
};

struct Crystal {
  PotentialTables potential;
  Lattice lattice;
  std::array<bool, 3> periodic;
};
const std::array<bool, 3> everywhere{true, true, true}, nowhere{false, false, false};

Crystal tungsten(std::array<int, 3> cells, std::array<bool, 3> periodic) {
  return {make_analytic_potential("ackland_thetford_1987", {"W"}),
          make_lattice(LatticeKind::bcc, 3.165, cells), periodic};
}
Crystal argon(std::array<int, 3> cells, std::array<bool, 3> periodic) {
  return {make_lennard_jones({0.010323565, 3.405, 8.5125, false}, {"Ar"}),
          make_lattice(LatticeKind::fcc, 5.3, cells), periodic};
}

struct StepCounts : public ::testing::Test {
  Communicator comm;
  RegionTimes times;
  Case what;
  counts::KokkosWatch watch;

  StepCounts() {
    what.run.timestep_ps = 0.002;
    what.run.skin_angstrom = 1.0;
    what.run.neighbour_list = "full";
    what.dynamics.temperature.draw_k = 580.0;
  }

  enum class Lists { kept, made };

  /// Of `steps` steps behind the first `warm_up`; of the rank that has most of each.
  Counts of_steps(const Crystal& c, int warm_up, int steps, Lists lists) {
    const Vec3 lo = c.lattice.box(c.periodic).lo, hi = c.lattice.box(c.periodic).hi;
    const auto& element = c.potential.elements[0];
    const Configuration start =
        build_crystal(c.lattice, c.periodic, element.symbol, element.mass_amu, lo, comm.is_root() ? hi : lo);
    Simulation s(comm, what, c.potential, start, times);
    for (int k = 0; k < warm_up; ++k) s.step(false);
    const std::int64_t before = s.domain().rebuilds();
    counts::calls.clear();
    counts::counting = true;
    for (int k = 0; k < steps; ++k) s.step(false);
    counts::counting = false;
    EXPECT_EQ(s.domain().rebuilds() - before, lists == Lists::made ? steps : 0);
    if (std::getenv("WAFERMARK_PRINT_COUNTS") != nullptr && comm.rank() == comm.size() / 2)
      for (const auto& [label, n] : counts::calls)
        std::printf("%6.2f  %s\n", static_cast<double>(n) / steps, label.c_str());
    const auto most = [&](const char* kind) { return comm.max(counts::of_kind(kind)); };
    return {most("kernel"),  most("copy"), most("wait"),      most("allocation"),
            most("message"), most("sent"), most("collective")};
  }
  Counts between_lists(const Crystal& c) { return of_steps(c, 1, steps, Lists::kept); }
  /// Stages of an exchange that send: all at once to three neighbours, along x and y where there are eight.
  int stages() const { return comm.size() == 1 ? 0 : comm.size() == 4 ? 1 : 2; }
  /// Messages that a rank in the middle sends in an exchange.
  int messages() const { return comm.size() == 1 ? 0 : comm.size() == 4 ? 3 : 4; }

  static constexpr int steps = 6;
  /// Embedded atoms or Lennard-Jones, by a lane an atom or several: the same counts.
  static constexpr std::pair<bool, int> any_lanes[] = {{true, 1}, {false, 1}, {true, 8}, {false, 8}};
};

// Moving (the sites with the atoms), density, embedding, force, the second half of the kick.
constexpr int density_kernels = 5, plain_kernels = 3;

TEST_F(StepCounts, OfAnOpenSlab) {
  const std::array<int, 3> cells{24, 24, 4};
  const bool alone = comm.size() == 1;
  for (const auto& [density, lanes] : any_lanes) {
    what.dynamics.temperature.draw_k = density ? 580.0 : 40.0;
    what.run.lanes_per_atom = lanes;
    const Counts n = between_lists(density ? tungsten(cells, nowhere) : argon(cells, nowhere));
    // Ghosts: what leaves in a stage is packed in one kernel, what arrives is taken in by another.
    const int exchanges = density ? 2 : 1;
    EXPECT_EQ(n.kernels, steps * ((density ? density_kernels : plain_kernels) + 2 * exchanges * stages()));
    EXPECT_EQ(n.waits, steps * exchanges * stages()) << "the host waits before MPI reads, and nowhere else";
    EXPECT_EQ(n.messages, steps * exchanges * messages());
    EXPECT_EQ(n.copies, 0);
    EXPECT_EQ(n.allocations, 0);
    EXPECT_EQ(n.collectives, 0);
    if (alone) EXPECT_EQ(n.sent_bytes, 0);
    if (!alone) EXPECT_GT(n.sent_bytes, 0);
  }
}

TEST_F(StepCounts, OfAPeriodicCube) {
  if (comm.size() == 9) GTEST_SKIP() << "counted on fewer ranks";
  const std::array<int, 3> cells{10, 10, 10};
  const bool alone = comm.size() == 1;
  for (const auto& [density, lanes] : any_lanes) {
    what.dynamics.temperature.draw_k = density ? 580.0 : 40.0;
    what.run.lanes_per_atom = lanes;
    const Counts n = between_lists(density ? tungsten(cells, everywhere) : argon(cells, everywhere));
    // A rank's own images are taken by their indices: nothing is packed, and nobody waits.
    const int exchanges = density ? 2 : 1;
    EXPECT_EQ(n.kernels, steps * ((density ? density_kernels : plain_kernels) + (alone ? 1 : 2) * exchanges));
    EXPECT_EQ(n.waits, alone ? 0 : steps * exchanges);
    EXPECT_EQ(n.messages, steps * exchanges * messages());
    EXPECT_EQ(n.copies, 0);
    EXPECT_EQ(n.allocations, 0);
    EXPECT_EQ(n.collectives, 0);
  }
}

TEST_F(StepCounts, OfAStepThatMakesLists) {
  what.run.list_every = 1;
  const Counts cube = of_steps(tungsten({10, 10, 10}, everywhere), 40, steps, Lists::made);
  const bool alone = comm.size() == 1;
  // Along the axes: three stages for the atoms, their first positions, and their slopes.
  const bool along_axes = stages() == 2;
  EXPECT_LE(cube.kernels, steps * (alone ? 24 : along_axes ? 35 : 26));
  EXPECT_LE(cube.waits, steps * (alone ? 5 : along_axes ? 11 : 7));
  EXPECT_EQ(cube.allocations, 0);
  EXPECT_EQ(cube.copies, 0);
}

TEST_F(StepCounts, HostsDoNotWaitForHeat) {
  what.dynamics.thermostat = ThermostatSettings::of_kind(ThermostatSettings::Kind::langevin, 580.0, 1.0);
  what.dynamics.stopping.kind = StoppingSettings::Kind::sqrt;
  what.dynamics.stopping.coefficient = 0.01;
  const Counts n = between_lists(tungsten({10, 10, 10}, everywhere));
  EXPECT_EQ(n.waits, steps * (2 * stages() + 1)) << "for the displacements, which a bath makes unpredictable";
  EXPECT_EQ(n.collectives, steps);
  EXPECT_EQ(n.copies, 0);
}

TEST_F(StepCounts, AStepIsOneGraphOrOneKernelMakesManySteps) {
  if (comm.size() > 1) GTEST_SKIP() << "of a rank that is alone";
  for (const Launch launch : {Launch::graph, Launch::persistent}) {
    for (const Crystal& c : {tungsten({10, 10, 10}, everywhere), tungsten({24, 24, 4}, nowhere),
                             argon({10, 10, 10}, everywhere)}) {
      what.dynamics.temperature.draw_k = c.potential.lennard_jones ? 40.0 : 580.0;
      what.run.launch = launch;
      what.run.lanes_per_atom = c.periodic[0] ? 8 : 1;
      const auto& element = c.potential.elements[0];
      Simulation s(comm, what, c.potential,
                   build_crystal(c.lattice, c.periodic, element.symbol, element.mass_amu), times);
      for (int k = 0; k < 2; ++k) s.run_ahead(1);  // which makes the graph
      const std::int64_t before = s.domain().rebuilds();
      counts::calls.clear();
      counts::counting = true;
      s.run_ahead(steps);
      counts::counting = false;
      EXPECT_EQ(s.steps_done(), 2 + steps);
      EXPECT_EQ(s.domain().rebuilds(), before);
      const bool graph = launch == Launch::graph;
      EXPECT_EQ(counts::of_kind("event"), graph ? steps : 0);
      EXPECT_EQ(counts::of_kind("kernel"), graph ? 0 : 1);
      EXPECT_EQ(counts::of_kind("wait"), graph ? 0 : 1) << "for how many steps it made";
      EXPECT_EQ(counts::of_kind("copy") + counts::of_kind("allocation") + counts::of_kind("collective"), 0);
    }
  }
}

TEST_F(StepCounts, DisplacementsAreAskedForNowAndThen) {
  if (comm.size() == 9) GTEST_SKIP() << "counted on fewer ranks";
  const Counts n = of_steps(tungsten({10, 10, 10}, everywhere), 1, 32, Lists::kept);
  EXPECT_GT(n.collectives, 0);
  EXPECT_LE(n.collectives, 32 / 4);
}

}  // namespace
}  // namespace wafermark::tungsten
