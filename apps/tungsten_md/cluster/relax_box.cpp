#include "tungsten_md/cluster/relax_box.hpp"

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "tungsten_md/dynamics/thermo.hpp"

namespace wafermark::tungsten {
namespace {

constexpr int most_box_steps = 50;
constexpr double trial_strain = 1e-4, largest_strain = 0.02;

using Row = std::vector<double>;

/// Solves a x = b for a matrix of at most three rows; the largest pivots first.
Row solve(std::vector<Row> a, Row b) {
  const std::size_t n = b.size();
  for (std::size_t k = 0; k < n; ++k) {
    std::size_t best = k;
    for (std::size_t i = k + 1; i < n; ++i)
      if (std::abs(a[i][k]) > std::abs(a[best][k])) best = i;
    std::swap(a[k], a[best]);
    std::swap(b[k], b[best]);
    for (std::size_t i = k + 1; i < n; ++i) {
      const double ratio = a[i][k] / a[k][k];
      for (std::size_t j = k; j < n; ++j) a[i][j] -= ratio * a[k][j];
      b[i] -= ratio * b[k];
    }
  }
  for (std::size_t k = n; k-- > 0;) {
    for (std::size_t j = k + 1; j < n; ++j) b[k] -= a[k][j] * b[j];
    b[k] /= a[k][k];
  }
  return b;
}

/// The box's degrees of freedom, one or three logarithms of edges, and the pressures that belong to them.
class BoxModes {
 public:
  BoxModes(Domain& domain, const BoxRelaxation& settings) : domain_(domain), settings_(settings) {}

  std::size_t size() const { return settings_.kind == BoxRelaxation::Kind::axes ? 3 : 1; }
  /// P - P0 of each, GPa, the same on all ranks. The atoms are at rest.
  Row excess() const {
    const Thermo t = measure(domain_.comm(), domain_.particles(), domain_.compute_forces_and_energy(),
                             domain_.atoms(), domain_.box());
    Row each(3);
    for (std::size_t d = 0; d < 3; ++d) each[d] = (*t.pressure_axes_gpa)[d] - settings_.pressure_gpa[d];
    if (size() == 1) each = {(each[0] + each[1] + each[2]) / 3.0};
    domain_.comm().broadcast(each);
    return each;
  }
  void stretch(const Row& strain) {
    Vec3 factor;
    for (std::size_t d = 0; d < 3; ++d) factor[d] = std::exp(strain[size() == 3 ? d : 0]);
    domain_.stretch(factor);
  }
  /// d(excess)/d(strain) of a box whose atoms go with it.
  std::vector<Row> stiffness(const Row& now) {
    std::vector<Row> j(size(), Row(size()));
    for (std::size_t k = 0; k < size(); ++k) {
      Row strain(size(), 0.0);
      strain[k] = trial_strain;
      stretch(strain);
      const Row there = excess();
      strain[k] = -trial_strain;
      stretch(strain);
      for (std::size_t i = 0; i < size(); ++i) j[i][k] = (there[i] - now[i]) / trial_strain;
    }
    return j;
  }

 private:
  Domain& domain_;
  const BoxRelaxation& settings_;
};

double largest(const Row& values) {
  double most = 0.0;
  for (const double v : values) most = std::max(most, std::abs(v));
  return most;
}

/// j <- j + (dp - j de) de^T / (de . de)
void learn(std::vector<Row>& j, const Row& de, const Row& dp) {
  double square = 0.0;
  for (const double e : de) square += e * e;
  if (!(square > 0.0)) return;
  for (std::size_t i = 0; i < de.size(); ++i) {
    double expected = 0.0;
    for (std::size_t k = 0; k < de.size(); ++k) expected += j[i][k] * de[k];
    for (std::size_t k = 0; k < de.size(); ++k) j[i][k] += (dp[i] - expected) * de[k] / square;
  }
}

}  // namespace

BoxRelaxationResult relax_with_box(Domain& domain, const RelaxSettings& settings,
                                   const std::function<void()>& before_step) {
  BoxRelaxationResult result{relax(domain, settings, before_step), 0.0};
  if (!settings.box.on()) return result;
  BoxModes box(domain, settings.box);
  Row excess = box.excess();
  std::vector<Row> stiffness = box.stiffness(excess);
  for (int step = 0; step < most_box_steps; ++step) {
    result.pressure_error_gpa = largest(excess);
    if (result.pressure_error_gpa <= settings.box.tolerance_gpa || !result.converged) break;
    Row strain = solve(stiffness, excess);
    for (double& e : strain) e = std::isfinite(e) ? std::clamp(-e, -largest_strain, largest_strain) : 0.0;
    box.stretch(strain);
    RelaxSettings rest = settings;
    rest.max_steps -= result.steps;
    const FireResult atoms = relax(domain, rest, before_step);
    const std::int64_t steps = result.steps + atoms.steps;
    static_cast<FireResult&>(result) = atoms;
    result.steps = steps;
    Row now = box.excess();
    for (std::size_t k = 0; k < now.size(); ++k) excess[k] = now[k] - excess[k];
    learn(stiffness, strain, excess);
    excess = std::move(now);
  }
  result.pressure_error_gpa = largest(excess);
  return result;
}

}  // namespace wafermark::tungsten
