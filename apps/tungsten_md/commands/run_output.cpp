#include "tungsten_md/commands/run_output.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <utility>

#include "common/errors.hpp"
#include "tungsten_md/analysis/damage_models.hpp"
#include "tungsten_md/analysis/lattice_sites.hpp"
#include "tungsten_md/io/extended_xyz.hpp"
#include "tungsten_md/io/lammps_data.hpp"
#include "tungsten_md/io/lammps_dump.hpp"
#include "tungsten_md/io/trajectory_recovery.hpp"
#include "tungsten_md/model/recoils.hpp"

namespace wafermark::tungsten {
namespace {

constexpr const char* thermo_columns =
    "step,time_ps,timestep_ps,temperature_k,kinetic_ev,potential_ev,total_ev,energy_error_ev,pressure_gpa,"
    "pressure_x_gpa,pressure_y_gpa,pressure_z_gpa,length_x_angstrom,length_y_angstrom,length_z_angstrom,"
    "electron_temperature_k";

constexpr const char* h5md_name = "trajectory.h5";

bool contains(const std::vector<std::string>& words, const char* word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

/// The crystal that defects are counted against, where it is one.
std::optional<Lattice> lattice_of(const Case& what, const ReferenceSites* reference) {
  if (what.structure.lattice) return what.structure.lattice;
  const auto* sites = dynamic_cast<const LatticeSites*>(reference);
  return sites == nullptr ? std::nullopt : std::optional(sites->lattice());
}

/// Cut-offs in units of a cubic lattice; a stored reference says only how far its neighbours are.
ClusterCutoffs cutoffs_for(const Case& what, const ReferenceSites* reference) {
  if (const auto lattice = lattice_of(what, reference)) return cluster_cutoffs(*lattice);
  const auto* stored = dynamic_cast<const StoredSites*>(reference);
  if (stored == nullptr) return {};
  return cluster_cutoffs(LatticeKind::bcc, stored->neighbour_distance());
}

}  // namespace

RunOutput::RunOutput(const Communicator& comm, const Case& what, const PotentialTables& potential,
                     const std::string& out, const Configuration& start,
                     std::unique_ptr<ReferenceSites> reference, const std::optional<FileSizes>& resumes_at)
    : comm_(comm),
      case_(what),
      out_(out),
      box_(start.box),
      reference_(std::move(reference)),
      cutoffs_(cutoffs_for(what, reference_.get())),
      dose_model_(what, potential) {
  if (const auto lattice = lattice_of(what, reference_.get()); lattice && potential.elements.size() == 1)
    crystal_.emplace(potential, 0, lattice->kind);
  if (what.output.trajectory_every > 0 && contains(what.output.trajectory_formats, "h5md"))
    open_trajectory(start, resumes_at);
  if (!resumes_at) return;
  if (what.counts_defects()) {
    defects_ = resume_defects(comm, out, start.step);
    if (defects_.empty() && comm.is_root())
      fmt::print(stderr, "note: {}/defects.json: not found, the rows before step {} are missing\n", out,
                 start.step);
    dose_end_ = end_of_dose();
  }
  resume_tables(start.step);
  resume_text_trajectories(*resumes_at);
}

void RunOutput::open_trajectory(const Configuration& start, const std::optional<FileSizes>& resumes_at) {
  const std::string path = out_ + "/" + h5md_name;
  if (resumes_at) {
    const auto known = resumes_at->find(h5md_name);
    auto resumed = resumed_trajectory(path, start.step, known == resumes_at->end() ? 0 : known->second);
    if (resumed) {
      h5md_.emplace(std::move(*resumed));
      return;
    }
  }
  TrajectoryOptions options;
  options.lattice = lattice_of(case_, reference_.get());
  h5md_.emplace(TrajectoryWriter::create(comm_, path, start, options));
}

std::optional<TrajectoryWriter> RunOutput::resumed_trajectory(const std::string& path, std::int64_t step,
                                                              std::int64_t expected) const {
  const auto tell = [&](const std::string& text) {
    if (comm_.is_root()) fmt::print(stderr, "note: {}\n", text);
  };
  std::error_code none;
  if (comm_.max(std::filesystem::exists(path, none) ? 1 : 0) == 0) {
    if (expected > 0)
      tell(fmt::format("{}: not found, its {} frames up to step {} are missing: it begins anew", path,
                       expected, step));
    return std::nullopt;
  }
  try {
    return TrajectoryWriter::resume(comm_, path, step, static_cast<std::uint64_t>(expected));
  } catch (const InputError& e) {  // on all ranks: nothing in it can be read
    const std::string aside = set_aside(comm_, path);
    tell(fmt::format("{}; it begins anew without its {}frames up to step {}, as it was it is {}", e.what(),
                     expected > 0 ? fmt::format("{} ", expected) : "", step, aside));
    return std::nullopt;
  }
}

void RunOutput::resume_tables(std::int64_t step) {
  std::string problem;
  if (comm_.is_root()) {
    std::ifstream table(out_ + "/thermo.csv");
    std::string line;
    if (!std::getline(table, line))
      fmt::print(stderr, "note: {}/thermo.csv: not found, the rows before step {} are missing\n", out_, step);
    while (std::getline(table, line)) {
      std::int64_t of_row = 0;
      const auto [end, error] = std::from_chars(line.data(), line.data() + line.size(), of_row);
      if (error != std::errc() || end == line.data() + line.size() || *end != ',')
        problem = fmt::format("{}/thermo.csv: found a damaged row, expected a step and a comma first", out_);
      else if (of_row <= step) {
        rows_.push_back(line);
        last_row_ = of_row;
      }
    }
  }
  comm_.throw_together(!problem.empty(), problem);
  comm_.broadcast(last_row_);
}

void RunOutput::resume_text_trajectories(const FileSizes& sizes) {
  std::string problem;
  for (const auto& [name, bytes] : sizes) {
    if (name == h5md_name) continue;
    const std::string path = out_ + "/" + name;
    std::int64_t found = -1;
    if (comm_.is_root()) {
      std::error_code none;
      const auto size = std::filesystem::file_size(path, none);
      if (!none) found = static_cast<std::int64_t>(size);
      if (found >= bytes) std::filesystem::resize_file(path, static_cast<std::uintmax_t>(bytes), none);
      if (found >= bytes && none) problem = fmt::format("{}: cannot be cut: {}", path, none.message());
      if (found < bytes)
        fmt::print(stderr,
                   "note: {}: found {} bytes of the {} that it had: frames are missing, it begins anew\n",
                   path, std::max<std::int64_t>(found, 0), bytes);
    }
    comm_.broadcast(found);
    if (found >= bytes) begun_.insert(name);
  }
  comm_.throw_together(!problem.empty(), problem);
}

RunOutput::FileSizes RunOutput::file_sizes() const {
  FileSizes sizes;
  for (const std::string& name : begun_) {
    std::int64_t bytes = 0;
    std::error_code none;
    if (comm_.is_root())
      bytes = static_cast<std::int64_t>(std::filesystem::file_size(out_ + "/" + name, none));
    comm_.broadcast(bytes);
    sizes[name] = bytes;
  }
  if (h5md_) sizes[h5md_name] = static_cast<std::int64_t>(h5md_->frames());
  return sizes;
}

void RunOutput::close() {
  if (h5md_) h5md_->close();
}

void RunOutput::announce(const PotentialTables& potential, const Dynamics& dynamics) const {
  const std::string layout = dynamics.layout();
  if (!comm_.is_root()) return;
  fmt::print("{}\n{} atoms, box {:.5g} x {:.5g} x {:.5g} Angstrom; potential {} (cut-off {:.5g} Angstrom)\n",
             case_.title, dynamics.atoms(), box_.length(0), box_.length(1), box_.length(2), potential.source,
             potential.cutoff_angstrom);
  fmt::print("{}\n", layout);
  fmt::print("{:>9} {:>10} {:>10} {:>10} {:>18} {:>12} {:>10}\n", "step", "time/ps", "dt/fs", "T/K",
             "energy/eV", "error/eV", "P/GPa");
}

void RunOutput::thermo(const Thermo& t, double error) {
  std::string row = fmt::format("{},{:.17g},{:.17g},{:.17g},{:.17g},{:.17g},{:.17g},{:.9g},{:.9g}", t.step,
                                t.time_ps, t.timestep_ps, t.temperature_k, t.kinetic_ev, t.potential_ev,
                                t.total_ev(), error, t.pressure_gpa);
  for (std::size_t d = 0; d < 3; ++d)
    row += t.pressure_axes_gpa ? fmt::format(",{:.9g}", (*t.pressure_axes_gpa)[d]) : ",";
  for (const double length : t.box_angstrom) row += fmt::format(",{:.17g}", length);
  row += t.electron_temperature_k ? fmt::format(",{:.9g}", *t.electron_temperature_k) : ",";
  rows_.push_back(row);
  last_row_ = t.step;
  log(t, error);
}

void RunOutput::log(const Thermo& t, double error) const {
  if (!comm_.is_root()) return;
  fmt::print("{:>9} {:>10.5g} {:>10.4g} {:>10.2f} {:>18.6f} {:>12.3e} {:>10.4f}\n", t.step, t.time_ps,
             1e3 * t.timestep_ps, t.temperature_k, t.total_ev(), error, t.pressure_gpa);
  std::fflush(stdout);
}

void RunOutput::frame(const Dynamics& dynamics) {
  const std::int64_t step = dynamics.steps_done();
  if (due(step, case_.output.trajectory_every)) trajectory_frame(dynamics);
  // Of a dose also where it begins.
  const bool of_dose = case_.dose.on() && (dynamics.settled() || defects_.empty());
  if (due(step, case_.output.defects_every) || of_dose) count_defects(dynamics);
}

void RunOutput::last_frame(const Dynamics& dynamics) {
  const std::int64_t step = dynamics.steps_done();
  if (case_.output.trajectory_every > 0 && !due(step, case_.output.trajectory_every))
    trajectory_frame(dynamics);
  const bool counted = !defects_.empty() && defects_.survivors().step == step;
  if (case_.counts_defects() && !counted) count_defects(dynamics);
  if (case_.output.final_state) write_state(dynamics, "final.data");
}

void RunOutput::trajectory_frame(const Dynamics& dynamics) {
  const Configuration now = dynamics.configuration();
  const auto& formats = case_.output.trajectory_formats;
  if (h5md_) h5md_->append(now);
  const auto append = [&](const std::string& name, const auto& write) {
    write(out_ + "/" + name, begun_.contains(name));
    begun_.insert(name);
  };
  if (contains(formats, "dump"))
    append("trajectory.dump", [&](const std::string& path, bool behind) {
      write_lammps_dump(comm_, path, now, nullptr, {true, behind});
    });
  if (contains(formats, "xyz"))
    append("trajectory.xyz",
           [&](const std::string& path, bool behind) { write_extended_xyz(comm_, path, now, behind); });
}

void RunOutput::count_defects(const Dynamics& dynamics) {
  DefectSnapshot now = analyse_defects(comm_, dynamics.configuration(), *reference_, cutoffs_);
  const Dose dose = dose_model_.of(dynamics.recoils(), dynamics.inserted_pairs(), dynamics.atoms());
  now.row.events = dose.events;
  now.row.at_rest = dynamics.settled() ? 1 : 0;
  now.row.dpa = dose.dpa;
  now.row.dpa_arc = dose.dpa_arc;
  defects_.add(std::move(now));
  dose_end_ = end_of_dose();
}

std::string RunOutput::end_of_dose() const {
  const DoseSettings& dose = case_.dose;
  if (!dose.on() || defects_.empty() || defects_.survivors().at_rest.value_or(0) == 0) return "";
  if (defects_.survivors().dpa.value_or(0.0) >= dose.stop_dpa) return "dose";
  if (dose.saturation_events == 0) return "";
  std::vector<double> pairs;
  for (const DefectRow& row : defects_.rows())
    if (row.at_rest.value_or(0) != 0) pairs.push_back(static_cast<double>(row.frenkel_pairs()));
  return is_saturated(pairs, dose.saturation_events, dose.saturation_change) ? "saturation" : "";
}

nlohmann::json RunOutput::dose_section(const Dynamics& dynamics) const {
  const Dose dose = dose_model_.of(dynamics.recoils(), dynamics.inserted_pairs(), dynamics.atoms());
  return {{"method", case_.dose.method == DoseSettings::Method::recoils ? "recoils" : "insertion"},
          {"events", dose.events},
          {"dpa", dose.dpa},
          {"dpa_arc", dose.dpa_arc ? nlohmann::json(*dose.dpa_arc) : nlohmann::json()},
          {"ended_by", dose_end_},
          {"saturation", {case_.dose.saturation_events, case_.dose.saturation_change}}};
}

void RunOutput::write_state(const Dynamics& dynamics, const std::string& name) const {
  write_lammps_data(comm_, out_ + "/" + name, dynamics.configuration());
}

std::vector<double> RunOutput::pka_energies() const {
  std::vector<double> energies;
  // The published models are for tungsten recoils in tungsten.
  if (case_.potential.elements != std::vector<std::string>{"W"}) return energies;
  for (const auto& pka : case_.dynamics.pkas) energies.push_back(pka.energy_ev);
  return energies;
}

void RunOutput::flush() const {
  std::string problem;
  if (comm_.is_root()) {
    std::string table = std::string(thermo_columns) + "\n";
    for (const std::string& row : rows_) table += row + "\n";
    try {
      write_text_file(out_ + "/thermo.csv", table);
    } catch (const std::exception& e) {
      problem = message_of(e);
    }
  }
  comm_.fail_together(!problem.empty(), problem);
  if (!defects_.empty()) write_defects(comm_, out_, defects_, reference_->box(), cutoffs_, pka_energies());
}

namespace {

/// Fewer steps than a recoil needs are no mistake (recoil_checks.hpp), but nobody should have to find out.
void tell_recoils_not_fired(const Communicator& comm, const std::vector<PkaSettings>& pkas,
                            const Dynamics& dynamics) {
  const std::size_t fired = dynamics.recoils().size();
  if (fired >= pkas.size() || !comm.is_root()) return;  // a dose makes recoils of its own
  fmt::print(
      stderr,
      "note: {} of {} recoils did not happen: the run ended at {:.6g} ps, the next one is due at {:.6g} "
      "ps (pka.time_ps)\n",
      pkas.size() - fired, pkas.size(), dynamics.time_ps(), pkas[fired].time_ps);
}

}  // namespace

void RunOutput::add_stored_energy(Result& result, const Dynamics& dynamics) const {
  const auto lattice = lattice_of(case_, reference_.get());
  const auto& periodic = box_.periodic;
  if (!dynamics.is_relaxed() || !crystal_ || !periodic[0] || !periodic[1] || !periodic[2]) return;
  const Thermo now = dynamics.thermo();
  const double cells = static_cast<double>(lattice->size()) / lattice->sites_per_cell();
  const double volume = now.box_angstrom[0] * now.box_angstrom[1] * now.box_angstrom[2];
  result.add_figure("stored_energy_per_atom_ev",
                    now.potential_ev / static_cast<double>(dynamics.atoms()) -
                        crystal_->atom(std::cbrt(volume / cells)).energy_ev,
                    "eV", dynamics.kind(), "above the perfect crystal in a box of this volume");
}

void RunOutput::add_to(Result& result, const Dynamics& dynamics) const {
  const EnergyLedger ledger = dynamics.ledger();
  result.set_section("energy_ledger_ev", {{"initial", ledger.initial_ev},
                                          {"pka", ledger.pka_ev},
                                          {"stopping", ledger.stopping_ev},
                                          {"electrons", ledger.electrons_ev},
                                          {"thermostat", ledger.thermostat_ev},
                                          {"barostat", ledger.barostat_ev},
                                          {"lost", ledger.lost_ev}});
  add_stored_energy(result, dynamics);
  const auto& recoils = dynamics.recoils();
  result.set_section("recoils", recoils_to_json(recoils));
  tell_recoils_not_fired(comm_, case_.dynamics.pkas, dynamics);
  const std::size_t asked_for = case_.dynamics.pkas.size();
  result.set_section("recoils_not_fired", asked_for - std::min(asked_for, recoils.size()));
  if (case_.dose.on()) {
    const nlohmann::json dose = dose_section(dynamics);
    result.set_section("dose", dose);
    result.add_figure("dose_dpa", dose["dpa"].get<double>(), "", Kind::modelled);
    if (!dose["dpa_arc"].is_null())
      result.add_figure("dose_dpa_arc", dose["dpa_arc"].get<double>(), "", Kind::modelled);
  }
  if (defects_.empty()) return;
  result.set_section("defects", defects_.summary());
  result.add_figure("frenkel_pairs_peak", static_cast<double>(defects_.peak().frenkel_pairs()), "",
                    dynamics.kind());
  result.add_figure("frenkel_pairs_survivors", static_cast<double>(defects_.survivors().frenkel_pairs()), "",
                    dynamics.kind());
  const auto energies = pka_energies();
  if (energies.size() != 1 || recoils.empty()) return;
  for (const auto& prediction : tungsten_predictions(energies.front()))
    result.add_figure("frenkel_pairs_" + prediction.name, prediction.pairs, "", Kind::modelled,
                      "mean of many cascades; one scatters by 40 %");
}

}  // namespace wafermark::tungsten
