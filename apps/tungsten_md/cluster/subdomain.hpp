// The part of the box that one rank owns.
#pragma once

#include "common/communicator.hpp"
#include "tungsten_md/model/box.hpp"

namespace wafermark::tungsten {

/// A rank's cuboid of an even cut of the box. Along an open axis the outermost ranks also own what lies
/// beyond.
struct Subdomain {
  Box box;
  std::array<int, 3> grid{1, 1, 1};
  std::array<int, 3> coords{0, 0, 0};
  Vec3 lo{}, hi{};

  Subdomain(const Box& whole, const CartesianGrid& ranks)
      : box(whole), grid(ranks.dims()), coords(ranks.coords()) {
    for (int d = 0; d < 3; ++d) {
      lo[d] = edge(d, coords[d]);
      hi[d] = edge(d, coords[d] + 1);
    }
  }
  /// Lower face of the c-th slice along axis d.
  double edge(int d, int c) const {
    return c == grid[d] ? box.hi[d] : box.lo[d] + box.length(d) * c / grid[d];
  }
  /// Slice along axis d that holds coordinate x; positions outside the box count to the nearest slice.
  int slice_of(int d, double x) const {
    int c = static_cast<int>((x - box.lo[d]) / box.length(d) * grid[d]);
    c = c < 0 ? 0 : c >= grid[d] ? grid[d] - 1 : c;
    // The division may round across a face; the faces themselves decide.
    if (c > 0 && x < edge(d, c)) --c;
    if (c + 1 < grid[d] && x >= edge(d, c + 1)) ++c;
    return c;
  }
};

}  // namespace wafermark::tungsten
