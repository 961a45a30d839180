// Relaxation on the tiles: FIRE, whose products of all atoms go round the wafer by reductions.
#pragma once

#include <cstdint>
#include <memory>

#include "tungsten_md/dynamics/fire_schedule.hpp"
#include "tungsten_md/wafer/relaxation_code.hpp"
#include "tungsten_md/wafer/tile_items.hpp"
#include "tungsten_md/wafer/tile_plan.hpp"
#include "wse_emulator/program.hpp"

namespace wafermark::tungsten {

class WaferSimulation;

/// Throws InputError for a relaxation whose tolerance the tiles' fp32 arithmetic does not reach.
void require_reachable(const RelaxSettings& settings);

/// Of all atoms, from one reduction: with them every tile knows v^2 behind the kick, v' = v + c f/m,
///   sum v'^2 = sum v^2 + 2 c sum f.v/m + c^2 sum f^2/m^2
/// and a bound on the largest component, so that a step takes no second one.
struct RelaxationSums {
  static constexpr std::size_t summed = 5;
  static constexpr int words = 7;
  float power = 0.0f, v2 = 0.0f, fv_over_m = 0.0f, f2 = 0.0f, f2_over_m2 = 0.0f;
  float largest_v = 0.0f, largest_f = 0.0f;
};

/// Where a relaxation stands, and what its program refers to.
struct Relaxation {
  Relaxation(const TilePlan& plan, const TileItems& items, WaferSimulation& run);
  RelaxationCode code;
  std::shared_ptr<wse::AllReduce> reduction;
  FireSchedule schedule;
  RelaxationSums sums;
  wse::Program step;
};

/// How it ended, and what it took.
struct RelaxationRecord {
  FireResult result;
  double cycles_of_step = 0.0;  ///< of the slowest tile, mean over the steps
};

}  // namespace wafermark::tungsten
