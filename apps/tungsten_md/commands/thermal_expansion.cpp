#include "tungsten_md/commands/thermal_expansion.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "common/errors.hpp"
#include "tungsten_md/analysis/defect_series.hpp"
#include "tungsten_md/analysis/lattice_sites.hpp"
#include "tungsten_md/cluster/simulation.hpp"
#include "tungsten_md/commands/start_state.hpp"
#include "tungsten_md/io/checkpoint.hpp"

namespace wafermark::tungsten {
namespace {

// The pressure of a thousand atoms forgets itself in some tenths of a ps and scatters by some 0.02 GPa, so
// that its mean over 8 ps, and with it the length, is good to 1e-5.
constexpr int atoms_at_least = 1000, blocks = 16;
constexpr double settling_ps = 3.0, block_ps = 0.5;
constexpr double largest_misplaced = 0.05;  ///< share of atoms off the sites of what is still a crystal

/// Light atoms need shorter steps: 2 fs for W.
double time_step(double mass_amu) { return std::clamp(0.002 * std::sqrt(mass_amu / 183.84), 5e-4, 0.002); }

std::array<int, 3> small_cells(const Lattice& lattice, double list_radius) {
  const double cube = std::cbrt(static_cast<double>(atoms_at_least) / lattice.sites_per_cell());
  const double wide = 2.0 * 1.05 * list_radius / lattice.a;  // two cut-offs, should it shrink
  const int n = static_cast<int>(std::ceil(std::max(cube, wide)));
  return {n, n, n};
}

Case small_case(const Case& what, const PotentialTables& potential) {
  Case small = what;
  const Lattice& lattice = *what.structure.lattice;
  small.run = RunSettings{};
  small.run.seed = what.run.seed;
  small.structure.periodic = {true, true, true};
  small.structure.lattice = make_lattice(
      lattice.kind, lattice.a, small_cells(lattice, potential.cutoff_angstrom + small.run.skin_angstrom));
  const double temperature = what.dynamics.temperature.initial_k;
  small.dynamics = DynamicsSettings{};
  small.dynamics.temperature = {.draw_k = 2.0 * temperature, .initial_k = temperature};
  small.dynamics.thermostat = ThermostatSettings::of_kind(ThermostatSettings::Kind::langevin, temperature);
  BarostatSettings& b = small.dynamics.barostat;
  b.kind = BarostatSettings::Kind::berendsen;
  b.compressibility_per_gpa = what.dynamics.barostat.compressibility_per_gpa;
  b.relaxation_time_ps = 0.3;
  if (what.dynamics.barostat.on()) b.pressure_gpa = what.dynamics.barostat.pressure_gpa;
  return small;
}

void require_crystal(const Communicator& alone, const Simulation& simulation, const Case& small) {
  const Lattice& lattice = *small.structure.lattice;
  const LatticeSites sites(lattice, lattice.box(small.structure.periodic));
  const auto found = analyse_defects(alone, simulation.configuration(), sites, cluster_cutoffs(lattice));
  if (static_cast<double>(found.row.vacancies) > largest_misplaced * static_cast<double>(lattice.size()))
    throw InputError(fmt::format(
        "structure.thermal_expansion: found no crystal at {} K ({} of {} sites empty after {} ps), expected "
        "a "
        "number, or a temperature.initial_k below melting",
        small.dynamics.temperature.initial_k, found.row.vacancies, lattice.size(), simulation.time_ps()));
}

}  // namespace

nlohmann::json MeasuredExpansion::to_json() const {
  return {{"factor", factor},
          {"standard_error", standard_error},
          {"temperature_k", temperature_k},
          {"pressure_gpa", pressure_gpa}};
}

MeasuredExpansion MeasuredExpansion::from_json(const nlohmann::json& j) {
  return {j.at("factor"), j.at("standard_error"), j.at("temperature_k"), j.at("pressure_gpa")};
}

MeasuredExpansion measure_expansion(const Communicator& comm, const Case& what,
                                    const PotentialTables& potential,
                                    const std::function<void()>& before_step) {
  const Communicator alone(MPI_COMM_SELF);
  Case small = small_case(what, potential);
  const int type = require_element(what, potential);
  small.run.timestep_ps = time_step(potential.elements[static_cast<std::size_t>(type)].mass_amu);
  const auto steps = [&](double ps) { return static_cast<int>(std::lround(ps / small.run.timestep_ps)); };
  RegionTimes times;
  Simulation simulation(alone, small, potential, starting_state(alone, small, potential), times);
  for (int k = 0; k < steps(settling_ps); ++k) {
    before_step();
    simulation.step(false);
  }
  const double started = small.structure.lattice->box({true, true, true}).volume();
  double sum = 0.0, squares = 0.0;
  for (int block = 0; block < blocks; ++block) {
    double mean = 0.0;
    for (int k = 0; k < steps(block_ps); ++k) {
      before_step();
      simulation.step(false);
      mean += std::log(simulation.domain().box().volume() / started) / 3.0 / steps(block_ps);
    }
    sum += mean / blocks;
    squares += mean * mean / blocks;
  }
  require_crystal(alone, simulation, small);
  const auto& pressure = small.dynamics.barostat.pressure_gpa;
  MeasuredExpansion e{std::exp(sum), std::sqrt(std::max(0.0, squares - sum * sum) / (blocks - 1)),
                      small.dynamics.temperature.initial_k, (pressure[0] + pressure[1] + pressure[2]) / 3.0};
  comm.broadcast(e.factor);
  comm.broadcast(e.standard_error);
  return e;
}

std::optional<MeasuredExpansion> settle_expansion(const Communicator& comm, Case& what,
                                                  const PotentialTables& potential,
                                                  const std::vector<std::string>& checkpoints,
                                                  const std::function<void()>& before_step) {
  if (!what.structure.expansion_to_be_measured) return std::nullopt;
  std::optional<MeasuredExpansion> expansion;
  for (const std::string& path : checkpoints) try {
      const nlohmann::json header = read_checkpoint_header(comm, path);
      expansion = MeasuredExpansion::from_json(header.at("run").at("whole").at("thermal_expansion"));
      break;
    } catch (const InputError&) {  // a damaged one; whoever goes on from it says so
    } catch (const nlohmann::json::exception&) {
    }
  if (!expansion) expansion = measure_expansion(comm, what, potential, before_step);
  const Lattice& nominal = *what.structure.lattice;
  what.structure.lattice = make_lattice(nominal.kind, nominal.a * expansion->factor, nominal.cells);
  what.structure.expansion_to_be_measured = false;
  return expansion;
}

}  // namespace wafermark::tungsten
