#include "tungsten_md/commands/case_record.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdlib>

#include "common/digest.hpp"
#include "common/mapped_file.hpp"
#include "tungsten_md/model/uf3.hpp"
#include "wse_emulator/machine.hpp"

namespace wafermark::tungsten {
namespace {

constexpr const char* recoil_keys = "pka.";

void add_to(Digest& digest, const Uf3Potential& p) {
  for (const Uf3PairTerm& term : p.pairs)
    digest.add(term.cutoff_angstrom).add(term.knots.at).add(term.coefficients);
  for (const Uf3TripletTerm& term : p.triplets)
    digest.add(term.cutoff_angstrom).add(term.ij.at).add(term.ik.at).add(term.jk.at).add(term.coefficients);
}

std::string digest_of(const PotentialTables& p) {
  Digest digest;
  for (const auto& e : p.elements) digest.add(std::string_view(e.symbol)).add(e.mass_amu);
  digest.add(p.nrho).add(p.nr).add(p.drho).add(p.dr).add(p.cutoff_angstrom);
  if (p.least_density) digest.add(*p.least_density);
  for (const auto& table : p.embedding) digest.add(table);
  for (const auto* set : {&p.density, &p.r_phi})
    for (const auto& row : *set)
      for (const auto& table : row) digest.add(table);
  if (p.uf3) add_to(digest, *p.uf3);
  return digest.text();
}

std::string digest_of_file(const std::string& path) { return Digest().add(MappedFile(path).bytes()).text(); }

/// "pka.12.energy_ev" -> 12
std::size_t recoil_number(const std::string& key) {
  return std::strtoull(key.c_str() + std::char_traits<char>::length(recoil_keys), nullptr, 10);
}

}  // namespace

template <class T>
void CaseRecord::set(const std::string& key, const T& value) {
  values_[key] = nlohmann::json(value).dump();
}

// Left out, so that they may change: title, run.steps, run.duration_ps, run.rank_grid, run.neighbour_list,
// run.skin_angstrom, run.launch, run.lanes_per_atom, [output], [check], the ends of [dose] (stop_dpa,
// saturation_events, saturation_change), wafer.blocks, [[wafer.trace]]; where files lie and what a deck calls
// their format; on the cluster target all of [wafer]. Whatever else a deck says is here: the test case_keys
// tries every key that decks have, and fails for one that it does not know.
CaseRecord CaseRecord::of(const Case& what, const PotentialTables& potential, const std::string& target) {
  CaseRecord r;
  r.set("target", target);
  r.set("run.timestep_ps", what.run.timestep_ps);
  r.set("run.precision", what.run.precision);
  // Lists at fixed steps may miss pairs: other steps, other forces.
  if (what.run.list_every > 0) r.set("run.list_every_steps", what.run.list_every);
  r.set("run.seed", what.run.seed);
  r.set("structure.boundary", what.structure.periodic);
  r.set("structure.lost_atoms", what.structure.lost_atoms == LostAtoms::drop ? "drop" : "error");
  if (const auto& lattice = what.structure.lattice) {
    r.set("structure.lattice", name_of(lattice->kind));
    r.set("structure.element", what.structure.element);
    for (const AddedElement& added : what.structure.composition)
      r.set("structure.composition." + added.symbol, added.fraction);
    r.set("structure.lattice_constant_angstrom", lattice->a);
    if (what.structure.expansion_to_be_measured) r.set("structure.thermal_expansion", "measure");
    r.set("structure.cells", lattice->cells);
  } else {
    r.set("structure.file (content)", digest_of_file(what.structure.file));
    r.set_reference(what.structure.reference);
  }
  r.set("potential.model", what.potential.model);
  if (potential.lennard_jones) {
    r.set("potential.epsilon_ev", potential.lennard_jones->epsilon_ev);
    r.set("potential.sigma_angstrom", potential.lennard_jones->sigma_angstrom);
    r.set("potential.cutoff_angstrom", potential.lennard_jones->cutoff_angstrom);
    r.set("potential.shifted", potential.lennard_jones->shifted);
  }
  r.set("potential.elements", what.potential.elements);
  r.set("potential.core", what.potential.core);
  r.set("potential.table_points", what.potential.table_points);
  r.set("potential.tables (content)", digest_of(potential));
  r.set_dynamics(what.dynamics);
  r.set_dose(what.dose);
  if (target == "wafer") r.set_wafer(what.wafer);
  return r;
}

void CaseRecord::set_reference(const ReferenceSettings& reference) {
  const std::string& source = reference.source;
  const bool word = source == "auto" || source == "crystal" || source == "start";
  set(word ? "structure.reference" : "structure.reference (content)", word ? source : digest_of_file(source));
  set("structure.lattice", reference.lattice);
  set("structure.lattice_constant_angstrom", reference.a);
  set("structure.cells", reference.cells);
}

void CaseRecord::set_dynamics(const DynamicsSettings& d) {
  set("temperature.initial_k", d.temperature.initial_k);
  set("temperature.draw_k", d.temperature.draw_k);
  const ThermostatSettings& t = d.thermostat;
  set("thermostat.kind", !t.on()                                        ? "none"
                         : t.kind == ThermostatSettings::Kind::langevin ? "langevin"
                                                                        : "nose_hoover");
  if (t.on()) {
    set("thermostat.region", t.border_only ? "border" : "box");
    if (t.schedule_k.size() == 1) {
      set("thermostat.temperature_k", t.schedule_k.front());
    } else {
      set("thermostat.schedule_ps", t.schedule_ps);
      set("thermostat.schedule_k", t.schedule_k);
    }
    if (t.kind == ThermostatSettings::Kind::nose_hoover) set("thermostat.chain_links", t.chain);
    set("thermostat.damping_time_ps", t.damping_time_ps);
    set("thermostat.border_width_angstrom", t.border_width_angstrom);
    set("thermostat.start_ps", t.start_ps);
    set("thermostat.stop_ps", t.stop_ps);
  }
  set_pressure(d);
  const StoppingSettings& s = d.stopping;
  using Kind = StoppingSettings::Kind;
  set("stopping.kind", s.kind == Kind::none ? "none" : s.kind == Kind::sqrt ? "sqrt" : "table");
  if (s.kind == Kind::sqrt) set("stopping.coefficient", s.coefficient);
  if (s.kind == Kind::table) set("stopping.file (content)", digest_of_file(s.file));
  if (s.kind != Kind::none) set("stopping.cutoff_energy_ev", s.cutoff_energy_ev);
  set_electrons(d.electrons);
  if (d.swaps.on()) {
    set("swaps.every_steps", d.swaps.every);
    set("swaps.attempts", d.swaps.attempts);
    set("swaps.temperature_k", d.swaps.temperature_k);
  }
  const AdaptiveStepSettings& a = d.adaptive;
  set("adaptive_timestep.max_displacement_angstrom", a.max_displacement_angstrom);
  set("adaptive_timestep.max_energy_change_ev", a.max_energy_change_ev);
  if (a.on()) {
    set("adaptive_timestep.min_ps", a.min_ps);
    set("adaptive_timestep.max_ps", a.max_ps);
    set("adaptive_timestep.growth", a.growth);
  }
  set("relax.max_steps", d.relax.max_steps);
  if (d.relax.max_steps > 0)
    set("relax.force_tolerance_ev_per_angstrom", d.relax.force_tolerance_ev_per_angstrom);
  for (std::size_t k = 0; k < d.pkas.size(); ++k) {
    const PkaSettings& p = d.pkas[k];
    const std::string at = fmt::format("{}{}.", recoil_keys, k);
    set(at + "energy_ev", p.energy_ev);
    set(at + "time_ps", p.time_ps);
    if (p.direction) set(at + "direction", *p.direction);
    if (p.position) set(at + "position_angstrom", *p.position);
    set(at + "random_site", p.random_site);
    if (!p.element.empty()) set(at + "element", p.element);
  }
}

void CaseRecord::set_pressure(const DynamicsSettings& d) {
  const BarostatSettings& b = d.barostat;
  using Kind = BarostatSettings::Kind;
  set("barostat.kind", b.kind == Kind::none        ? "none"
                       : b.kind == Kind::berendsen ? "berendsen"
                                                   : "stochastic");
  if (b.on()) {
    set("barostat.coupling", b.coupling == BoxCoupling::axes ? "axes" : "isotropic");
    set("barostat.pressure_gpa", b.pressure_gpa);
    set("barostat.relaxation_time_ps", b.relaxation_time_ps);
    set("barostat.compressibility_per_gpa", b.compressibility_per_gpa);
    set("barostat.every_steps", b.every);
    set("barostat.start_ps", b.start_ps);
    set("barostat.stop_ps", b.stop_ps);
  }
  const BoxRelaxation& r = d.relax.box;
  if (!r.on()) return;
  set("relax.box", r.kind == BoxRelaxation::Kind::axes ? "axes" : "isotropic");
  set("relax.pressure_gpa", r.pressure_gpa);
  set("relax.pressure_tolerance_gpa", r.tolerance_gpa);
}

void CaseRecord::set_electrons(const ElectronSettings& e) {
  using Model = ElectronSettings::Model;
  set("electrons.model", e.model == Model::none       ? "none"
                         : e.model == Model::friction ? "friction"
                                                      : "two_temperature");
  if (!e.on()) return;
  set("electrons.coupling_time_ps", e.coupling_time_ps);
  set("electrons.min_energy_ev", e.min_energy_ev);
  set("electrons.max_energy_ev", e.max_energy_ev);
  set("electrons.temperature_k", e.temperature_k);
  if (!e.has_cells()) return;
  set("electrons.cells", e.cells);
  if (!e.file.empty()) {
    set("electrons.file (content)", digest_of_file(e.file));
  } else {
    set("electrons.heat_capacity_j_per_m3_k", e.properties.heat_capacity);
    set("electrons.conductivity_w_per_m_k", e.properties.conductivity);
  }
}

void CaseRecord::set_dose(const DoseSettings& d) {
  using Method = DoseSettings::Method;
  if (!d.on()) return;
  set("dose.method", d.method == Method::recoils ? "recoils" : "insertion");
  set("dose.before_dpa", d.before_dpa);
  if (d.method == Method::insertion) {
    set("dose.pairs_at_once", d.pairs_at_once);
    return;
  }
  std::vector<std::array<double, 3>> bins;
  for (const auto& b : d.spectrum.bins) bins.push_back({b.low_ev, b.high_ev, b.share});
  set("dose.recoil_energy_ev (spectrum)", bins);
  if (!d.recoil_element.empty()) set("dose.recoil_element", d.recoil_element);
  set("dose.first_ps", d.first_ps);
  set("dose.hot_energy_ev", d.hot_energy_ev);
  set("dose.least_hot_ps", d.least_hot_ps);
  set("dose.most_hot_ps", d.most_hot_ps);
  set("dose.rest_ps", d.rest_ps);
  set("dose.rest_temperature_k", d.rest_temperature_k);
  set("dose.rest_damping_time_ps", d.rest_damping_time_ps);
  set("dose.threshold_ev", d.threshold_ev);
}

void CaseRecord::set_wafer(const WaferSettings& w) {
  set("wafer.machine (content)", digest_of_file(wse::Machine::find(w.machine, w.deck_folder)));
  set("wafer.changes", w.changes);
  set("wafer.tiles", std::array{w.max_width, w.max_height});
  set("wafer.margin_angstrom", w.margin_angstrom);
  set("wafer.neighbourhood", w.neighbourhood);
  set("wafer.table_points", w.table_points);
  set("wafer.swap_every_steps", w.swap_every);
  set("wafer.time_step_every_steps", w.time_step_every);
  set("wafer.list_reuse_steps", w.list_reuse);
  set("wafer.list_skin_angstrom", w.list_skin_angstrom);
  set("wafer.force_symmetry", w.force_symmetry);
  set("wafer.squared_tables", w.squared_tables);
  set("wafer.fused_density", w.fused_density);
  set("wafer.untested_lists", w.untested_lists);
  set("wafer.blocking_receives", w.blocking_receives);
  set("wafer.tiles_per_atom", w.tiles_per_atom);
  if (w.layer_cells)
    set("wafer.layer_cells", *w.layer_cells);
  else
    set("wafer.layer_cells", "auto");
}

CaseRecord CaseRecord::from_json(const nlohmann::json& document) {
  CaseRecord record;
  record.values_ = document.get<std::map<std::string, std::string>>();
  return record;
}

bool CaseRecord::is_of_the_target_of(const CaseRecord& other) const {
  const auto mine = values_.find("target"), others = other.values_.find("target");
  return mine != values_.end() && others != other.values_.end() && mine->second == others->second;
}

CaseRecord CaseRecord::on_any_target() const {
  CaseRecord record;
  for (const auto& [key, value] : values_)
    if (key != "target" && !key.starts_with("wafer.")) record.values_[key] = value;
  return record;
}

void CaseRecord::require_continues(const CaseRecord& stored, const std::string& where, double time_ps) const {
  const auto value = [](const CaseRecord& record, const std::string& key) -> std::string {
    const auto at = record.values_.find(key);
    return at == record.values_.end() ? "not there" : at->second;
  };
  // A recoil that is added must come after all that has happened, and after those that are to come: each
  // takes its random numbers by its place in the order of times.
  std::size_t recoils = 0;
  double last_ps = time_ps;
  for (const auto& [key, text] : stored.values_)
    if (key.starts_with(recoil_keys)) {
      recoils = std::max(recoils, recoil_number(key) + 1);
      if (key.ends_with(".time_ps")) last_ps = std::max(last_ps, std::strtod(text.c_str(), nullptr));
    }
  const auto added_at_the_end = [&](const std::string& key) {
    if (!key.starts_with(recoil_keys) || recoil_number(key) < recoils) return false;
    const std::string time = value(*this, fmt::format("{}{}.time_ps", recoil_keys, recoil_number(key)));
    return std::strtod(time.c_str(), nullptr) >= last_ps;
  };
  std::map<std::string, std::string> keys = stored.values_;
  keys.insert(values_.begin(), values_.end());
  std::string differs;  // a key of both, rather than one that another choice brings with it
  const auto in_both = [&](const std::string& key) {
    return stored.values_.contains(key) && values_.contains(key);
  };
  for (const auto& [key, unused] : keys) {
    if (value(stored, key) == value(*this, key) || added_at_the_end(key)) continue;
    if (differs.empty() || (!in_both(differs) && in_both(key))) differs = key;
  }
  if (!differs.empty())
    throw OtherCase(
        fmt::format("{}: is of another case: found {} = {} in it, now {} (--overwrite begins anew)", where,
                    differs, value(stored, differs), value(*this, differs)));
}

}  // namespace wafermark::tungsten
