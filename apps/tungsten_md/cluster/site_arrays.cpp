#include "tungsten_md/cluster/site_arrays.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "common/errors.hpp"

namespace wafermark::tungsten {
namespace {

struct Extent {
  Vector3View x;
  int axis;
  KOKKOS_FUNCTION void operator()(int i, double& lowest, double& highest) const {
    if (x(i, axis) < lowest) lowest = x(i, axis);
    if (x(i, axis) > highest) highest = x(i, axis);
  }
};

template <class Precision>
struct PlaceSites {
  Vector3View x;
  Sites<typename Precision::Real> sites;
  KOKKOS_FUNCTION void operator()(int i) const {
    for (int d = 0; d < 3; ++d)
      sites.quads(4 * i + d) = Precision::encode(x(i, d), sites.centre[d], sites.inverse_unit);
  }
};

}  // namespace

template <class Precision>
void SiteArrays<Precision>::prepare(const Particles& p, const VerletList& list) {
  const int n = p.n_local + p.n_ghost + 1;
  if (room() < n) {
    const auto sites = static_cast<std::size_t>(n + n / 16);
    sites_.quads = {};
    force_ = {};
    sites_.quads = uninitialised<Real>("sites", 4 * sites);
    if (list.kind == ListKind::half) force_ = uninitialised<Real>("force_quads", 4 * sites);
  }
  place_centre(p, list.radius);
}

/// Site coordinates are relative to the middle of the occupied space and span at most half of the 32-bit
/// range of mixed precision, atoms' drift until the next list included; the dummy lies a quarter range
/// beyond.
template <class Precision>
void SiteArrays<Precision>::place_centre(const Particles& p, double radius) {
  double extent = 0.0;
  for (int d = 0; d < 3; ++d) {
    double lowest = 0.0, highest = 0.0;
    Kokkos::parallel_reduce("extent", over(p.n_local + p.n_ghost), Extent{p.x, d},
                            Kokkos::Min<double>(lowest), Kokkos::Max<double>(highest));
    if (p.n_local + p.n_ghost == 0) lowest = highest = 0.0;
    sites_.centre[d] = 0.5 * (lowest + highest);
    extent = std::max(extent, highest - lowest);
  }
  extent += 4.0 * radius;
  if constexpr (std::is_same_v<Real, float>) {
    constexpr double widest = 2e4;  // steps of 1e-5 Angstrom
    if (extent > widest)
      throw InputError(
          fmt::format("run.precision = \"mixed\": found atoms of one rank {:.3g} Angstrom apart, "
                      "expected at most {:.3g} (double has no such limit)",
                      extent, widest));
    sites_.inverse_unit = 2147483648.0 / extent;
    sites_.unit = static_cast<Real>(1.0 / sites_.inverse_unit);
  }
  const Real dummy[4] = {Precision::encode(0.9999 * extent, 0.0, sites_.inverse_unit),
                         Precision::encode(0.0, 0.0, sites_.inverse_unit),
                         Precision::encode(0.0, 0.0, sites_.inverse_unit), Real(0)};
  Kokkos::View<const Real*, Kokkos::HostSpace, Kokkos::MemoryTraits<Kokkos::Unmanaged>> host(dummy, 4);
  const int last = 4 * (p.n_local + p.n_ghost);
  Kokkos::deep_copy(Kokkos::subview(sites_.quads, Kokkos::make_pair(last, last + 4)), host);
}

template <class Precision>
void SiteArrays<Precision>::place(const Particles& p, ListKind list) {
  Kokkos::parallel_for("place_sites", over(p.n_local + p.n_ghost), PlaceSites<Precision>{p.x, sites_});
  if (list == ListKind::half) Kokkos::deep_copy(ExecSpace(), force_, Real(0));
}

template class SiteArrays<DoublePrecision>;
template class SiteArrays<MixedPrecision>;

}  // namespace wafermark::tungsten
