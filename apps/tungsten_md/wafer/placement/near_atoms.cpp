#include "tungsten_md/wafer/placement/near_atoms.hpp"

#include <algorithm>

namespace wafermark::tungsten {

NearAtoms::NearAtoms(const Configuration& c, double within)
    : structure_(&c), within2_(within * within), lo_(c.box.lo), hi_(c.box.hi) {
  const std::size_t n = c.atoms.size();
  for (std::size_t d = 0; d < 3; ++d) {
    if (c.box.periodic[d]) continue;
    for (const Vec3& x : c.atoms.x) {
      lo_[d] = std::min(lo_[d], x[d]);
      hi_[d] = std::max(hi_[d], x[d]);
    }
  }
  for (std::size_t d = 0; d < 3; ++d)
    cells_[d] = static_cast<int>(std::clamp((hi_[d] - lo_[d]) / within, 1.0, 1024.0));
  // Memory goes by the atoms, also where one has flown far.
  while (static_cast<double>(cells_[0]) * cells_[1] * cells_[2] > 4.0 * static_cast<double>(n) + 64.0) {
    int& most = *std::max_element(cells_.begin(), cells_.end());
    most = (most + 1) / 2;
  }
  begin_.assign(number(cells_[0] - 1, cells_[1] - 1, cells_[2] - 1) + 2, 0);
  order_.resize(n);
  std::vector<std::size_t> cell_of(n);
  for (std::size_t k = 0; k < n; ++k) {
    const Vec3& x = c.atoms.x[k];
    cell_of[k] = number(cell_at(x[0], 0), cell_at(x[1], 1), cell_at(x[2], 2));
    ++begin_[cell_of[k] + 1];
  }
  for (std::size_t k = 1; k < begin_.size(); ++k) begin_[k] += begin_[k - 1];
  std::vector<std::size_t> next(begin_.begin(), begin_.end() - 1);
  for (std::size_t k = 0; k < n; ++k) order_[next[cell_of[k]]++] = k;
}

int NearAtoms::count(std::size_t k) const {
  int found = 0;
  visit(structure_->atoms.x[k], [&](std::size_t j, const Vec3&) { found += j != k ? 1 : 0; });
  return found;
}

int NearAtoms::cell_at(double x, std::size_t d) const {
  const double at = (x - lo_[d]) / (hi_[d] - lo_[d] + 1e-12) * cells_[d];
  return at > 0.0 ? static_cast<int>(std::min(at, cells_[d] - 1.0)) : 0;
}

int NearAtoms::around_cell(double x, std::size_t d, std::array<int, 3>& cells) const {
  const int at = cell_at(x, d);
  int n = 0;
  for (int s = -1; s <= 1; ++s) {
    int to = at + s;
    if (structure_->box.periodic[d]) to = (to + cells_[d]) % cells_[d];
    if (to < 0 || to >= cells_[d] || std::find(cells.begin(), cells.begin() + n, to) != cells.begin() + n)
      continue;
    cells[static_cast<std::size_t>(n++)] = to;
  }
  return n;
}

std::size_t NearAtoms::number(int ix, int iy, int iz) const {
  return (static_cast<std::size_t>(ix) * static_cast<std::size_t>(cells_[1]) + static_cast<std::size_t>(iy)) *
             static_cast<std::size_t>(cells_[2]) +
         static_cast<std::size_t>(iz);
}

}  // namespace wafermark::tungsten
