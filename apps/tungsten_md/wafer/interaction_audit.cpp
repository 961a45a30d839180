#include "tungsten_md/wafer/interaction_audit.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace wafermark::tungsten {

std::vector<int> count_neighbours(const Configuration& c, double within, const std::vector<std::size_t>& of) {
  const std::size_t n = c.atoms.size();
  Vec3 lo = c.box.lo, hi = c.box.hi;
  for (std::size_t d = 0; d < 3; ++d) {
    if (c.box.periodic[d]) continue;
    for (const Vec3& x : c.atoms.x) {  // atoms may have left an open box
      lo[d] = std::min(lo[d], x[d]);
      hi[d] = std::max(hi[d], x[d]);
    }
  }
  std::array<int, 3> cells{};
  for (std::size_t d = 0; d < 3; ++d)
    cells[d] = static_cast<int>(std::clamp((hi[d] - lo[d]) / within, 1.0, 1024.0));
  // Memory goes by the atoms, also where one has flown far.
  while (static_cast<double>(cells[0]) * cells[1] * cells[2] > 4.0 * static_cast<double>(n) + 64.0) {
    int& most = *std::max_element(cells.begin(), cells.end());
    most = (most + 1) / 2;
  }
  const auto place = [&](double x, std::size_t d) {
    return std::clamp(static_cast<int>((x - lo[d]) / (hi[d] - lo[d] + 1e-12) * cells[d]), 0, cells[d] - 1);
  };
  const auto number = [&](int ix, int iy, int iz) {
    return (static_cast<std::size_t>(ix) * static_cast<std::size_t>(cells[1]) +
            static_cast<std::size_t>(iy)) *
               static_cast<std::size_t>(cells[2]) +
           static_cast<std::size_t>(iz);
  };
  std::vector<std::size_t> begin(number(cells[0] - 1, cells[1] - 1, cells[2] - 1) + 2, 0), order(n),
      cell_of(n);
  for (std::size_t k = 0; k < n; ++k) {
    const Vec3& x = c.atoms.x[k];
    cell_of[k] = number(place(x[0], 0), place(x[1], 1), place(x[2], 2));
    ++begin[cell_of[k] + 1];
  }
  for (std::size_t k = 1; k < begin.size(); ++k) begin[k] += begin[k - 1];
  std::vector<std::size_t> next(begin.begin(), begin.end() - 1);
  for (std::size_t k = 0; k < n; ++k) order[next[cell_of[k]]++] = k;

  // The cells around, each once even where an axis has fewer than three.
  const auto around = [&](int at, std::size_t d) {
    std::vector<int> list;
    for (int s = -1; s <= 1; ++s) {
      int to = at + s;
      if (c.box.periodic[d]) to = (to + cells[d]) % cells[d];
      if (to < 0 || to >= cells[d] || std::find(list.begin(), list.end(), to) != list.end()) continue;
      list.push_back(to);
    }
    return list;
  };
  std::vector<int> found(of.size(), 0);
  const double within2 = within * within;
  for (std::size_t f = 0; f < of.size(); ++f) {
    const std::size_t k = of[f];
    const Vec3& x = c.atoms.x[k];
    for (const int ix : around(place(x[0], 0), 0))
      for (const int iy : around(place(x[1], 1), 1))
        for (const int iz : around(place(x[2], 2), 2)) {
          const std::size_t cell = number(ix, iy, iz);
          for (std::size_t e = begin[cell]; e < begin[cell + 1]; ++e) {
            const std::size_t j = order[e];
            if (j == k) continue;
            const Vec3& y = c.atoms.x[j];
            const Vec3 d = c.box.minimum_image({x[0] - y[0], x[1] - y[1], x[2] - y[2]});
            if (d[0] * d[0] + d[1] * d[1] + d[2] * d[2] < within2) ++found[f];
          }
        }
  }
  return found;
}

}  // namespace wafermark::tungsten
