#include "tungsten_md/commands/defects.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <memory>

#include "common/errors.hpp"
#include "common/folder_lock.hpp"
#include "common/option_checks.hpp"
#include "common/results/result.hpp"
#include "tungsten_md/analysis/cluster_shapes.hpp"
#include "tungsten_md/analysis/defect_series.hpp"
#include "tungsten_md/analysis/fitted_lattice.hpp"
#include "tungsten_md/analysis/lattice_sites.hpp"
#include "tungsten_md/analysis/stored_sites.hpp"
#include "tungsten_md/io/state_file.hpp"

namespace wafermark::tungsten {
namespace {

struct DefectsOptions {
  std::string file, out, frame = "all", lattice, reference, particles;
  double a = 0.0, vacancy_cutoff = 0.0, interstitial_cutoff = 0.0;
  std::vector<int> cells;
  std::vector<double> origin, pka_energies;
  std::vector<std::string> boundary{"periodic", "periodic", "periodic"};
};

DataFileDefaults data_file_defaults(const DefectsOptions& o) {
  DataFileDefaults defaults;
  for (std::size_t d = 0; d < 3; ++d) defaults.periodic[d] = o.boundary[d] == "periodic";
  defaults.particles = o.particles;
  return defaults;
}

/// -1 for all frames.
std::int64_t frame_number(const DefectsOptions& o) {
  if (o.frame == "all") return -1;
  std::int64_t n = -1;
  const auto [end, error] = std::from_chars(o.frame.data(), o.frame.data() + o.frame.size(), n);
  if (error != std::errc{} || end != o.frame.data() + o.frame.size() || n < 0)
    throw InputError(fmt::format("--frame: found '{}', expected all or a frame counted from 0", o.frame));
  return n;
}

/// The crystal of --lattice, --a, --cells and --origin.
Lattice lattice_of_options(const Communicator& comm, const DefectsOptions& o, const Configuration& state) {
  LatticeHints hints{lattice_kind(o.lattice, "--lattice"), o.a, {}, {}};
  if (!o.cells.empty()) std::copy(o.cells.begin(), o.cells.end(), hints.cells.begin());
  if (!o.origin.empty()) hints.origin = {o.origin[0], o.origin[1], o.origin[2]};
  return fitted_lattice(comm, hints, state, "--lattice (--cells, --a)");
}

/// What defects are counted against and which of them make a cluster.
struct Reference {
  std::unique_ptr<ReferenceSites> sites;
  ClusterCutoffs cutoffs;
};

Reference make_reference(const Communicator& comm, const DefectsOptions& o, const StateFile& file,
                         const Configuration& first) {
  Reference r;
  if (!o.reference.empty()) {
    const auto state = StateFile::open(comm, o.reference, data_file_defaults(o))->next();
    if (!state) throw InputError(fmt::format("{}: found no frame, expected a reference", o.reference));
    auto stored = std::make_unique<StoredSites>(comm, *state);
    r.cutoffs = cluster_cutoffs(o.lattice.empty() ? LatticeKind::bcc : lattice_kind(o.lattice, "--lattice"),
                                stored->neighbour_distance());
    r.sites = std::move(stored);
  } else {
    const auto lattice = o.lattice.empty() ? file.lattice() : lattice_of_options(comm, o, first);
    if (!lattice)
      throw InputError(fmt::format(
          "{}: found no lattice in the file, expected --lattice with --a or --cells, or --reference",
          o.file));
    r.cutoffs = cluster_cutoffs(*lattice);
    r.sites = std::make_unique<LatticeSites>(*lattice, first.box);
  }
  if (o.vacancy_cutoff > 0.0) r.cutoffs.vacancy = o.vacancy_cutoff;
  if (o.interstitial_cutoff > 0.0) r.cutoffs.interstitial = o.interstitial_cutoff;
  return r;
}

/// A box may be strained, by a quarter at most: more is another system.
void require_similar_box(const DefectsOptions& o, const Box& reference, const Configuration& state) {
  for (int d = 0; d < 3; ++d) {
    if (reference.periodic[d] != state.box.periodic[d])
      throw InputError(fmt::format("{}: step {}: found {} boundaries along {}, expected the reference's",
                                   o.file, state.step, state.box.periodic[d] ? "periodic" : "open",
                                   "xyz"[d]));
    const double ratio = state.box.length(d) / reference.length(d);
    if (reference.periodic[d] && !(0.8 <= ratio && ratio <= 1.25))
      throw InputError(
          fmt::format("{}: step {}: found a box of {} Angstrom along {}, expected about the "
                      "reference's {}",
                      o.file, state.step, state.box.length(d), "xyz"[d], reference.length(d)));
  }
}

void print_row(const DefectRow& row) {
  const std::string replacements = row.replacements ? std::to_string(*row.replacements) : "-";
  fmt::print("{:>10} {:>10.4f} {:>9} {:>13} {:>12} {:>8} {:>16} {:>21}\n", row.step, row.time_ps,
             row.vacancies, row.interstitials, replacements, row.outside, row.largest_vacancy_cluster,
             row.largest_interstitial_cluster);
}

/// What the columns of the table do not hold.
void print_end(const DefectSnapshot& last) {
  const LoopCount loops = count_loops(interstitial_shapes(last.defects, last.interstitials, last.box));
  if (loops.body_diagonal + loops.cube_edge + loops.other > 0)
    fmt::print("clusters of {} interstitials or more: {} <111>, {} <100>, {} other\n", smallest_loop,
               loops.body_diagonal, loops.cube_edge, loops.other);
  if (last.row.mean_squared_displacement_angstrom2)
    fmt::print("mean squared displacement: {:.6g} Angstrom^2\n",
               *last.row.mean_squared_displacement_angstrom2);
  if (!last.defects.has_gas) return;
  fmt::print("gas: {} interstitial, {} in vacancies\n", *last.row.gas_interstitials,
             *last.row.gas_in_vacancies);
}

int count(const DefectsOptions& o) {
  namespace fs = std::filesystem;
  const Communicator comm;
  const std::int64_t wanted = frame_number(o);
  std::error_code none;
  if (fs::weakly_canonical(fs::absolute(o.file, none).parent_path(), none) ==
      fs::weakly_canonical(fs::absolute(o.out, none), none))
    throw InputError(
        fmt::format("--out: found the folder of {}, expected another: it may hold a run's results", o.file));
  const auto file = StateFile::open(comm, o.file, data_file_defaults(o));
  prepare_output_directory(comm, o.out);
  const FolderLock lock(comm, o.out, "--out");
  Result result(comm, "tungsten_md", "defects", "cluster");

  for (std::int64_t n = 0; n < wanted; ++n)
    if (!file->skip())
      throw InputError(fmt::format("{}: found {} frames, expected frame {}", o.file, n, wanted));
  std::optional<Configuration> state = file->next();
  if (!state)
    throw InputError(fmt::format("{}: found no such frame, expected at least {}", o.file, wanted + 1));

  const Reference reference = make_reference(comm, o, *file, *state);
  result.begin(comm, o.out);
  if (comm.is_root())
    fmt::print("{:>10} {:>10} {:>9} {:>13} {:>12} {:>8} {:>16} {:>21}\n", "step", "time/ps", "vacancies",
               "interstitials", "replacements", "outside", "vacancy cluster", "interstitial cluster");
  DefectSeries series;
  const Box first_box = state->box;
  std::vector<std::string> notes = state->notes;
  while (state) {
    require_similar_box(o, reference.sites->box(), *state);
    series.add(analyse_defects(comm, *state, *reference.sites, reference.cutoffs));
    if (comm.is_root()) print_row(series.survivors());
    state = wanted < 0 ? file->next() : std::nullopt;
  }
  // A fifth of the sites empty is no cascade: the reference is wrong, or there is no crystal.
  if (comm.is_root() && 5 * series.survivors().vacancies > reference.sites->size())
    fmt::print(stderr, "warning: {} of {} sites are vacant: are lattice, cells and boundary right?\n",
               series.survivors().vacancies, reference.sites->size());

  write_defects(comm, o.out, series, first_box, reference.cutoffs, o.pka_energies);
  result.add_figure("frames", static_cast<double>(series.rows().size()), "");
  result.add_figure("sites", static_cast<double>(reference.sites->size()), "");
  result.add_figure("frenkel_pairs_peak", static_cast<double>(series.peak().frenkel_pairs()), "");
  result.add_figure("frenkel_pairs_survivors", static_cast<double>(series.survivors().frenkel_pairs()), "");
  result.set_section("defects", series.summary());
  result.write(comm, o.out);
  const auto& last = series.last_snapshot();
  if (comm.is_root() && last) print_end(*last);
  if (comm.is_root() && last && !last->defects.replacements)
    notes.push_back("replacements are unknown: " + last->defects.replacements_note);
  for (const std::string& note : notes) fmt::print(stderr, "note: {}\n", note);
  if (comm.is_root()) fmt::print("defects: {0}/defects.json, {0}/defects.csv\n", o.out);
  return 0;
}

}  // namespace

void add_defects_command(CLI::App& app, std::function<int()>& action) {
  auto* command = app.add_subcommand(
      "defects", "Count vacancies, interstitials, replacements and clusters in stored configurations");
  auto o = std::make_shared<DefectsOptions>();
  command->add_option("file", o->file, "H5MD trajectory, checkpoint, LAMMPS dump or data file, extended XYZ")
      ->required()
      ->check(not_empty("a file of atoms"));
  command->add_option("--out", o->out, "folder for defects.json, defects.csv and result.json")
      ->required()
      ->check(not_empty("a folder"));
  command->add_option("--frame", o->frame, "all, or a frame counted from 0")->capture_default_str();
  command->add_option("--lattice", o->lattice, "sc, bcc or fcc; not needed where the file knows its crystal");
  command->add_option("--a", o->a, "lattice constant, Angstrom; default: box length / cells")
      ->check(number_in({0, 1e3, true}));
  command->add_option("--cells", o->cells, "cells along x y z; default: box lengths / a")
      ->transform(whole_number_in({1, 1e6}))
      ->expected(3)
      ->delimiter(',');
  command->add_option("--origin", o->origin, "position of the first site, Angstrom")
      ->check(number_in({-1e9, 1e9}))
      ->expected(3)
      ->delimiter(',');
  command
      ->add_option("--reference", o->reference,
                   "file whose atoms (first frame) are the sites, instead of a lattice")
      ->check(not_empty("a file of atoms"));
  command->add_option("--particles", o->particles, "group of an H5MD file; needed where it has several");
  command->add_option("--boundary", o->boundary, "of LAMMPS data files: periodic or open, along x y z")
      ->expected(3)
      ->delimiter(',')
      ->check(one_of({"periodic", "open"}));
  command
      ->add_option("--vacancy-cutoff", o->vacancy_cutoff, "Angstrom; default: between 2nd and 3rd neighbours")
      ->check(number_in({0, 1e3, true}));
  command
      ->add_option("--interstitial-cutoff", o->interstitial_cutoff,
                   "Angstrom; default: between 3rd and 4th neighbours")
      ->check(number_in({0, 1e3, true}));
  command
      ->add_option("--pka-energy-ev", o->pka_energies,
                   "recoils, to print the models' predictions beside the count")
      ->check(number_in({0, 1e9, true}))
      ->allow_extra_args(false);
  command->callback([o, &action] { action = [o] { return count(*o); }; });
}

}  // namespace wafermark::tungsten
