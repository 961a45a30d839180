// The sites of an ideal sc, bcc or fcc crystal: the nearest one is found by rounding.
#pragma once

#include "tungsten_md/analysis/reference_sites.hpp"
#include "tungsten_md/model/crystal.hpp"

namespace wafermark::tungsten {

/// A crystal is 1, 2 or 4 simple cubic lattices; the nearest site of each is a rounding, and the nearest of
/// these is the site whose Wigner-Seitz cell holds the point, exactly and at a fixed cost.
class LatticeSites final : public ReferenceSites {
 public:
  /// `box` is the simulation's. Throws InputError unless it spans a whole number of cells along periodic
  /// axes.
  LatticeSites(const Lattice& lattice, const Box& box);

  const Box& box() const override { return box_; }
  const Lattice& lattice() const { return lattice_; }
  std::int64_t size() const override { return lattice_.size(); }
  Vec3 position(std::int64_t site) const override { return lattice_.position(site); }
  std::int64_t nearest_site(const Vec3& x) const override;
  std::int64_t atom_of(std::int64_t site) const override { return site + 1; }
  std::int64_t site_of(std::int64_t atom) const override {
    return 1 <= atom && atom <= lattice_.size() ? atom - 1 : -1;
  }
  std::vector<Vec3> drift_candidates(const Communicator& comm, const Atoms& atoms) const override;

 private:
  /// Nearest point of the unbounded lattice: its cell, its basis site.
  struct Point {
    std::array<std::int64_t, 3> cell;
    int basis;
  };
  Point nearest_point(const Vec3& x) const;

  Lattice lattice_;
  Box box_;
};

}  // namespace wafermark::tungsten
