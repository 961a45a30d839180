// What one time step starts and waits for: kernels, copies, fences, messages, collectives. On machines of
// thousands of small subdomains a step costs what these cost, so their numbers are held here.
// WAFERMARK_PRINT_COUNTS=1 mpirun -np 9 test_step_counts prints them by label, of a rank in the middle.
#include <gtest/gtest.h>
#include <mpi.h>

#include <cstdio>
#include <cstdlib>
#include <map>
#include <string>

#include "tungsten_md/cluster/simulation.hpp"
#include "tungsten_md/model/analytic_potential.hpp"
#include "tungsten_md/model/lennard_jones.hpp"

namespace wafermark::tungsten {
namespace {

/// Calls by label, while `counting`.
std::map<std::string, int> calls;
bool counting = false;
void note(const std::string& what) {
  if (counting) ++calls[what];
}

void watch_kokkos() {
  namespace tools = Kokkos::Tools::Experimental;
  const auto kernel = [](const char* label, std::uint32_t, std::uint64_t*) {
    note("kernel " + std::string(label));
  };
  tools::set_begin_parallel_for_callback(kernel);
  tools::set_begin_parallel_reduce_callback(kernel);
  tools::set_begin_parallel_scan_callback(kernel);
  tools::set_begin_fence_callback(
      [](const char* label, std::uint32_t, std::uint64_t*) { note("fence " + std::string(label)); });
  tools::set_begin_deep_copy_callback([](Kokkos_Profiling_SpaceHandle, const char* to, const void*,
                                         Kokkos_Profiling_SpaceHandle, const char*, const void*,
                                         std::uint64_t) { note("copy " + std::string(to)); });
}

int of_kind(const std::string& kind) {
  int n = 0;
  for (const auto& [label, k] : calls)
    // Kokkos fences around a tool's callbacks; without a tool there are none.
    if (label.starts_with(kind + ' ') && label.find("Kokkos::Tools::") == std::string::npos) n += k;
  return n;
}

}  // namespace
}  // namespace wafermark::tungsten

// The MPI that this program calls: counted, then passed on.
extern "C" {
int MPI_Sendrecv(const void* out, int n_out, MPI_Datatype t_out, int to, int tag_out, void* in, int n_in,
                 MPI_Datatype t_in, int from, int tag_in, MPI_Comm comm, MPI_Status* status) {
  if (to != MPI_PROC_NULL) wafermark::tungsten::note("message sendrecv");
  return PMPI_Sendrecv(out, n_out, t_out, to, tag_out, in, n_in, t_in, from, tag_in, comm, status);
}
int MPI_Isend(const void* out, int n, MPI_Datatype type, int to, int tag, MPI_Comm comm,
              MPI_Request* request) {
  if (to != MPI_PROC_NULL) wafermark::tungsten::note("message isend");
  return PMPI_Isend(out, n, type, to, tag, comm, request);
}
int MPI_Waitall(int n, MPI_Request* requests, MPI_Status* statuses) {
  if (n > 0) wafermark::tungsten::note("wait all");
  return PMPI_Waitall(n, requests, statuses);
}
int MPI_Allreduce(const void* out, void* in, int n, MPI_Datatype type, MPI_Op op, MPI_Comm comm) {
  wafermark::tungsten::note("collective allreduce");
  return PMPI_Allreduce(out, in, n, type, op, comm);
}
}

namespace wafermark::tungsten {
namespace {

struct Counts {
  int kernels = 0, copies = 0, fences = 0, messages = 0, collectives = 0;
};

struct StepCounts : public ::testing::Test {
  Communicator comm;
  RegionTimes times;
  Case what;

  StepCounts() {
    watch_kokkos();
    what.run.timestep_ps = 0.002;
    what.run.skin_angstrom = 1.0;
    what.run.neighbour_list = "full";  // as on GPUs
    what.dynamics.temperature.draw_k = 580.0;
  }
  ~StepCounts() override {
    Kokkos::Tools::Experimental::set_begin_parallel_for_callback(nullptr);
    Kokkos::Tools::Experimental::set_begin_parallel_reduce_callback(nullptr);
    Kokkos::Tools::Experimental::set_begin_parallel_scan_callback(nullptr);
    Kokkos::Tools::Experimental::set_begin_fence_callback(nullptr);
    Kokkos::Tools::Experimental::set_begin_deep_copy_callback(nullptr);
  }

