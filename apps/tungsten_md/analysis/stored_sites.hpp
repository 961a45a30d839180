// The positions of a stored configuration as reference sites: for crystals that no formula describes.
#pragma once

#include <utility>

#include "tungsten_md/analysis/reference_sites.hpp"

namespace wafermark::tungsten {

/// Sites are the reference's atoms, those of gas left out, in the order of their ids; the nearest one is
/// looked up in a grid of cells that hold about two sites each. Every rank keeps all sites (about 50 bytes
/// each). Along open axes an atom farther from every site than the sites' typical nearest-neighbour distance
/// has left.
class StoredSites final : public ReferenceSites {
 public:
  /// Collective: `reference` holds each rank's part. Throws InputError when there are no atoms or an id
  /// occurs twice.
  StoredSites(const Communicator& comm, const Configuration& reference);

  const Box& box() const override { return box_; }
  std::int64_t size() const override { return static_cast<std::int64_t>(id_.size()); }
  Vec3 position(std::int64_t site) const override { return x_[static_cast<std::size_t>(site)]; }
  std::int64_t nearest_site(const Vec3& x) const override;
  std::int64_t atom_of(std::int64_t site) const override { return id_[static_cast<std::size_t>(site)]; }
  std::int64_t site_of(std::int64_t atom) const override;
  bool ids_known() const override { return ids_known_; }
  std::vector<Vec3> drift_candidates(const Communicator& comm, const Atoms& atoms) const override;

  double neighbour_distance() const { return neighbour_distance_; }

 private:
  std::array<int, 3> cell_of(const Vec3& x) const;
  /// Nearest site other than `except`, and the squared distance to it.
  std::pair<std::int64_t, double> search(const Vec3& x, std::int64_t except) const;

  Box box_;
  bool ids_known_;
  std::vector<std::int64_t> id_;  ///< ascending
  std::vector<Vec3> x_;
  // Cells cover the bounds of the sites (the box along periodic axes); sites of cell c: order_[begin_[c]
  // ...).
  Vec3 grid_lo_{}, cell_edge_{};
  std::array<int, 3> cells_{1, 1, 1};
  std::vector<std::int64_t> begin_, order_;
  double neighbour_distance_ = 0.0;
};

}  // namespace wafermark::tungsten
