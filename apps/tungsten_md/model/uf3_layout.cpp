#include "tungsten_md/model/uf3_layout.hpp"

#include <algorithm>
#include <array>
#include <cmath>

namespace wafermark::tungsten {
namespace {

/// c[0] + c[1] p + c[2] p^2 + c[3] p^3
using Cubic = std::array<double, 4>;

Cubic times_line(const Cubic& f, double constant, double slope) {
  Cubic product{};
  for (std::size_t k = 0; k < 4; ++k) {
    product[k] += constant * f[k];
    if (k < 3) product[k + 1] += slope * f[k];
  }
  return product;
}

/// The functions m - 3 ... m over the interval from knot m to knot m + 1, by the recursion of Cox and de Boor
///   B_j,k = (r - t_j) / (t_{j+k} - t_j) B_j,k-1 + (t_{j+k+1} - r) / (t_{j+k+1} - t_{j+1}) B_j+1,k-1
/// of polynomials in p, r = t_m + h p.
std::array<Cubic, 4> basis_of_interval(const std::vector<double>& t, std::size_t m) {
  const double h = t[m + 1] - t[m];
  std::array<Cubic, 4> f{};  // f[3 - m + j] is B_j
  f[3][0] = 1.0;
  for (std::size_t degree = 1; degree <= 3; ++degree) {
    std::array<Cubic, 4> higher{};
    for (std::size_t j = m - degree; j <= m; ++j) {
      const std::size_t at = j + 3 - m;
      const auto add = [&](const Cubic& lower, double constant, double slope) {
        const Cubic term = times_line(lower, constant, slope);
        for (std::size_t k = 0; k < 4; ++k) higher[at][k] += term[k];
      };
      if (j > m - degree) {
        const double width = t[j + degree] - t[j];
        add(f[at], (t[m] - t[j]) / width, h / width);
      }
      if (j < m) {
        const double width = t[j + degree + 1] - t[j + 1];
        add(f[at + 1], (t[j + degree + 1] - t[m]) / width, -h / width);
      }
    }
    f = higher;
  }
  return f;
}

/// Appends knot vectors to a layout.
template <class Real>
struct Writer {
  Uf3Layout<Real>& to;

  /// Without records, which begin at the end of the numbers.
  KnotVector<Real> knot_vector(const std::vector<double>& t, std::size_t intervals) {
    KnotVector<Real> v;
    const double begin = t[3], range = t[3 + intervals] - begin;
    double least = range;
    for (std::size_t k = 0; k < intervals; ++k) least = std::min(least, t[4 + k] - t[3 + k]);
    constexpr double most_bins = 4096.0;
    v.begin = static_cast<Real>(begin);
    v.intervals = static_cast<int>(intervals);
    v.bins = static_cast<int>(std::min(most_bins, std::ceil(range / least)));
    v.bins_per_angstrom = static_cast<Real>(v.bins / range);
    v.guide = static_cast<int>(to.guides.size());
    v.record = static_cast<int>(to.numbers.size());
    int interval = 0;
    for (int b = 0; b < v.bins; ++b) {
      const double from = begin + range * b / v.bins;
      while (interval + 1 < v.intervals && t[static_cast<std::size_t>(interval) + 4] <= from) ++interval;
      to.guides.push_back(interval);
    }
    return v;
  }
  void head(const std::vector<double>& t, std::size_t interval) {
    to.numbers.push_back(static_cast<Real>(t[3 + interval]));
    to.numbers.push_back(static_cast<Real>(1.0 / (t[4 + interval] - t[3 + interval])));
  }
  void cubic(const Cubic& c) {
    for (std::size_t k = 4; k-- > 0;) to.numbers.push_back(static_cast<Real>(c[k]));
  }

  KnotVector<Real> basis(const Knots& knots) {
    const auto v = knot_vector(knots.at, knots.intervals());
    for (std::size_t m = 0; m < knots.intervals(); ++m) {
      head(knots.at, m);
      for (const Cubic& c : basis_of_interval(knots.at, m + 3)) cubic(c);
    }
    return v;
  }
  /// Of `factor` times the sum of the functions with their coefficients.
  KnotVector<Real> sum(const Knots& knots, const std::vector<double>& coefficients, double factor) {
    const auto v = knot_vector(knots.at, knots.intervals());
    for (std::size_t m = 0; m < knots.intervals(); ++m) {
      head(knots.at, m);
      Cubic all{};
      const auto functions = basis_of_interval(knots.at, m + 3);
      for (std::size_t f = 0; f < 4; ++f)
        for (std::size_t k = 0; k < 4; ++k) all[k] += factor * coefficients[m + f] * functions[f][k];
      cubic(all);
    }
    return v;
  }
};

}  // namespace

template <class Real>
Uf3Layout<Real>::Uf3Layout(const Uf3Potential& potential) : elements(static_cast<int>(potential.elements)) {
  Writer<Real> writer{*this};
  for (const Uf3PairTerm& term : potential.pairs)
    pairs.push_back({static_cast<Real>(term.cutoff_angstrom * term.cutoff_angstrom),
                     writer.sum(term.knots, term.coefficients, 2.0)});
  for (const Uf3TripletTerm& term : potential.triplets) {
    Uf3TripletTable<Real> table;
    table.cutoff = static_cast<Real>(term.cutoff_angstrom);
    table.ij = writer.basis(term.ij);
    table.ik = writer.basis(term.ik);
    table.jk = writer.basis(term.jk);
    table.coefficients = static_cast<int>(numbers.size());
    table.stride_ik = static_cast<int>(term.jk.functions());
    table.stride_ij = static_cast<int>(term.ik.functions()) * table.stride_ik;
    for (const double c : term.coefficients) numbers.push_back(static_cast<Real>(c));
    triplets.push_back(table);
  }
}

template struct Uf3Layout<float>;
template struct Uf3Layout<double>;

std::size_t bytes_in_single_precision(const Uf3Potential& potential) {
  const Uf3Layout<float> layout(potential);
  return sizeof(float) * layout.numbers.size() + sizeof(int) * layout.guides.size() +
         sizeof(layout.pairs.front()) * layout.pairs.size() +
         sizeof(Uf3TripletTable<float>) * layout.triplets.size();
}

}  // namespace wafermark::tungsten
