#include "tungsten_md/model/potential_grid.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "common/errors.hpp"
#include "tungsten_md/kernels/zbl.hpp"
#include "tungsten_md/model/element_symbols.hpp"
#include "tungsten_md/model/uf3_layout.hpp"

namespace wafermark::tungsten {
namespace {

constexpr double core_step_angstrom = 0.00125;

using Samples = std::vector<double>;

/// Applies `change` to every radial table.
template <class Change>
void change_radial(PotentialTables& t, const Change& change) {
  for (auto* tables : {&t.density, &t.r_phi})
    for (auto& row : *tables)
      for (Samples& samples : row) samples = change(samples);
}

Samples every(const Samples& f, int stride, int n) {
  Samples kept(static_cast<std::size_t>(n));
  for (std::size_t k = 0; k < kept.size(); ++k) kept[k] = f[k * static_cast<std::size_t>(stride)];
  return kept;
}

Samples spline_samples(const Samples& f, int n, double ratio) {
  const Samples quads = lammps_spline(f);
  Samples values(static_cast<std::size_t>(n));
  for (int k = 0; k < n; ++k) values[static_cast<std::size_t>(k)] = table_value(quads, k * ratio);
  return values;
}

void check_count(const PotentialTables& t, const char* what, int n) {
  if (n < 5)
    throw InputError(fmt::format("{}: found {} {} after thinning, expected at least 5", t.source, n, what));
}

}  // namespace

double table_value(const Samples& quads, double at) {
  const auto last = static_cast<double>(quads.size() / 4 - 1);
  const double inside = std::clamp(at, 0.0, last);
  const double m = std::min(std::floor(inside), last - 1.0), p = inside - m;
  const double* c = &quads[4 * static_cast<std::size_t>(m)];
  return ((c[0] * p + c[1]) * p + c[2]) * p + c[3];
}

PotentialTables thin(const PotentialTables& tables, int r_stride, double r_cut, int rho_stride) {
  if (r_stride < 1 || rho_stride < 1)
    throw InputError(
        fmt::format("{}: found strides {} and {}, expected at least 1", tables.source, r_stride, rho_stride));
  if (!(r_cut >= 0.0) || r_cut > tables.cutoff_angstrom * (1.0 + 1e-12))
    throw InputError(fmt::format("{}: found a cut-off of {} A, expected 0 (unchanged) to {}", tables.source,
                                 r_cut, tables.cutoff_angstrom));
  if (r_stride == 1 && rho_stride == 1 && r_cut == 0.0) return tables;
  tables.require_tables("to thin");
  PotentialTables t = tables;
  t.lennard_jones.reset();
  t.dr *= r_stride;
  t.drho *= rho_stride;
  t.nr = (tables.nr - 1) / r_stride + 1;
  if (r_cut != 0.0) {
    t.cutoff_angstrom = r_cut;
    // A sample that rounding puts a hair beyond r_cut counts as on it.
    t.nr = std::min(t.nr, static_cast<int>(r_cut / t.dr * (1.0 + 1e-12)) + 1);
  }
  t.nrho = (tables.nrho - 1) / rho_stride + 1;
  check_count(t, "distances", t.nr);
  check_count(t, "densities", t.nrho);
  change_radial(t, [&](const Samples& f) { return every(f, r_stride, t.nr); });
  for (Samples& f : t.embedding) f = every(f, rho_stride, t.nrho);
  return t;
}

PotentialTables resample(const PotentialTables& tables, int nr, int nrho) {
  PotentialTables t = tables;
  if (nr == 0 && nrho == 0) return t;
  t.require_tables("to resample");
  t.lennard_jones.reset();
  if (nr != 0) {
    check_count(t, "distances", nr);
    const double ratio = double(t.nr - 1) / (nr - 1);
    t.dr *= ratio;
    t.nr = nr;
    change_radial(t, [&](const Samples& f) { return spline_samples(f, nr, ratio); });
  }
  if (nrho != 0) {
    check_count(t, "densities", nrho);
    const double ratio = double(t.nrho - 1) / (nrho - 1);
    t.drho *= ratio;
    t.nrho = nrho;
    for (Samples& f : t.embedding) f = spline_samples(f, nrho, ratio);
  }
  return t;
}

PotentialTables with_core(const PotentialTables& tables, const std::string& kind, double r_inner,
                          double r_outer) {
  if (kind == "none") return tables;
  tables.require_tables("for a core");
  if (kind != "zbl" && kind != "zbl_dft")
    throw InputError(fmt::format("potential core: found '{}', expected none, zbl or zbl_dft", kind));
  if (!(0.0 < r_inner && r_inner < r_outer && r_outer <= tables.cutoff_angstrom))
    throw InputError(
        fmt::format("potential core: found radii {} and {} A, expected 0 < inner < outer <= {} (the cut-off)",
                    r_inner, r_outer, tables.cutoff_angstrom));
  for (const auto& e : tables.elements)
    if (kind == "zbl_dft" && e.symbol != "W")
      throw InputError(fmt::format("potential core zbl_dft: found element '{}', expected W", e.symbol));

  const int refine = static_cast<int>(std::ceil(tables.dr / core_step_angstrom));
  PotentialTables t = resample(tables, (tables.nr - 1) * refine + 1, 0);
  t.source += fmt::format(" + {} core ({} to {} A)", kind, r_inner, r_outer);
  const auto nuclear_charge = [](const PotentialTables::Element& e) {
    // Old files (W_zhou.eam.alloy) hold a placeholder for Z.
    const int z = atomic_number(e.symbol);
    return z != 0 ? z : e.atomic_number;
  };
  for (std::size_t a = 0; a < t.elements.size(); ++a)
    for (std::size_t b = 0; b < t.elements.size(); ++b) {
      const auto core = kind == "zbl_dft" ? ZblScreening<double>::tungsten_dft()
                                          : ZblScreening<double>::universal(nuclear_charge(t.elements[a]),
                                                                            nuclear_charge(t.elements[b]));
      for (std::size_t k = 0; k < t.r_phi[a][b].size(); ++k) {
        const double r = static_cast<double>(k) * t.dr, f = core_weight(r, r_inner, r_outer);
        if (f == 0.0) break;
        double& value = t.r_phi[a][b][k];
        value = f * core.r_phi(r) + (1.0 - f) * value;
      }
    }
  return t;
}

double pair_energy(const PotentialTables& t, std::size_t a, std::size_t b, double r) {
  if (!t.uf3) return table_value(lammps_spline(t.r_phi[a][b]), r / t.dr) / r;
  const Uf3Layout<double> layout(*t.uf3);
  const Uf3PairTable<double>& pair = layout.pairs[a * t.elements.size() + b];
  return r * r < pair.cutoff_squared ? uf3_pair(layout.tables(), pair, r).phi : 0.0;
}

bool has_repulsive_core(const PotentialTables& t) {
  const double r = 0.5;
  for (std::size_t a = 0; a < t.elements.size(); ++a)
    for (std::size_t b = 0; b <= a; ++b) {
      const int za = atomic_number(t.elements[a].symbol), zb = atomic_number(t.elements[b].symbol);
      const double zbl = ZblScreening<double>::universal(za, zb).r_phi(r);
      const double value = r * pair_energy(t, a, b, r);
      if (za == 0 || zb == 0 || value < 0.5 * zbl || value > 2.0 * zbl) return false;
    }
  return true;
}

}  // namespace wafermark::tungsten
