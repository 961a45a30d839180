// What holds the pressure of a periodic box (the arithmetic: kernels/barostat.hpp).
#pragma once

#include <cstdint>

#include "tungsten_md/dynamics/particles.hpp"
#include "tungsten_md/model/dynamics.hpp"
#include "tungsten_md/model/pressure_settings.hpp"

namespace wafermark::tungsten {

/// Factors on the box and on the atoms' velocities, along x, y, z.
struct Stretch {
  Vec3 box{1, 1, 1}, velocities{1, 1, 1};
};

class Barostat {
 public:
  Barostat(const BarostatSettings& settings, std::uint64_t seed) : settings_(settings), seed_(seed) {}

  /// A step of `dt` that begins at `time_ps` goes by.
  void wait(double time_ps, double dt) {
    if (settings_.acts(time_ps)) waited_ps_ += dt;
  }
  /// Whether the box changes at the end of the step number `step`, which wait() was told of.
  bool is_due(std::int64_t step) const {
    return settings_.on() && waited_ps_ > 0.0 && step % settings_.every == 0;
  }
  /// How it changes there, for the time since it last did. The same on all ranks where `now` is.
  Stretch next(const Thermo& now, double bath_k);

  /// For checkpoints: time since the box last changed.
  double waited_ps() const { return waited_ps_; }
  void resume(double waited_ps) { waited_ps_ = waited_ps; }

 private:
  BarostatSettings settings_;
  std::uint64_t seed_;
  double waited_ps_ = 0.0;
};

/// v <- factor v, axis by axis.
void scale_velocities(Particles& p, const Vec3& factor);

}  // namespace wafermark::tungsten
