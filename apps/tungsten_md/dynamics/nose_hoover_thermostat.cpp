#include "tungsten_md/dynamics/nose_hoover_thermostat.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "tungsten_md/dynamics/barostat.hpp"
#include "tungsten_md/kernels/nose_hoover.hpp"
#include "tungsten_md/model/units.hpp"

namespace wafermark::tungsten {

double NoseHooverThermostat::apply(Particles& p, std::int64_t atoms, double kinetic_ev, double time_ps,
                                   double dt) {
  const double freedom = 3.0 * static_cast<double>(std::max<std::int64_t>(1, atoms - 1));
  NoseHooverChain<double> chain{
      settings_.chain,           freedom,
      settings_.damping_time_ps, units::boltzmann_ev_per_k * settings_.schedule_k.front(),
      position_.data(),          velocity_.data()};
  const double factor = chain.go_on(
      2.0 * kinetic_ev, units::boltzmann_ev_per_k * settings_.temperature_k(time_ps), dt, potential_ev_);
  scale_velocities(p, {factor, factor, factor});
  held_ev_ = chain.kinetic() + potential_ev_;
  return kinetic_ev * (factor * factor - 1.0);
}

std::map<std::string, double> NoseHooverThermostat::state() const {
  std::map<std::string, double> numbers{{"chain_held_ev", held_ev_}, {"chain_potential_ev", potential_ev_}};
  for (std::size_t k = 0; k < position_.size(); ++k) {
    numbers[fmt::format("chain_position_{}", k)] = position_[k];
    numbers[fmt::format("chain_velocity_{}", k)] = velocity_[k];
  }
  return numbers;
}

void NoseHooverThermostat::resume(const std::map<std::string, double>& numbers) {
  held_ev_ = numbers.at("chain_held_ev");
  potential_ev_ = numbers.at("chain_potential_ev");
  for (std::size_t k = 0; k < position_.size(); ++k) {
    position_[k] = numbers.at(fmt::format("chain_position_{}", k));
    velocity_[k] = numbers.at(fmt::format("chain_velocity_{}", k));
  }
}

}  // namespace wafermark::tungsten
