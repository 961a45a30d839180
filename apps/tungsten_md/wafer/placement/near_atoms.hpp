// Which atoms lie near a place: a grid of cells over a structure.
#pragma once

#include <array>
#include <cstddef>
#include <vector>

#include "tungsten_md/model/configuration.hpp"

namespace wafermark::tungsten {

/// All ids and types are the structure's own; it must outlive this.
class NearAtoms {
 public:
  /// Cells no smaller than `within`, Angstrom. Atoms may have left an open box.
  NearAtoms(const Configuration& structure, double within);

  /// visit(index, separation): the atoms nearer than `within` to a place, each by its nearest image and once;
  /// an atom at the very place too.
  template <class Visit>
  void visit(const Vec3& place, const Visit& visit) const {
    std::array<std::array<int, 3>, 3> around;
    std::array<int, 3> n;
    for (std::size_t d = 0; d < 3; ++d) n[d] = around_cell(place[d], d, around[d]);
    for (int ix = 0; ix < n[0]; ++ix)
      for (int iy = 0; iy < n[1]; ++iy)
        for (int iz = 0; iz < n[2]; ++iz) {
          const std::size_t cell =
              number(around[0][static_cast<std::size_t>(ix)], around[1][static_cast<std::size_t>(iy)],
                     around[2][static_cast<std::size_t>(iz)]);
          for (std::size_t e = begin_[cell]; e < begin_[cell + 1]; ++e) {
            const Vec3& y = structure_->atoms.x[order_[e]];
            const Vec3 d = structure_->box.minimum_image({place[0] - y[0], place[1] - y[1], place[2] - y[2]});
            if (d[0] * d[0] + d[1] * d[1] + d[2] * d[2] < within2_) visit(order_[e], d);
          }
        }
  }
  /// How many of them, beside atom k itself.
  int count(std::size_t k) const;

 private:
  int cell_at(double x, std::size_t d) const;
  /// The cells around, each once even where an axis has fewer than three; returns how many.
  int around_cell(double x, std::size_t d, std::array<int, 3>& cells) const;
  std::size_t number(int ix, int iy, int iz) const;

  const Configuration* structure_;
  double within2_;
  Vec3 lo_, hi_;
  std::array<int, 3> cells_{};
  std::vector<std::size_t> begin_, order_;
};

}  // namespace wafermark::tungsten
