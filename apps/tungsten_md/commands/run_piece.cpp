#include "tungsten_md/commands/run_piece.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "common/progress.hpp"
#include "tungsten_md/model/recoils.hpp"

namespace wafermark::tungsten {
namespace {

/// Hot atoms are looked for every so many steps: each look is a collective.
constexpr std::int64_t look_interval = 10;
constexpr double hot_atom_ev = 10.0;

void add_checks(Result& result, const Case& what, const Dynamics& dynamics, const WholeRun& whole,
                const Thermo& last) {
  // Each recoil brings an error of its own.
  const double recoils = std::max(1.0, static_cast<double>(dynamics.recoils().size()));
  if (dynamics.energy_is_kept())
    result.add_check("energy_balance_per_atom",
                     dynamics.energy_error_ev(last) / static_cast<double>(dynamics.atoms()), 0.0,
                     recoils * what.check.energy_tolerance_ev_per_atom, "eV");
  if (dynamics.momentum_is_kept() && last.thermal_momentum > 0.0) {
    double change = 0.0;
    for (std::size_t d = 0; d < 3; ++d)
      change = std::max(change, std::abs(last.momentum[d] - whole.momentum[d]));
    // Colder than 1 K the thermal momentum, which goes with the root of the temperature, is taken at 1 K: of
    // a crystal at rest nothing but rounding moves.
    const double thermal = last.thermal_momentum * std::sqrt(std::max(1.0, 1.0 / last.temperature_k));
    result.add_check("momentum_change", change / thermal, 0.0, what.check.momentum_tolerance, "of thermal");
  }
}

}  // namespace

void Piece::begin(bool new_files, const std::optional<MeasuredExpansion>& expansion) {
  const Thermo first = simulation_.thermo();
  if (target_.from.is_null()) {
    whole_.first_step = first.step;
    whole_.first_time_ps = first.time_ps;
    whole_.momentum = first.momentum;
  } else {
    whole_ = WholeRun::from_json(target_.from.at("whole"));
    ++whole_.pieces;
  }
  if (expansion) whole_.thermal_expansion = expansion->to_json();
  const double error = simulation_.energy_error_ev(first);
  if (new_files)
    output_.thermo(first, error);
  else
    output_.log(first, error);
  if (target_.from.is_null()) output_.frame(simulation_);
  if (new_files && what_.output.start_state) output_.write_state(simulation_, "start.data");
}

bool Piece::loop(EnergyMeter& meter) {
  times_.clear();
  Kokkos::fence("before the timed steps");
  comm_.barrier();
  begin_ = runtime::seconds();
  runtime::begin_timed_steps();
  bool stopped = false;
  // Whichever limit is set tells how far the run is.
  const bool by_time = std::isfinite(what_.run.duration_ps);
  Progress progress(by_time ? "ps" : "steps",
                    by_time ? what_.run.duration_ps : static_cast<double>(what_.run.steps), comm_.is_root());
  while (!finished() && !stopped) {
    const std::int64_t unwatched = unwatched_steps(), next = simulation_.steps_done() + 1;
    const bool with_energy =
        unwatched == 0 && (due(next, what_.output.thermo_every) || next == what_.run.steps);
    if (unwatched > 0)
      simulation_.run_ahead(unwatched);
    else
      simulation_.step(with_energy);
    const std::int64_t now = simulation_.steps_done();
    after_step(now, with_energy, meter);
    stopped = poll_.stop();
    const bool last = finished() && what_.output.checkpoint_every > 0;
    if (due(now, what_.output.checkpoint_every) || stopped || last) save();
    progress.update(by_time ? simulation_.time_ps() : static_cast<double>(now),
                    fmt::format("step {}, {:.4g} ps", now, simulation_.time_ps()));
  }
  Kokkos::fence("behind the timed steps");
  comm_.barrier();
  runtime::end_timed_steps(simulation_.steps_done() - first_step_);
  loop_seconds_ = comm_.max(seconds());
  return finished();
}

std::int64_t Piece::unwatched_steps() const {
  const std::int64_t done = simulation_.steps_done();
  std::int64_t to_next = what_.run.steps - done;
  const auto look_every = [&](std::int64_t interval) {
    if (interval > 0) to_next = std::min(to_next, interval - done % interval);
  };
  const OutputSettings& o = what_.output;
  for (const std::int64_t interval :
       {o.thermo_every, o.defects_every, o.trajectory_every, o.checkpoint_every})
    look_every(interval);
  if (what_.has_recoils()) look_every(look_interval);
  // The last of a time is found step by step: where rounding puts it, a sum of time steps decides.
  const double left = (what_.run.duration_ps - simulation_.time_ps()) / simulation_.timestep_ps();
  if (left < static_cast<double>(to_next)) to_next = static_cast<std::int64_t>(left) - 1;
  return std::max(std::int64_t{0}, to_next - 1);
}

void Piece::after_step(std::int64_t step, bool with_energy, EnergyMeter& meter) {
  if (with_energy) {
    const Thermo now = simulation_.thermo();
    output_.thermo(now, simulation_.energy_error_ev(now));
    meter.sample();
  }
  output_.frame(simulation_);
  if (what_.has_recoils() && due(step, look_interval)) look_for_hot_atoms();
}

void Piece::look_for_hot_atoms() {
  const double width = what_.dynamics.thermostat.border_width_angstrom;
  if (simulation_.hot_atoms_at_border(width, hot_atom_ev) == 0) return;
  if (whole_.hot_looks++ == 0 && comm_.is_root())
    fmt::print(
        stderr,
        "warning: an atom above {} eV came within {} Angstrom of the box's faces at {:.4g} ps: the box is "
        "too small for this cascade, or the recoil's direction is unlucky\n",
        hot_atom_ev, width, simulation_.time_ps());
}

void Piece::save() {
  const Region region(times_, "checkpoint");
  output_.flush();
  WholeRun whole = whole_;
  whole.loop_seconds += comm_.max(seconds());
  target_.save({{"case", record_.to_json()},
                {"step", simulation_.steps_done()},
                {"time_ps", simulation_.time_ps()},
                {"whole", whole.to_json()},
                {"recoils", recoils_to_json(simulation_.recoils())},
                {"files", output_.file_sizes()}});
}

void Piece::add_progress_to(Result& result) const {
  result.add_figure("atoms", static_cast<double>(simulation_.atoms()), "");
  result.add_figure("steps", static_cast<double>(simulation_.steps_done() - whole_.first_step), "");
  result.add_figure("simulated_ps", simulation_.time_ps() - whole_.first_time_ps, "ps");
  result.add_figure("loop_seconds", whole_.loop_seconds + loop_seconds_, "s");
  if (whole_.pieces == 1) return;
  result.set_section("restarted_from_step", first_step_);
  const std::string note = fmt::format("of the last of {} pieces, as are the rates", whole_.pieces);
  result.add_figure("steps_of_last_piece", static_cast<double>(simulation_.steps_done() - first_step_), "",
                    Kind::measured, note);
  result.add_figure("loop_seconds_of_last_piece", loop_seconds_, "s", Kind::measured, note);
}

void Piece::add_box(Result& result, const Thermo& last) const {
  if (!whole_.thermal_expansion.is_null()) {
    const auto expansion = MeasuredExpansion::from_json(whole_.thermal_expansion);
    result.add_figure("thermal_expansion", expansion.factor, "", Kind::measured,
                      fmt::format("on the deck's lattice constant, +- {:.1g}, at {:.6g} K and {:.6g} GPa",
                                  expansion.standard_error, expansion.temperature_k, expansion.pressure_gpa));
    result.set_section("thermal_expansion", whole_.thermal_expansion);
  }
  if (!what_.dynamics.barostat.on() && !what_.dynamics.relax.box.on()) return;
  result.add_figure("pressure_end_gpa", last.pressure_gpa, "GPa", simulation_.kind());
  const auto& l = last.box_angstrom;
  result.add_figure("box_end_x_angstrom", l[0], "Angstrom", simulation_.kind());
  result.add_figure("box_end_y_angstrom", l[1], "Angstrom", simulation_.kind());
  result.add_figure("box_end_z_angstrom", l[2], "Angstrom", simulation_.kind());
}

void Piece::add_to(Result& result, const EnergyReading& energy) {
  simulation_.evaluate_energy();
  const Thermo last = simulation_.thermo();
  if (output_.last_thermo_step() != last.step) output_.thermo(last, simulation_.energy_error_ev(last));
  output_.last_frame(simulation_);
  const double n = static_cast<double>(simulation_.atoms());
  add_progress_to(result);
  simulation_.report(result,
                     {simulation_.steps_done() - first_step_, loop_seconds_, energy.joules, energy.note});
  const Kind kind = simulation_.kind();
  result.add_figure("energy_per_atom_start_ev", simulation_.ledger().initial_ev / n, "eV", kind);
  result.add_figure("energy_per_atom_end_ev", last.total_ev() / n, "eV", kind);
  result.add_figure("temperature_end_k", last.temperature_k, "K", kind);
  add_box(result, last);
  if (what_.has_recoils())
    result.add_figure("looks_with_hot_atoms_at_border", static_cast<double>(whole_.hot_looks), "", kind);
  add_checks(result, what_, simulation_, whole_, last);
  output_.add_to(result, simulation_);
  result.set_regions(times_.reduce(comm_));
  result.set_energy(energy);
  result.set_section("end", {{"step", last.step}, {"time_ps", last.time_ps}});
}

}  // namespace wafermark::tungsten
