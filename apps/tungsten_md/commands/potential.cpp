#include "tungsten_md/commands/potential.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cmath>
#include <iterator>
#include <memory>

#include "common/communicator.hpp"
#include "common/durable_file.hpp"
#include "common/errors.hpp"
#include "common/option_checks.hpp"
#include "tungsten_md/commands/model_options.hpp"
#include "tungsten_md/model/perfect_crystal.hpp"
#include "tungsten_md/model/potential_file.hpp"
#include "tungsten_md/model/potential_grid.hpp"
#include "tungsten_md/model/potential_library.hpp"
#include "tungsten_md/model/potential_writer.hpp"
#include "tungsten_md/model/uf3_layout.hpp"

namespace wafermark::tungsten {
namespace {

struct PotentialOptions {
  std::string file, format = "auto", out;
  ModelOptions model;
  std::vector<std::string> elements;
  std::string core = "none";
  double core_inner = 1.0, core_outer = 2.0;
  int nr = 0, nrho = 0;
  int r_stride = 1, rho_stride = 1;
  double r_cut = 0.0;
  int points = 1000;
};

PotentialTables load(const PotentialOptions& o) {
  if (o.file.empty() != o.model.given())
    throw InputError("tungsten_md potential: expected a file or --model, one of them");
  o.model.check();
  PotentialTables t;
  if (o.model.given())
    t = o.model.make(o.elements.empty() ? std::vector<std::string>{"W"} : o.elements);
  else if (o.elements.empty())
    t = read_potential(find_potential(o.file), o.format);
  else
    t = read_potential(find_potential(o.file), o.format, o.elements);
  return with_core(t, o.core, o.core_inner, o.core_outer);
}

void print_crystal(const PotentialTables& t, std::size_t k) {
  const auto& e = t.elements[k];
  if (e.lattice != "sc" && e.lattice != "bcc" && e.lattice != "fcc") {
    fmt::print("  {}: lattice '{}': no crystal to sum over\n", e.symbol, e.lattice);
    return;
  }
  const PerfectCrystal crystal(t, k, lattice_kind(e.lattice, t.source));
  const auto print = [&](const char* which, double a) {
    const auto atom = crystal.atom(a);
    fmt::print(
        "  {} {}, a = {:.6f} A ({}): {:.6f} eV/atom, {} neighbours, density {:.6g} (table ends at {:.6g})\n",
        e.symbol, e.lattice, a, which, atom.energy_ev, atom.neighbours, atom.density, t.largest_density());
  };
  if (!(e.lattice_constant_angstrom > 0.0)) return;
  print("as the file says", e.lattice_constant_angstrom);
  const double relaxed = crystal.relaxed_lattice_constant(e.lattice_constant_angstrom);
  if (relaxed > 0.0)
    print("relaxed", relaxed);
  else
    fmt::print("  {}: no energy minimum within 10 % of that lattice constant\n", e.symbol);
}

void print_pair(const PotentialTables& t, std::size_t a, std::size_t b) {
  double least = -1e-6, at = 0.0;  // shallower ones are rounding
  const int places = t.uf3 ? 1000 : t.nr - 1;
  const double step = t.uf3 ? t.cutoff_angstrom / places : t.dr;
  for (int k = 1; k <= places; ++k) {
    const double r = k * step;
    const double phi = t.uf3 ? pair_energy(t, a, b, r) : t.r_phi[a][b][static_cast<std::size_t>(k)] / r;
    if (r < t.cutoff_angstrom && phi < least) least = phi, at = r;
  }
  if (at > 0.0)
    fmt::print("  {}-{}: pair energy is least at {:.4f} A, {:.6f} eV\n", t.elements[a].symbol,
               t.elements[b].symbol, at, least);
  else
    fmt::print("  {}-{}: the pair energy is nowhere negative\n", t.elements[a].symbol, t.elements[b].symbol);
}

int info(const PotentialOptions& o) {
  const PotentialTables t = load(o);
  if (!Communicator().is_root()) return 0;
  fmt::print("{} ({})\n", t.source, t.format);
  for (const auto& line : t.comments) fmt::print("  # {}\n", line);
  if (t.uf3)
    fmt::print("  two {} bodies, cut-off {:.8g} A, of triplets {:.8g} A; {} bytes in single precision\n",
               t.uf3->triplets.empty() ? "" : "and three", t.uf3->pair_cutoff(), t.uf3->triplet_cutoff(),
               bytes_in_single_precision(*t.uf3));
  else
    fmt::print("  cut-off {:.8g} A; {} distances, step {:.8g} A; {} densities, step {:.8g}, from {:.8g}\n",
               t.cutoff_angstrom, t.nr, t.dr, t.nrho, t.drho, t.embedding_begin());
  for (const auto& e : t.elements) fmt::print("  {}: Z {}, {} amu\n", e.symbol, e.atomic_number, e.mass_amu);
  for (std::size_t k = 0; k < t.elements.size(); ++k) print_crystal(t, k);
  for (std::size_t a = 0; a < t.elements.size(); ++a)
    for (std::size_t b = 0; b <= a; ++b) print_pair(t, a, b);
  fmt::print("  repulsive core: {}\n",
             has_repulsive_core(t) ? "yes"
             : t.uf3               ? "no (not for cascades)"
                                   : "no (not for cascades as it is; potential.core = \"zbl\" adds one)");
  return 0;
}

int make(const PotentialOptions& o) {
  const PotentialTables t = resample(thin(load(o), o.r_stride, o.r_cut, o.rho_stride), o.nr, o.nrho);
  if (!Communicator().is_root()) return 0;
  write_potential(o.out, t);
  fmt::print("{}: {} distances to {:.8g} A, {} densities to {:.8g}\n", o.out, t.nr, t.cutoff_angstrom, t.nrho,
             t.largest_density());
  return 0;
}

void write_csv(const std::string& path, const std::vector<std::string>& names,
               const std::vector<std::vector<double>>& columns) {
  std::string text = fmt::format("{}\n", fmt::join(names, ","));
  for (std::size_t row = 0; row < columns[0].size(); ++row)
    for (std::size_t c = 0; c < columns.size(); ++c)
      fmt::format_to(std::back_inserter(text), "{:.17g}{}", columns[c][row],
                     c + 1 == columns.size() ? '\n' : ',');
  write_text_file(path, text);
  fmt::print("{}\n", path);
}

/// The functions at `points` places, through the cubics that a simulation uses.
int plot_data(const PotentialOptions& o) {
  const PotentialTables t = load(o);
  t.require_tables("to plot");
  if (!Communicator().is_root()) return 0;
  const std::size_t n = t.elements.size();
  const auto places = [&](double begin, double end) {
    std::vector<double> x;
    for (int k = 1; k <= o.points; ++k) x.push_back(begin + (end - begin) * k / o.points);
    return x;
  };
  const auto r = places(0.0, t.cutoff_angstrom);
  const auto values = [](const std::vector<double>& samples, double begin, double step,
                         const std::vector<double>& x) {
    const auto quads = lammps_spline(samples);
    std::vector<double> y;
    for (const double at : x) y.push_back(table_value(quads, (at - begin) / step));
    return y;
  };
  const auto over_distance = [&](std::vector<double> r_phi) {
    for (std::size_t k = 0; k < r.size(); ++k) r_phi[k] /= r[k];
    return r_phi;
  };
  std::vector<std::string> names{"r_angstrom"};
  std::vector<std::vector<double>> columns{r};
  for (std::size_t a = 0; a < n; ++a)
    for (std::size_t b = 0; b < n; ++b) {
      const auto pair = t.elements[a].symbol + "_" + t.elements[b].symbol;
      names.push_back("density_of_" + t.elements[b].symbol + "_at_" + t.elements[a].symbol);
      columns.push_back(values(t.density[a][b], 0.0, t.dr, r));
      if (b > a) continue;
      names.push_back("phi_" + pair + "_ev");
      columns.push_back(over_distance(values(t.r_phi[a][b], 0.0, t.dr, r)));
    }
  write_csv(o.out + "_pairs.csv", names, columns);

  names = {"density"};
  const auto rho = places(t.embedding_begin(), t.largest_density());
  columns = {rho};
  for (std::size_t a = 0; a < n; ++a) {
    names.push_back("embedding_" + t.elements[a].symbol + "_ev");
    columns.push_back(values(t.embedding[a], t.embedding_begin(), t.drho, rho));
  }
  write_csv(o.out + "_embedding.csv", names, columns);
  return 0;
}

}  // namespace

void add_potential_command(CLI::App& app, std::function<int()>& action) {
  auto* command = app.add_subcommand("potential", "Look into potential files, make and resample them");
  command->require_subcommand(1);
  auto o = std::make_shared<PotentialOptions>();
  const auto add = [&](const char* name, const char* what, int (*run)(const PotentialOptions&)) {
    auto* sub = command->add_subcommand(name, what);
    sub->add_option("--element,--elements", o->elements, "elements, as W,Ta (default: all of the file)")
        ->delimiter(',')
        ->allow_extra_args(false);
    sub->add_option("--core", o->core, "none, zbl or zbl_dft: a screened-Coulomb core")
        ->check(one_of({"none", "zbl", "zbl_dft"}))
        ->capture_default_str();
    sub->add_option("--core-inner", o->core_inner, "below: the core alone, Angstrom")
        ->check(number_in({0, 1e3, true}))
        ->capture_default_str();
    sub->add_option("--core-outer", o->core_outer, "above: the potential alone, Angstrom")
        ->check(number_in({0, 1e3, true}))
        ->capture_default_str();
    sub->callback([o, run, &action] { action = [o, run] { return run(*o); }; });
    return sub;
  };
  const auto add_file = [&](CLI::App* sub) {
    sub->add_option("file", o->file, "setfl, eam/fs, eam/he, funcfl or uf3 file, or its name in the library");
    sub->add_option("--format", o->format, "auto, eam/alloy, eam/fs, eam/he, funcfl or uf3")
        ->capture_default_str();
  };
  const auto add_model = [&](CLI::App* sub) { return o->model.add_to(*sub); };
  const auto add_grid = [&](CLI::App* sub) {
    sub->add_option("--nr", o->nr, "number of distances, by spline")->transform(whole_number_in({5, 1e7}));
    sub->add_option("--nrho", o->nrho, "number of densities, by spline")
        ->transform(whole_number_in({5, 1e7}));
    sub->add_option("-o,--output", o->out,
                    "file to write: setfl, or eam/fs when it ends in .eam.fs, eam/he: .eam.he")
        ->required()
        ->check(file_to_write());
  };

  auto* sub = add("info", "Elements, grids, cut-off, cohesive energy", info);
  add_file(sub);
  add_model(sub);
  sub = add("generate", "Write an analytic model as a table", make);
  add_model(sub)->required();
  add_grid(sub);
  sub = add("resample", "Thin, cut or resample a table", make);
  add_file(sub);
  sub->add_option("--r-stride", o->r_stride, "keep every n-th distance")
      ->transform(whole_number_in({1, 1e6}));
  sub->add_option("--rho-stride", o->rho_stride, "keep every n-th density")
      ->transform(whole_number_in({1, 1e6}));
  sub->add_option("--r-cut", o->r_cut, "new cut-off, Angstrom")->check(number_in({0, 1e3, true}));
  add_grid(sub);
  sub = add("plot-data", "Write the functions as CSV", plot_data);
  add_file(sub);
  add_model(sub);
  sub->add_option("--points", o->points, "rows")->transform(whole_number_in({2, 1e7}))->capture_default_str();
  sub->add_option("-o,--output", o->out, "prefix: writes PREFIX_pairs.csv and PREFIX_embedding.csv")
      ->required()
      ->check(file_to_write());
}

}  // namespace wafermark::tungsten
