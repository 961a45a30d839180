// A made-up UF3 potential, and an evaluation of it by plain loops over all triplets and the recursion of Cox
// and de Boor: an independent reference for tables, lists, ghosts and ranks.
#pragma once

#include <algorithm>
#include <cmath>

#include "toy_alloy.hpp"
#include "tungsten_md/model/uf3.hpp"

namespace wafermark::tungsten::toy {

/// Clamped knots from `begin` to `end`; `bend` above 1 makes them denser at the begin.
inline Knots knots(double begin, double end, int intervals, double bend) {
  Knots k;
  for (int n = -3; n <= intervals + 3; ++n) {
    const double x = static_cast<double>(std::clamp(n, 0, intervals)) / intervals;
    k.at.push_back(begin + (end - begin) * std::pow(x, bend));
  }
  return k;
}

/// Smooth at the cut-offs: the last three coefficients are zero. `bodies`: 2 or 3.
inline PotentialTables uf3(std::size_t elements, int bodies, double pair_cutoff = 4.6, double bend = 1.3) {
  std::mt19937_64 random(11);
  std::uniform_real_distribution<double> any(-1.0, 1.0);
  Uf3Potential p;
  p.elements = elements;
  const auto lower = [&](std::size_t at) { return at % elements > at / elements; };  // of a symmetric pair
  for (std::size_t ij = 0; ij < elements * elements; ++ij) {
    Uf3PairTerm term;
    term.cutoff_angstrom = pair_cutoff - 0.1 * static_cast<double>(ij / elements + ij % elements);
    term.knots = knots(0.2, term.cutoff_angstrom, 12, bend);
    for (std::size_t n = 0; n < term.knots.functions(); ++n)
      term.coefficients.push_back(n + 3 >= term.knots.functions()
                                      ? 0.0
                                      : 4.0 * std::exp(-0.6 * static_cast<double>(n)) + 0.02 * any(random));
    p.pairs.push_back(term);
  }
  for (std::size_t ij = 0; ij < p.pairs.size(); ++ij)
    if (lower(ij)) p.pairs[ij] = p.pairs[(ij % elements) * elements + ij / elements];
  for (std::size_t at = 0; bodies == 3 && at < elements * elements * elements; ++at) {
    const std::size_t jk = at % (elements * elements);
    Uf3TripletTerm term;
    term.cutoff_angstrom = 3.7 - 0.1 * static_cast<double>(at / (elements * elements));
    term.ij = term.ik = knots(0.3, term.cutoff_angstrom, 6, bend);
    term.jk = knots(0.3, 2.0 * term.cutoff_angstrom, 9, bend);
    const std::size_t n_ij = term.ij.functions(), n_jk = term.jk.functions();
    for (std::size_t l = 0; l < n_ij; ++l)
      for (std::size_t m = 0; m < n_ij; ++m)
        for (std::size_t n = 0; n < n_jk; ++n)
          term.coefficients.push_back(l + 3 >= n_ij || m + 3 >= n_ij ? 0.0 : 0.3 * any(random));
    if (jk / elements == jk % elements) {
      const std::vector<double> other = mirrored(term).coefficients;
      for (std::size_t k = 0; k < other.size(); ++k)
        term.coefficients[k] = 0.5 * (term.coefficients[k] + other[k]);
    }
    p.triplets.push_back(term);
  }
  for (std::size_t at = 0; at < p.triplets.size(); ++at) {
    const std::size_t jk = at % (elements * elements);
    if (lower(jk))
      p.triplets[at] = mirrored(p.triplets[at - jk + (jk % elements) * elements + jk / elements]);
  }
  PotentialTables t;
  t.source = "toy";
  t.format = uf3_format;
  t.cutoff_angstrom = std::max(p.pair_cutoff(), p.triplet_cutoff());
  for (std::size_t a = 0; a < elements; ++a)
    t.elements.push_back(
        {std::string(1, static_cast<char>('A' + a)), 1, 100.0 + 50.0 * static_cast<double>(a), 0, ""});
  t.uf3 = std::make_shared<const Uf3Potential>(p);
  return t;
}

/// B_j of a degree at x, by the recursion.
inline double b_spline(const std::vector<double>& t, std::size_t j, std::size_t degree, double x) {
  if (degree == 0) return t[j] <= x && x < t[j + 1] ? 1.0 : 0.0;
  const double left = t[j + degree] - t[j], right = t[j + degree + 1] - t[j + 1];
  double sum = 0.0;
  if (left > 0.0) sum += (x - t[j]) / left * b_spline(t, j, degree - 1, x);
  if (right > 0.0) sum += (t[j + degree + 1] - x) / right * b_spline(t, j + 1, degree - 1, x);
  return sum;
}
inline double b_spline_slope(const std::vector<double>& t, std::size_t j, double x) {
  const double left = t[j + 3] - t[j], right = t[j + 4] - t[j + 1];
  return (left > 0.0 ? 3.0 / left * b_spline(t, j, 2, x) : 0.0) -
         (right > 0.0 ? 3.0 / right * b_spline(t, j + 1, 2, x) : 0.0);
}

/// Value and derivative of all functions at x.
struct Functions {
  std::vector<double> value, slope;
  Functions(const Knots& k, double x) {
    for (std::size_t j = 0; j < k.functions(); ++j) {
      value.push_back(b_spline(k.at, j, 3, x));
      slope.push_back(b_spline_slope(k.at, j, x));
    }
  }
};

struct Separation {
  Vec3 d;
  double r;
};

/// V3 and its derivatives.
inline std::array<double, 4> triplet_energy(const Uf3TripletTerm& t, double ij, double ik, double jk) {
  const Functions a(t.ij, ij), b(t.ik, ik), c(t.jk, jk);
  std::array<double, 4> e{};
  std::size_t at = 0;
  for (std::size_t l = 0; l < a.value.size(); ++l)
    for (std::size_t m = 0; m < b.value.size(); ++m)
      for (std::size_t n = 0; n < c.value.size(); ++n, ++at) {
        const double x = t.coefficients[at];
        e[0] += x * a.value[l] * b.value[m] * c.value[n];
        e[1] += x * a.slope[l] * b.value[m] * c.value[n];
        e[2] += x * a.value[l] * b.slope[m] * c.value[n];
        e[3] += x * a.value[l] * b.value[m] * c.slope[n];
      }
  return e;
}

/// A pull of size `along` towards d of the atom `to`, away from `from`.
inline void pull(Reference& result, std::size_t from, std::size_t to, const Separation& s, double slope) {
  Vec3 f{};
  for (std::size_t k = 0; k < 3; ++k) {
    f[k] = slope * s.d[k] / s.r;
    result.force[from][k] += f[k];
    result.force[to][k] -= f[k];
  }
  const double v[6] = {s.d[0] * f[0], s.d[1] * f[1], s.d[2] * f[2],
                       s.d[0] * f[1], s.d[0] * f[2], s.d[1] * f[2]};
  for (std::size_t k = 0; k < 6; ++k) result.virial[k] -= v[k];
}

inline Separation between(const Vec3& a, const Vec3& b) {
  Vec3 d{};
  for (std::size_t k = 0; k < 3; ++k) d[k] = b[k] - a[k];
  return {d, std::hypot(d[0], d[1], d[2])};
}

/// `all` holds every atom, in the order of ids; minimum images seen from the centre.
inline Reference all_triplets(const Uf3Potential& p, const Configuration& all) {
  const std::size_t n = all.atoms.size();
  Reference result;
  result.force.assign(n, {0, 0, 0});
  const auto type = [&](std::size_t i) { return static_cast<std::size_t>(all.atoms.type[i]); };
  for (std::size_t i = 0; i < n; ++i) {
    std::vector<std::pair<std::size_t, Separation>> near;
    for (std::size_t j = 0; j < n; ++j) {
      if (i == j) continue;
      const Vec3 d = all.box.minimum_image(between(all.atoms.x[i], all.atoms.x[j]).d);
      const Separation s{d, std::hypot(d[0], d[1], d[2])};
      const Uf3PairTerm& pair = p.pair(type(i), type(j));
      if (s.r < pair.cutoff_angstrom) {
        const Functions f(pair.knots, s.r);
        double slope = 0.0;
        for (std::size_t k = 0; k < f.value.size(); ++k) {
          result.energy += pair.coefficients[k] * f.value[k];
          slope += pair.coefficients[k] * f.slope[k];
        }
        pull(result, i, j, s, slope);
      }
      near.emplace_back(j, s);
    }
    for (std::size_t a = 0; a < near.size() && !p.triplets.empty(); ++a)
      for (std::size_t b = a + 1; b < near.size(); ++b) {
        const auto& [j, ij] = near[a];
        const auto& [k, ik] = near[b];
        const Uf3TripletTerm& t = p.triplets[(type(i) * p.elements + type(j)) * p.elements + type(k)];
        if (ij.r > t.cutoff_angstrom || ik.r > t.cutoff_angstrom) continue;
        const Separation jk = between(ij.d, ik.d);
        const auto e = triplet_energy(t, ij.r, ik.r, jk.r);
        result.energy += e[0];
        pull(result, i, j, ij, e[1]);
        pull(result, i, k, ik, e[2]);
        pull(result, j, k, jk, e[3]);
      }
  }
  return result;
}

}  // namespace wafermark::tungsten::toy
