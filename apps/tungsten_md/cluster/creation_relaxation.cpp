#include "tungsten_md/cluster/creation_relaxation.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>
#include <utility>

#include "tungsten_md/cluster/relax_box.hpp"
#include "tungsten_md/dynamics/nearest_atom.hpp"
#include "tungsten_md/dynamics/thermo.hpp"
#include "tungsten_md/kernels/random.hpp"

namespace wafermark::tungsten {
namespace {

/// A place nearer than this to an atom is drawn again: inside the core of a potential there are no forces to
/// be trusted.
constexpr double least_distance_angstrom = 1.0;
constexpr std::uint64_t most_draws = 1000;

Vec3 random_place(const Box& box, std::uint64_t seed, std::int64_t number, std::uint64_t draw) {
  const auto words = random_words(seed, static_cast<std::uint64_t>(number), 1 + draw, Stream::dose);
  Vec3 place{};
  for (std::size_t d = 0; d < 3; ++d)
    place[d] = box.lo[d] + uniform(words[d]) * box.length(static_cast<int>(d));
  return box.wrap(place);
}

}  // namespace

CreationRelaxation::CreationRelaxation(const Communicator& comm, const Case& what, const Configuration& start)
    : comm_(comm),
      case_(what),
      frame_{start.box, start.elements, start.masses, {}, start.time_ps, start.step},
      step_(start.step) {}

CreationRelaxation::CreationRelaxation(const Communicator& comm, const Case& what,
                                       const PotentialTables& potential, const Configuration& start,
                                       RegionTimes& times, const std::function<void()>& relaxing)
    : CreationRelaxation(comm, what, start) {
  relaxing_ = relaxing;
  domain_ = new_domain(comm, what, potential, start, times);
  relax_all();
  ledger_.initial_ev = thermo().total_ev();
}

CreationRelaxation::CreationRelaxation(const Communicator& comm, const Case& what,
                                       const PotentialTables& potential, const SimulationState& state,
                                       RegionTimes& times)
    : CreationRelaxation(comm, what, state.configuration) {
  ResumedDomain resumed = resumed_domain(comm, what, potential, state, times);
  domain_ = std::move(resumed.domain);
  energy_share_ = resumed.energy_share;
  ledger_.initial_ev = state.numbers.at("initial_ev");
  largest_force_ = state.numbers.at("largest_force");
  inserted_ = state.counters.at("inserted_pairs");
  fire_steps_ = state.counters.at("fire_steps");
  not_relaxed_ = state.counters.at("not_relaxed");
}

void CreationRelaxation::step(bool) {
  for (int k = 0; k < case_.dose.pairs_at_once; ++k) insert(inserted_++);
  domain_->rebuild();
  relax_all();
  ++step_;
}

void CreationRelaxation::insert(std::int64_t number) {
  const Box& box = frame_.box;
  Particles& p = domain_->particles();
  const FoundAtom moved = nearest_atom(comm_, p, box, random_place(box, case_.run.seed, number, 0));
  Vec3 place{};
  std::uint64_t draw = 0;
  do {
    if (++draw > most_draws)
      throw std::runtime_error(fmt::format(
          "insertion {}: found no place {} Angstrom from all atoms in {} draws: the crystal is too "
          "dense for creation-relaxation",
          number, least_distance_angstrom, most_draws));
    place = random_place(box, case_.run.seed, number, draw);
  } while (nearest_atom(comm_, p, box, place).squared_distance <
           least_distance_angstrom * least_distance_angstrom);
  if (moved.local < 0) return;
  for (int d = 0; d < 3; ++d) Kokkos::deep_copy(Kokkos::subview(p.x, moved.local, d), place[d]);
}

void CreationRelaxation::relax_all() {
  const BoxRelaxationResult result = relax_with_box(*domain_, case_.dynamics.relax, relaxing_);
  frame_.box = domain_->box();
  fire_steps_ += result.steps;
  not_relaxed_ += !result.converged;
  largest_force_ = std::max(largest_force_, result.max_force);
  energy_share_ = domain_->compute_forces_and_energy();
}

Thermo CreationRelaxation::thermo() const {
  Thermo t = measure(comm_, domain_->particles(), energy_share_, domain_->atoms(), frame_.box);
  t.step = step_;
  t.time_ps = frame_.time_ps;
  return t;
}

Configuration CreationRelaxation::configuration() const {
  Configuration c = frame_;
  c.atoms = domain_->atoms_on_host();
  c.step = step_;
  return c;
}

std::string CreationRelaxation::layout() const {
  const auto& grid = domain_->subdomain().grid;
  return fmt::format("{} ranks as {} x {} x {}, {} precision; {} moved atoms, then relaxation, a step",
                     comm_.size(), grid[0], grid[1], grid[2], domain_->settings().precision,
                     case_.dose.pairs_at_once);
}

void CreationRelaxation::report(Result& result, const RunLoop& loop) const {
  const bool ran = loop.seconds > 0.0 && loop.steps > 0;
  result.add_figure("steps_per_second",
                    ran ? std::optional(static_cast<double>(loop.steps) / loop.seconds) : std::nullopt,
                    "1/s");
  result.add_figure("inserted_pairs", static_cast<double>(inserted_), "");
  result.add_figure("relaxation_steps", static_cast<double>(fire_steps_), "");
  result.add_figure("relaxed_max_force", largest_force_, "eV/Angstrom");
  result.add_check("relaxations_not_finished", static_cast<double>(not_relaxed_), 0.0, 0.0, "");
}

SimulationState CreationRelaxation::state() const {
  SimulationState s = state_of(*domain_, configuration(), case_.run.skin_angstrom);
  s.numbers.insert({{"initial_ev", ledger_.initial_ev}, {"largest_force", largest_force_}});
  s.counters = {{"inserted_pairs", inserted_}, {"fire_steps", fire_steps_}, {"not_relaxed", not_relaxed_}};
  return s;
}

}  // namespace wafermark::tungsten
