#include "tungsten_md/model/analytic_potential.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>

#include "common/errors.hpp"

namespace wafermark::tungsten {
namespace {

namespace ackland_thetford {
constexpr double c = 3.25, c0 = 47.1346499, c1 = -33.7665655, c2 = 6.2541999;
constexpr double d = 4.400224, A = 1.896373;
constexpr double B = 90.3, alpha = 1.2, b0 = 2.7411;

double pair(double r) {
  double phi = 0.0;
  if (r < c) phi += (r - c) * (r - c) * (c0 + r * (c1 + r * c2));
  if (r < b0) phi += B * std::pow(b0 - r, 3) * std::exp(-alpha * r);
  return phi;
}
double density(double r) { return r < d ? (r - d) * (r - d) : 0.0; }
double embedding(double rho) { return -A * std::sqrt(rho); }
}  // namespace ackland_thetford

/// Constants of Zhou, Johnson and Wadley 2004, table III, in its notation; the same in the authors' program
/// (LAMMPS' tools/eam_database) and in several independent codes, but for the sign of W's eta. The paper's
/// minus makes F jump by 1.8 meV and its slope by 15 % at 1.15 rho_e; with the plus of the authors' program
/// both are continuous, as the form is meant to be. W_zhou.eam.alloy has the minus: it differs there, in
/// dense places only.
struct Zhou {
  const char* symbol;
  int atomic_number;
  double mass;
  const char* lattice;
  double re, fe, rho_e, rho_s, alpha, beta, A, B, kappa, lambda;
  double Fn[4], F[4], eta, Fe;

