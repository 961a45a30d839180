// One cascade after the other in the same crystal: when a recoil is due, how long it is hot, when it has come
// to rest.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "tungsten_md/model/dose_settings.hpp"

namespace wafermark::tungsten {

/// The phases of overlapping cascades: wait for the first; hot, until no atom has more than
/// dose.hot_energy_ev of kinetic energy (within limits of time); rest, in which all atoms are in a bath; the
/// next. Time is all that it knows of the run, so that it is the same for any number of ranks.
class DoseProtocol {
 public:
  explicit DoseProtocol(const DoseSettings& settings) : settings_(settings), due_ps_(settings.first_ps) {}

  bool on() const { return settings_.method == DoseSettings::Method::recoils; }
  /// A recoil is to be made before the step that begins now.
  bool recoil_due(double time_ps) const { return on() && phase_ == Phase::wait && time_ps >= due_ps_; }
  /// Number `fired()` of the recoils: energy by the spectrum, random site and direction, from the seed.
  PkaSettings next_recoil(std::uint64_t seed) const;
  std::int64_t fired() const { return fired_; }
  /// It was made, at this time.
  void begin_hot(double time_ps);
  bool is_resting() const { return phase_ == Phase::rest; }
  /// Whether advance() needs to know the largest kinetic energy after this step.
  bool asks_for_hottest(std::int64_t step) const;
  /// After a step. `hottest_ev`: largest kinetic energy of an atom, where it was asked for.
  void advance(double time_ps, std::int64_t step, double hottest_ev);
  /// At the end of the last step a recoil had come to rest: what it left can be counted.
  bool settled() const { return settled_; }

  /// For checkpoints.
  std::map<std::string, double> numbers() const;
  void resume(const std::map<std::string, double>& numbers);

 private:
  enum class Phase : int { wait = 0, hot = 1, rest = 2 };
  /// Looking is a collective: every so many steps only.
  static constexpr std::int64_t look_interval = 10;

  DoseSettings settings_;
  Phase phase_ = Phase::wait;
  std::int64_t fired_ = 0;
  double due_ps_ = 0.0;    ///< wait: of the next recoil
  double since_ps_ = 0.0;  ///< hot, rest: when it began
  bool settled_ = false;
};

}  // namespace wafermark::tungsten
