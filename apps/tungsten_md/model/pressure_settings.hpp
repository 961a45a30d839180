// What holds the pressure: the deck's [barostat], and the box of [relax].
#pragma once

#include <array>
#include <cstdint>
#include <limits>

#include "common/deck.hpp"

namespace wafermark::tungsten {

/// A time that no run reaches.
inline constexpr double forever_ps = 1e30;

/// How a box follows the pressure: one factor for all axes, or one for each.
enum class BoxCoupling { isotropic, axes };

struct BarostatSettings {
  enum class Kind { none, berendsen, stochastic } kind = Kind::none;
  BoxCoupling coupling = BoxCoupling::isotropic;
  std::array<double, 3> pressure_gpa{0, 0, 0};  ///< aimed at, along x, y, z
  double relaxation_time_ps = 1.0;
  double compressibility_per_gpa = 1.0 / 310.0;
  int every = 10;  ///< steps between changes of the box
  double start_ps = 0.0, stop_ps = std::numeric_limits<double>::infinity();

  bool on() const { return kind != Kind::none; }
  bool acts(double time_ps) const { return on() && time_ps >= start_ps && time_ps < stop_ps; }
  static BarostatSettings read(Deck& deck);
};

/// The box of a relaxation.
struct BoxRelaxation {
  enum class Kind { fixed, isotropic, axes } kind = Kind::fixed;
  std::array<double, 3> pressure_gpa{0, 0, 0};
  double tolerance_gpa = 1e-3;

  bool on() const { return kind != Kind::fixed; }
  static BoxRelaxation read(Deck& deck);
};

}  // namespace wafermark::tungsten
