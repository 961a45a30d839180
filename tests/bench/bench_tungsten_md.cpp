// tungsten_md's kernels and loops, one line each: ./bench_tungsten_md [--benchmark_filter=...]
// Rates are items (atoms or pairs) per second on one rank.
#include <benchmark/benchmark.h>
#include <mpi.h>

#include <random>

#include "common/mpi_start.hpp"
#include "tungsten_md/cluster/domain.hpp"
#include "tungsten_md/cluster/integrate.hpp"
#include "tungsten_md/kernels/eam.hpp"
#include "tungsten_md/model/analytic_potential.hpp"
#include "tungsten_md/model/crystal.hpp"

namespace wafermark::tungsten {
namespace {

/// 16,000 tungsten atoms with the shake of about 300 K, Ackland-Thetford (14 neighbours) or Zhou (58).
struct Crystal {
  Communicator comm{MPI_COMM_SELF};
  RegionTimes times;
  PotentialTables potential;
  Domain domain;

  Crystal(const char* model, const char* precision, ListKind list)
      : potential(make_analytic_potential(model, {"W"})),
        domain(comm, atoms(), potential, settings(precision, list), times) {}

  static DomainSettings settings(const char* precision, ListKind list) {
    DomainSettings s;
    s.precision = precision;
    s.list = list;
    return s;
  }
  static Configuration atoms() {
    auto c =
        build_crystal(make_lattice(LatticeKind::bcc, 3.165, {20, 20, 20}), {true, true, true}, "W", 183.84);
    std::mt19937_64 random(1);
    std::normal_distribution<double> shake(0.0, 0.08);
    for (auto& x : c.atoms.x)
      for (double& component : x) component += shake(random);
    return c;
  }
};

void forces(benchmark::State& state, const char* model, const char* precision, ListKind list) {
  Crystal crystal(model, precision, list);
  for (auto _ : state) crystal.domain.compute_forces();
  state.SetItemsProcessed(state.iterations() * crystal.domain.atoms());
}
BENCHMARK_CAPTURE(forces, W58_double_half, "zhou_2004", "double", ListKind::half);
BENCHMARK_CAPTURE(forces, W58_double_full, "zhou_2004", "double", ListKind::full);
BENCHMARK_CAPTURE(forces, W58_mixed_half, "zhou_2004", "mixed", ListKind::half);
BENCHMARK_CAPTURE(forces, W58_mixed_full, "zhou_2004", "mixed", ListKind::full);
BENCHMARK_CAPTURE(forces, W14_double_half, "ackland_thetford_1987", "double", ListKind::half);
BENCHMARK_CAPTURE(forces, W14_mixed_half, "ackland_thetford_1987", "mixed", ListKind::half);

void rebuild(benchmark::State& state, const char* model) {
  Crystal crystal(model, "double", ListKind::half);
  for (auto _ : state) crystal.domain.rebuild();
  state.SetItemsProcessed(state.iterations() * crystal.domain.atoms());
}
BENCHMARK_CAPTURE(rebuild, W58, "zhou_2004");
BENCHMARK_CAPTURE(rebuild, W14, "ackland_thetford_1987");

void integrate(benchmark::State& state) {
  Crystal crystal("ackland_thetford_1987", "double", ListKind::half);
  crystal.domain.compute_forces();
  for (auto _ : state) {
    benchmark::DoNotOptimize(crystal.domain.measured_kick_and_drift(0.0));
    kick(crystal.domain.particles(), 0.0);
  }
  state.SetItemsProcessed(state.iterations() * crystal.domain.atoms());
}
BENCHMARK(integrate);

/// The pair kernel alone: table look-up and force of packs of pairs at random distances.
template <class Real>
void pair_kernel(benchmark::State& state) {
  using T = native_lanes<Real, ExecSpace>;
  constexpr int width = Lanes<T>::width, packs = 1024, pieces = 501;
  std::mt19937_64 random(1);
  std::uniform_real_distribution<double> uniform(0.4, 0.99);
  Kokkos::View<Real*, Kokkos::HostSpace> distance("distance", packs * width),
      table("table", 8 * (pieces + 1));
  for (int k = 0; k < packs * width; ++k) distance(k) = static_cast<Real>(uniform(random));
  for (int k = 0; k < 8 * pieces; ++k) table(k) = static_cast<Real>(uniform(random));
  for (auto _ : state) {
    T sum(Real(0));
    for (int k = 0; k < packs; ++k) {
      T r;
      if constexpr (width == 1)
        r = distance(k);
      else
        r = T(distance.data() + k * width, Kokkos::Experimental::simd_flag_default);
      const auto at = locate(T(r * T(Real(pieces - 1))), r < T(Real(2)), pieces);
      const auto rho = load_quads(table.data(), typename Lanes<T>::Int(at.index + at.index));
      const auto phi = load_quads(table.data() + 4, typename Lanes<T>::Int(at.index + at.index));
      const auto pair = eam_radial<T>(T(Real(1)) / r, cubic_value(phi, at.p), cubic_slope(phi, at.p),
                                      cubic_slope(rho, at.p), cubic_slope(rho, at.p));
      sum = sum + eam_force_over_r(pair, T(Real(1)), T(Real(1)));
    }
    benchmark::DoNotOptimize(sum_of_lanes(sum));
  }
  state.SetItemsProcessed(state.iterations() * packs * width);
}
BENCHMARK_TEMPLATE(pair_kernel, double);
BENCHMARK_TEMPLATE(pair_kernel, float);

}  // namespace
}  // namespace wafermark::tungsten

int main(int argc, char** argv) {
  wafermark::start_mpi(&argc, &argv);
  setenv("KOKKOS_DISABLE_WARNINGS", "1", 0);
  {
    Kokkos::ScopeGuard kokkos(argc, argv);
    benchmark::Initialize(&argc, argv);
    benchmark::RunSpecifiedBenchmarks();
  }
  MPI_Finalize();
  return 0;
}
