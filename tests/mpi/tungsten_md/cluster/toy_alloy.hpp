// A smooth two-element potential made of closed formulas, and an all-pairs evaluation of it by plain loops:
// an independent reference for lists, ghosts and ranks.
#pragma once

#include <cmath>
#include <random>

#include "tungsten_md/model/configuration.hpp"
#include "tungsten_md/model/potential_tables.hpp"

namespace wafermark::tungsten::toy {

inline PotentialTables alloy(int elements, double cutoff = 4.6) {
  PotentialTables t;
  t.source = "toy";
  t.nr = 400;
  t.nrho = 300;
  t.dr = cutoff / (t.nr - 1);
  t.drho = 0.2;
  t.cutoff_angstrom = cutoff;
  const auto fade = [&](double r) { return r < cutoff ? std::pow(1.0 - r / cutoff, 3) : 0.0; };
  const auto n = static_cast<std::size_t>(elements);
  t.elements.resize(n);
  t.embedding.resize(n);
  t.density.assign(n, std::vector<std::vector<double>>(n));
  t.r_phi = t.density;
  for (std::size_t a = 0; a < n; ++a) {
    t.elements[a].symbol = std::string(1, static_cast<char>('A' + a));
    t.elements[a].mass_amu = 100.0 + 50.0 * static_cast<double>(a);
    for (int k = 0; k < t.nrho; ++k) {
      const double rho = k * t.drho;
      t.embedding[a].push_back(-(1.0 + 0.2 * static_cast<double>(a)) * std::sqrt(rho + 0.5) + 0.01 * rho);
    }
    for (std::size_t b = 0; b < n; ++b)
      for (int k = 0; k < t.nr; ++k) {
        const double r = k * t.dr;
        // Not symmetric in a and b, as eam/fs allows.
        t.density[a][b].push_back((6.0 + static_cast<double>(a) + 2.0 * static_cast<double>(b)) * fade(r));
        t.r_phi[a][b].push_back((20.0 + 3.0 * static_cast<double>(a + b)) * fade(r) * std::exp(-0.5 * r));
      }
  }
  return t;
}

struct Reference {
  double energy = 0;
  std::array<double, 6> virial{};
  std::vector<Vec3> force;  ///< by id - 1
};

/// Value and derivative of a table at x.
inline std::array<double, 2> look_up(const std::vector<double>& spline, double x, double dx) {
  const double s = x / dx;
  const auto n = spline.size() / 4;
  const auto m = std::min(static_cast<std::size_t>(s), n - 2);
  const double p = std::min(s - static_cast<double>(m), 1.0);
  const double* c = &spline[4 * m];
  return {((c[0] * p + c[1]) * p + c[2]) * p + c[3], ((3 * c[0] * p + 2 * c[1]) * p + c[2]) / dx};
}

/// All pairs, minimum image; `all` holds every atom, in the order of ids.
inline Reference all_pairs(const PotentialTables& t, const Configuration& all) {
  const std::size_t n = all.atoms.size();
  Reference result;
  result.force.assign(n, {0, 0, 0});
  const auto elements = t.elements.size();
  std::vector<std::vector<double>> embedding, density, r_phi;
  for (std::size_t a = 0; a < elements; ++a) {
    embedding.push_back(lammps_spline(t.embedding[a]));
    for (std::size_t b = 0; b < elements; ++b) {
      density.push_back(lammps_spline(t.density[a][b]));
      r_phi.push_back(lammps_spline(t.r_phi[a][b]));
    }
  }
  const auto type = [&](std::size_t i) { return static_cast<std::size_t>(all.atoms.type[i]); };
  const auto separation = [&](std::size_t i, std::size_t j) {
    Vec3 d{};
    for (int k = 0; k < 3; ++k) d[k] = all.atoms.x[i][k] - all.atoms.x[j][k];
    return all.box.minimum_image(d);
  };
  const auto length = [](const Vec3& d) { return std::sqrt(d[0] * d[0] + d[1] * d[1] + d[2] * d[2]); };
  std::vector<double> rho(n, 0.0), slope(n);
  for (std::size_t i = 0; i < n; ++i)
    for (std::size_t j = 0; j < n; ++j) {
      if (i == j) continue;
      const double r = length(separation(i, j));
      if (r < t.cutoff_angstrom) rho[i] += look_up(density[type(i) * elements + type(j)], r, t.dr)[0];
    }
  for (std::size_t i = 0; i < n; ++i) {
    const auto f = look_up(embedding[type(i)], rho[i], t.drho);
    result.energy += f[0];
    slope[i] = f[1];
  }
  for (std::size_t i = 0; i < n; ++i)
    for (std::size_t j = 0; j < i; ++j) {
      const Vec3 d = separation(i, j);
      const double r = length(d);
      if (r >= t.cutoff_angstrom) continue;
      const auto z = look_up(r_phi[type(i) * elements + type(j)], r, t.dr);
      const double phi = z[0] / r, phi_slope = z[1] / r - z[0] / (r * r);
      const double dE = slope[i] * look_up(density[type(i) * elements + type(j)], r, t.dr)[1] +
                        slope[j] * look_up(density[type(j) * elements + type(i)], r, t.dr)[1] + phi_slope;
      result.energy += phi;
      Vec3 f{};
      for (int k = 0; k < 3; ++k) {
        f[k] = -dE * d[k] / r;
        result.force[i][k] += f[k];
        result.force[j][k] -= f[k];
      }
      const double v[6] = {d[0] * f[0], d[1] * f[1], d[2] * f[2], d[0] * f[1], d[0] * f[2], d[1] * f[2]};
      for (std::size_t k = 0; k < 6; ++k) result.virial[k] += v[k];
    }
  return result;
}

/// Every atom of a shaken crystal of alternating elements; the same on every rank.
inline Configuration shaken_crystal(const PotentialTables& t, std::array<int, 3> cells,
                                    std::array<bool, 3> periodic, double shake) {
  Configuration c;
  const double a = 3.2;
  for (int d = 0; d < 3; ++d) c.box.hi[d] = cells[d] * a;
  c.box.periodic = periodic;
  std::mt19937_64 random(7);
  std::uniform_real_distribution<double> noise(-shake, shake);
  for (int i = 0; i < cells[0]; ++i)
    for (int j = 0; j < cells[1]; ++j)
      for (int k = 0; k < cells[2]; ++k)
        for (const double b : {0.25, 0.75}) {
          c.atoms.id.push_back(static_cast<std::int64_t>(c.atoms.id.size()) + 1);
          c.atoms.type.push_back(static_cast<int>(c.atoms.id.size() % t.elements.size()));
          c.atoms.x.push_back(
              {(i + b) * a + noise(random), (j + b) * a + noise(random), (k + b) * a + noise(random)});
          c.atoms.v.push_back({0, 0, 0});
        }
  for (const auto& e : t.elements) {
    c.elements.push_back(e.symbol);
    c.masses.push_back(e.mass_amu);
  }
  return c;
}

/// The atoms that rank `rank` of `size` begins with: a slice of the ids, wherever they lie.
inline Configuration slice(const Configuration& all, int rank, int size) {
  Configuration part = all;
  part.atoms = {};
  for (std::size_t i = static_cast<std::size_t>(rank); i < all.atoms.size();
       i += static_cast<std::size_t>(size)) {
    part.atoms.id.push_back(all.atoms.id[i]);
    part.atoms.type.push_back(all.atoms.type[i]);
    part.atoms.x.push_back(all.atoms.x[i]);
    part.atoms.v.push_back(all.atoms.v[i]);
  }
  return part;
}

}  // namespace wafermark::tungsten::toy
