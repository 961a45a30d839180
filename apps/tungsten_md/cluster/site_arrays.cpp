#include "tungsten_md/cluster/site_arrays.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "common/errors.hpp"

namespace wafermark::tungsten {
namespace {

struct Extent {
  Vector3View x;
  KOKKOS_FUNCTION void operator()(int i, double& x0, double& x1, double& y0, double& y1, double& z0,
                                  double& z1) const {
    widen(x(i, 0), x0, x1);
    widen(x(i, 1), y0, y1);
    widen(x(i, 2), z0, z1);
  }
  KOKKOS_FORCEINLINE_FUNCTION static void widen(double c, double& lowest, double& highest) {
    if (c < lowest) lowest = c;
    if (c > highest) highest = c;
  }
};

/// Of atoms and ghosts, and behind them the dummy, which belongs to no slope and has a valid type.
template <class Real>
struct PlaceAllSites {
  Vector3View x;
  SitePlacer sites;
  Kokkos::View<Real*, MemSpace> quads;
  TypeView type;
  int n;
  double dummy[3];
  KOKKOS_FUNCTION void operator()(int i) const {
    if (i < n) {
      sites.place(i, x(i, 0), x(i, 1), x(i, 2));
      return;
    }
    sites.place(n, dummy[0], dummy[1], dummy[2]);
    quads(4 * n + 3) = Real(0);
    type(n) = 0;
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
  fit(p, list.radius);
  const double dummy[3] = {sites_.centre[0] + dummy_, sites_.centre[1], sites_.centre[2]};
  Kokkos::parallel_for(
      "place_sites", over(n),
      PlaceAllSites<Real>{p.x, placer(), sites_.quads, p.type, n - 1, {dummy[0], dummy[1], dummy[2]}});
}

/// Site coordinates are relative to the middle of the occupied space and span at most half of the 32-bit
/// range of mixed precision, atoms' drift until the next list included; the dummy lies a quarter range
/// beyond.
template <class Precision>
void SiteArrays<Precision>::fit(const Particles& p, double radius) {
  const int n = p.n_local + p.n_ghost;
  double lowest[3] = {0, 0, 0}, highest[3] = {0, 0, 0};
  using Least = Kokkos::Min<double>;
  using Most = Kokkos::Max<double>;
  if (n > 0)
    Kokkos::parallel_reduce("extent", over(n), Extent{p.x}, Least(lowest[0]), Most(highest[0]),
                            Least(lowest[1]), Most(highest[1]), Least(lowest[2]), Most(highest[2]));
  double extent = 0.0;
  for (int d = 0; d < 3; ++d) {
    sites_.centre[d] = 0.5 * (lowest[d] + highest[d]);
    extent = std::max(extent, highest[d] - lowest[d]);
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
  dummy_ = 0.9999 * extent;
}

template <class Precision>
SitePlacer SiteArrays<Precision>::placer() const {
  SitePlacer to;
  if constexpr (std::is_same_v<Real, float>)
    to.singles = sites_.quads;
  else
    to.doubles = sites_.quads;
  std::copy_n(sites_.centre, 3, to.centre);
  to.inverse_unit = sites_.inverse_unit;
  return to;
}

template <class Precision>
void SiteArrays<Precision>::clear_forces() const {
  Kokkos::deep_copy(ExecSpace(), force_, Real(0));
}

template class SiteArrays<DoublePrecision>;
template class SiteArrays<MixedPrecision>;

}  // namespace wafermark::tungsten