  /// Of `steps` steps behind the first, between two lists; of the rank that has most of each.
  Counts of_steps(const PotentialTables& potential, const Lattice& lattice, std::array<bool, 3> periodic,
                  const std::string& element, int steps) {
    Configuration start =
        build_crystal(lattice, periodic, element, potential.elements[0].mass_amu, lattice.box(periodic).lo,
                      comm.is_root() ? lattice.box(periodic).hi : lattice.box(periodic).lo);
    Simulation s(comm, what, potential, start, times);
    s.step(false);
    const std::int64_t lists = s.domain().rebuilds();
    calls.clear();
    counting = true;
    for (int k = 0; k < steps; ++k) s.step(false);
    counting = false;
    EXPECT_EQ(s.domain().rebuilds(), lists) << "a step made lists";
    if (std::getenv("WAFERMARK_PRINT_COUNTS") != nullptr && comm.rank() == comm.size() / 2)
      for (const auto& [label, n] : calls) std::printf("%6.2f  %s\n", double(n) / steps, label.c_str());
    const auto most = [&](const char* kind) { return comm.max(of_kind(kind)); };
    return {most("kernel"), most("copy"), most("fence"), most("message"), most("collective")};
  }
};

TEST_F(StepCounts, OfEmbeddedAtomsAndOfLennardJones) {
  const auto tungsten = make_analytic_potential("ackland_thetford_1987", {"W"});
  const auto argon = make_lennard_jones({0.010323565, 3.405, 8.5125, false}, {"Ar"});
  // A slab that is open everywhere on 3 x 3 ranks, whose middle one has four neighbours; a periodic cube on
  // others.
  const bool slab = comm.size() == 9;
  const int axes = slab ? 2 : 3, cells = slab ? 24 : 10;
  const std::array<bool, 3> periodic{!slab, !slab, !slab};
  for (const auto* potential : {&tungsten, &argon}) {
    const bool density = potential == &tungsten;
    const auto lattice = density ? make_lattice(LatticeKind::bcc, 3.165, {cells, cells, slab ? 4 : cells})
                                 : make_lattice(LatticeKind::fcc, 5.3, {cells, cells, slab ? 4 : cells});
    what.dynamics.temperature.draw_k = density ? 580.0 : 40.0;
    const int steps = 8, exchanges = density ? 2 : 1;
    const Counts n = of_steps(*potential, lattice, periodic, potential->elements[0].symbol, steps);
    const bool alone = comm.size() == 1;
    // Two to integrate, one to place the sites, one for pairs or three with density and embedding; an axis is
    // packed and unpacked, or copied where the rank is its own neighbour.
    EXPECT_EQ(n.kernels, steps * (3 + (density ? 3 : 1) + exchanges * axes * (alone ? 1 : 2)));
    EXPECT_EQ(n.copies, 0);
    EXPECT_EQ(n.fences, alone ? 0 : steps * exchanges * axes)
        << "the host waits before MPI reads, and nowhere else";
    EXPECT_EQ(n.messages, alone ? 0 : steps * exchanges * axes * 2);
    EXPECT_EQ(n.collectives, 0);
  }
}

TEST_F(StepCounts, DisplacementsAreAskedForNowAndThen) {
  if (comm.size() == 9) GTEST_SKIP() << "counted on the cube";
  const auto tungsten = make_analytic_potential("ackland_thetford_1987", {"W"});
  const Counts n =
      of_steps(tungsten, make_lattice(LatticeKind::bcc, 3.165, {10, 10, 10}), {true, true, true}, "W", 32);
  EXPECT_GT(n.collectives, 0);
  EXPECT_LE(n.collectives, 32 / 4);
}

}  // namespace
}  // namespace wafermark::tungsten
