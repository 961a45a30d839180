#include "tungsten_md/model/squared_tables.hpp"

#include <algorithm>
#include <array>
#include <cmath>

namespace wafermark::tungsten {
namespace {

struct ValueAndSlope {
  double value, slope;
};

/// Of a table at grid coordinate s, and its derivative with respect to s; beyond the table the end value.
ValueAndSlope table_at(const std::vector<double>& quads, double s) {
  const auto last = static_cast<double>(quads.size() / 4 - 1);
  const double m = std::clamp(std::floor(s), 0.0, last - 1.0), p = s - m;
  const double* c = &quads[4 * static_cast<std::size_t>(m)];
  if (p > 1.0) return {c[0] + c[1] + c[2] + c[3], 0.0};
  return {((c[0] * p + c[1]) * p + c[2]) * p + c[3], (3.0 * c[0] * p + 2.0 * c[1]) * p + c[2]};
}

/// The cubic in p with these values and slopes (with respect to p) at both ends.
std::array<double, 4> hermite(const ValueAndSlope& begin, const ValueAndSlope& end) {
  const double rise = end.value - begin.value;
  return {begin.slope + end.slope - 2.0 * rise, 3.0 * rise - 2.0 * begin.slope - end.slope, begin.slope,
          begin.value};
}

}  // namespace

SquaredTables over_squares(const PotentialTables& t, int a, int b, int pieces) {
  SquaredTables squares;
  squares.pieces = pieces;
  squares.du = t.cutoff_angstrom * t.cutoff_angstrom / (pieces - 1);
  const auto at_a = static_cast<std::size_t>(a), at_b = static_cast<std::size_t>(b);
  const std::vector<double> density = lammps_spline(t.density[at_a][at_b]),
                            r_phi = lammps_spline(t.r_phi[at_a][at_b]);
  std::vector<ValueAndSlope> rho, phi;  // at the grid's points; slopes with respect to p: d/dp = du / 2r d/dr
  for (int k = 0; k < pieces; ++k) {
    const double r = std::sqrt(std::max(1, k) * squares.du), per_piece = 0.5 * squares.du / r;
    const ValueAndSlope d = table_at(density, r / t.dr), e = table_at(r_phi, r / t.dr);
    rho.push_back({d.value, d.slope / t.dr * per_piece});
    phi.push_back({e.value / r, (e.slope / t.dr - e.value / r) / r * per_piece});
  }
  for (auto* table : {&rho, &phi}) table->front().value -= table->front().slope;
  for (std::size_t k = 0; k < rho.size(); ++k) {
    const bool beyond = k + 1 == rho.size();
    const auto piece = [&](const std::vector<ValueAndSlope>& f) {
      return beyond ? std::array<double, 4>{} : hermite(f[k], f[k + 1]);
    };
    const std::array<double, 4> of_rho = piece(rho), of_phi = piece(phi);
    squares.density.insert(squares.density.end(), of_rho.begin(), of_rho.end());
    const double over_r = 2.0 / squares.du;
    for (const auto& [c, fourth] : {std::pair{of_rho, 0.0}, std::pair{of_phi, of_phi[3]}})
      squares.slopes.insert(squares.slopes.end(),
                            {over_r * 3.0 * c[0], over_r * 2.0 * c[1], over_r * c[2], fourth});
  }
  return squares;
}

}  // namespace wafermark::tungsten
