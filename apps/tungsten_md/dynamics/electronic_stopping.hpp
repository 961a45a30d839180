// Energy loss of fast atoms to the electrons.
#pragma once

#include <cstdint>

#include "tungsten_md/dynamics/electrons.hpp"
#include "tungsten_md/dynamics/particles.hpp"
#include "tungsten_md/dynamics/running_sum.hpp"
#include "tungsten_md/model/dynamics_settings.hpp"
#include "tungsten_md/model/stopping_table.hpp"

namespace wafermark::tungsten {

class ElectronicStopping {
 public:
  explicit ElectronicStopping(const StoppingSettings& settings);
  /// Slows this rank's atoms above the cut-off energy for `dt`; adds the energy that they lost, eV, to
  /// `lost`, and leaves it with the electrons of their cells where there are any.
  void apply(Particles& p, double dt, RunningSum& lost, const HeatDeposit& deposit = {}) const;
  /// How often an atom of this rank was above the end of the table so far; it was slowed by the last power.
  std::int64_t above_table() const;
  /// Goes on from a stored count.
  void resume(std::int64_t above_table);

 private:
  StoppingSettings settings_;
  ScalarView energy_, power_;  ///< power: [type][entry]
  Kokkos::View<std::int64_t, MemSpace> above_{"above_stopping_table"};
};

}  // namespace wafermark::tungsten
