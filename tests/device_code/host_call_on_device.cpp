// Must not compile for a GPU: the functor calls a function that exists on the host only. (With OpenMP it
// compiles.)
#include <Kokkos_Core.hpp>

namespace {

double kinetic_energy(double v) { return 0.5 * v * v; }

struct SumOfEnergies {
  Kokkos::View<const double*> v;
  KOKKOS_FUNCTION void operator()(int i, double& sum) const { sum += kinetic_energy(v(i)); }
};

}  // namespace

double total(const Kokkos::View<const double*>& v) {
  double sum = 0.0;
  Kokkos::parallel_reduce("total", v.extent_int(0), SumOfEnergies{v}, sum);
  return sum;
}
