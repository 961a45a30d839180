// The arrays of the pair loops that every potential has: sites, and the force quads of half lists.
#pragma once

#include <string>

#include "tungsten_md/cluster/pair_loop.hpp"
#include "tungsten_md/cluster/site_placer.hpp"

namespace wafermark::tungsten {

template <class Real>
using RealView = Kokkos::View<Real*, MemSpace>;

template <class Real>
RealView<Real> uninitialised(const std::string& name, std::size_t size) {
  return RealView<Real>(Kokkos::view_alloc(Kokkos::WithoutInitializing, name), size);
}

template <class Precision>
class SiteArrays {
 public:
  using Real = typename Precision::Real;

  /// Room for atoms, ghosts and the dummy, around the space that they occupy now, and their sites; the type
  /// of the dummy is set. Call when a list is new. Throws InputError where the space is too wide for the
  /// precision.
  void prepare(const Particles& p, const VerletList& list);
  SitePlacer placer() const;
  /// Half lists: force quads of zero.
  void clear_forces() const;

  int room() const { return sites_.quads.extent_int(0) / 4; }  ///< sites
  const Sites<Real>& sites() const { return sites_; }
  const RealView<Real>& force() const { return force_; }
  std::size_t bytes() const { return sizeof(Real) * (sites_.quads.size() + force_.size()); }

 private:
  void fit(const Particles& p, double radius);

  Sites<Real> sites_;
  double dummy_ = 0.0;  ///< its x, Angstrom from the centre
  RealView<Real> force_;
};

extern template class SiteArrays<DoublePrecision>;
extern template class SiteArrays<MixedPrecision>;

}  // namespace wafermark::tungsten
