#include "tungsten_md/dynamics/fire_schedule.hpp"

#include <algorithm>

namespace wafermark::tungsten {
namespace {

constexpr double longest_step = 0.02, shortest_step = 4e-5, max_displacement = 0.1;
constexpr double growth = 1.1, shrink = 0.5, mixing_decay = 0.99;
constexpr int delay = 20;

}  // namespace

bool FireSchedule::accept(double power) {
  const std::int64_t step = steps_++;
  if (power > 0.0) {
    if (++downhill_ > delay) {
      dt_ = std::min(dt_ * growth, longest_step);
      mixing_ *= mixing_decay;
    }
    return true;
  }
  downhill_ = 0;
  if (step >= delay) {
    dt_ = std::max(dt_ * shrink, shortest_step);
    mixing_ = first_mixing;
  }
  return false;
}

double FireSchedule::safe_step(double fastest) const {
  return fastest * dt_ > max_displacement ? max_displacement / fastest : dt_;
}

}  // namespace wafermark::tungsten