  double fade(double r, double shift) const { return 1.0 + std::pow(r / re - shift, 20); }
  double density(double r) const { return fe * std::exp(-beta * (r / re - 1.0)) / fade(r, lambda); }
  double pair(double r) const {
    return A * std::exp(-alpha * (r / re - 1.0)) / fade(r, kappa) -
           B * std::exp(-beta * (r / re - 1.0)) / fade(r, lambda);
  }
  double embedding(double rho) const {
    const double rho_n = 0.85 * rho_e, rho_o = 1.15 * rho_e;
    if (rho >= rho_o) {
      const double x = std::pow(rho / rho_s, eta);
      return Fe * (1.0 - std::log(x)) * x;
    }
    const double* k = rho < rho_n ? Fn : F;
    const double x = rho / (rho < rho_n ? rho_n : rho_e) - 1.0;
    return k[0] + x * (k[1] + x * (k[2] + x * k[3]));
  }
  double lattice_constant() const {
    return lattice[0] == 'b' ? 2.0 / std::sqrt(3.0) * re : std::sqrt(2.0) * re;
  }
};

constexpr Zhou zhou[] = {{"W",
                          74,
                          183.84,
                          "bcc",
                          2.740840,
                          3.487340,
                          37.234847,
                          37.234847,
                          8.900114,
                          4.746728,
                          0.882435,
                          1.394592,
                          0.139209,
                          0.278417,
                          {-4.946281, -0.148818, 0.365057, -4.432406},
                          {-4.96, 0.0, 0.661935, 0.348147},
                          0.582714,
                          -4.961306},
                         {"Ta",
                          73,
                          180.9479,
                          "bcc",
                          2.860082,
                          3.086341,
                          33.787168,
                          33.787168,
                          8.489528,
                          4.527748,
                          0.611679,
                          1.032101,
                          0.176977,
                          0.353954,
                          {-5.103845, -0.405524, 1.112997, -3.585325},
                          {-5.14, 0.0, 1.640098, 0.221375},
                          0.848843,
                          -5.141526},
                         {"Cu",
                          29,
                          63.546,
                          "fcc",
                          2.556162,
                          1.554485,
                          21.175871,
                          21.175395,
                          8.127620,
                          4.334731,
                          0.396620,
                          0.548085,
                          0.308782,
                          0.756515,
                          {-2.170269, -0.263788, 1.088878, -0.817603},
                          {-2.19, 0.0, 0.561830, -2.100595},
                          0.310490,
                          -2.186568}};

template <class Function>
std::vector<double> sample(int n, double step, const Function& f) {
  std::vector<double> values(static_cast<std::size_t>(n));
  for (int k = 0; k < n; ++k) values[static_cast<std::size_t>(k)] = f(k * step);
  return values;
}

PotentialTables empty_tables(const std::string& model, std::size_t n) {
  PotentialTables t;
  t.source = model;
  t.format = "analytic";
  t.density.assign(n, std::vector<std::vector<double>>(n));
  t.r_phi = t.density;
  return t;
}

PotentialTables make_ackland_thetford(const std::vector<std::string>& elements) {
  namespace at = ackland_thetford;
  for (const auto& symbol : elements)
    if (symbol != "W")
      throw InputError(
          fmt::format("potential ackland_thetford_1987: found element '{}', expected W", symbol));
  const std::size_t n = elements.size();
  PotentialTables t = empty_tables("ackland_thetford_1987", n);
  t.comments = {"W, Ackland and Thetford, Phil. Mag. A 56 (1987) 15, sampled"};
  t.cutoff_angstrom = at::d;
  t.nr = 4004;
  t.dr = at::d / 4000.0;  // a sample on the cut-off, and three zeros beyond
  t.nrho = 20001;
  t.drho = 0.01;  // the perfect crystal has rho = 31
  const auto density = sample(t.nr, t.dr, at::density);
  const auto r_phi = sample(t.nr, t.dr, [](double r) { return r * at::pair(r); });
  for (std::size_t a = 0; a < n; ++a) {
    t.elements.push_back({"W", 74, 183.84, 3.1652, "bcc"});
    t.embedding.push_back(sample(t.nrho, t.drho, at::embedding));
    for (std::size_t b = 0; b < n; ++b) {
      t.density[a][b] = density;
      t.r_phi[a][b] = r_phi;
    }
  }
  return t;
}

PotentialTables make_zhou(const std::vector<std::string>& elements) {
  std::vector<const Zhou*> types;
  for (const auto& symbol : elements) {
    const auto* z =
        std::find_if(std::begin(zhou), std::end(zhou), [&](const Zhou& e) { return e.symbol == symbol; });
    if (z == std::end(zhou))
      throw InputError(fmt::format("potential zhou_2004: found element '{}', expected W, Ta or Cu", symbol));
    types.push_back(z);
  }
  const std::size_t n = types.size();
  PotentialTables t = empty_tables("zhou_2004", n);
  t.comments = {"Zhou, Johnson and Wadley, Phys. Rev. B 69 (2004) 144113, sampled"};
  double largest_density = 0.0;
  for (const Zhou* z : types) {
    t.cutoff_angstrom = std::max(t.cutoff_angstrom, std::sqrt(5.0) * z->re);
    largest_density = std::max({largest_density, z->density(0.0), 2.0 * z->rho_e});
  }
  t.nr = 5001;
  t.dr = t.cutoff_angstrom / (t.nr - 1);
  t.nrho = 20001;
  t.drho = largest_density / (t.nrho - 1);
  for (std::size_t a = 0; a < n; ++a) {
    const Zhou& za = *types[a];
    t.elements.push_back({za.symbol, za.atomic_number, za.mass, za.lattice_constant(), za.lattice});
    t.embedding.push_back(sample(t.nrho, t.drho, [&](double rho) { return za.embedding(rho); }));
    for (std::size_t b = 0; b < n; ++b) {
      const Zhou& zb = *types[b];
      t.density[a][b] = sample(t.nr, t.dr, [&](double r) { return zb.density(r); });
      t.r_phi[a][b] = sample(t.nr, t.dr, [&](double r) {
        if (&za == &zb) return r * za.pair(r);
        const double ratio = zb.density(r) / za.density(r);
        return 0.5 * r * (ratio * za.pair(r) + zb.pair(r) / ratio);
      });
    }
  }
  return t;
}

}  // namespace

std::vector<std::string> analytic_models() { return {"ackland_thetford_1987", "zhou_2004"}; }

PotentialTables make_analytic_potential(const std::string& model, const std::vector<std::string>& elements) {
  if (elements.empty())
    throw InputError("potential " + model + ": found no elements, expected one for each atom type");
  if (model == "ackland_thetford_1987") return make_ackland_thetford(elements);
  if (model == "zhou_2004") return make_zhou(elements);
  throw InputError(
      fmt::format("potential model: found '{}', expected {}", model, fmt::join(analytic_models(), " or ")));
}

}  // namespace wafermark::tungsten
