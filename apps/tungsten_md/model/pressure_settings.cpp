#include "tungsten_md/model/pressure_settings.hpp"

#include <cmath>
#include <string>

namespace wafermark::tungsten {
namespace {

constexpr Range gigapascal{-1e3, 1e3};

/// `PREFIX.pressure_gpa` for all axes, or `PREFIX.pressure_axes_gpa` for each where `axes` allows it.
std::array<double, 3> read_pressure(Deck& deck, const std::string& prefix, bool axes,
                                    const std::string& needed) {
  const std::string one = prefix + ".pressure_gpa", three = prefix + ".pressure_axes_gpa";
  const double all = deck.number(one, 0.0, "aimed at", gigapascal);
  const auto each = deck.numbers(three, std::vector<double>{}, "along x, y, z, instead of one for all");
  if (each.empty()) return {all, all, all};
  if (!axes) deck.reject(three, needed + " = \"axes\" beside it");
  if (deck.has(one)) deck.reject(three, "none, or no " + one);
  if (each.size() != 3) deck.reject(three, "three numbers");
  for (const double p : each)
    if (!gigapascal.holds(p)) deck.reject(three, "three numbers from -1000 to 1000");
  return {each[0], each[1], each[2]};
}

}  // namespace

BarostatSettings BarostatSettings::read(Deck& deck) {
  BarostatSettings b;
  const std::string kind = deck.choice(
      "barostat.kind", "none", {"none", "berendsen", "stochastic"},
      "what holds the pressure: berendsen relaxes to it, stochastic (cell rescaling, Bernetti and "
      "Bussi 2020) also fluctuates as the ensemble does, at the thermostat's temperature");
  b.kind = kind == "berendsen" ? Kind::berendsen : kind == "stochastic" ? Kind::stochastic : Kind::none;
  const bool axes = deck.choice("barostat.coupling", "isotropic", {"isotropic", "axes"},
                                "one factor for the whole box, or one for each axis") == "axes";
  b.coupling = axes ? BoxCoupling::axes : BoxCoupling::isotropic;
  b.pressure_gpa = read_pressure(deck, "barostat", axes, "barostat.coupling");
  b.relaxation_time_ps = deck.number("barostat.relaxation_time_ps", 1.0,
                                     "the pressure comes to its aim in this time", {0, 1e9, true});
  b.compressibility_per_gpa =
      deck.number("barostat.compressibility_per_gpa", 1.0 / 310.0,
                  "of the material, for that time to be true; the default is that of W", {0, 1e6, true});
  b.every = static_cast<int>(
      deck.integer("barostat.every_steps", 10, "steps between two changes of the box", {1, 1e6}));
  b.start_ps = deck.number("barostat.start_ps", 0.0, "acts from here", {0, forever_ps});
  b.stop_ps = deck.number("barostat.stop_ps", forever_ps, "to here", {0, forever_ps, true});
  if (b.stop_ps <= b.start_ps) deck.reject("barostat.stop_ps", "a time after barostat.start_ps");
  return b;
}

BoxRelaxation BoxRelaxation::read(Deck& deck) {
  BoxRelaxation r;
  const std::string kind =
      deck.choice("relax.box", "fixed", {"fixed", "isotropic", "axes"},
                  "whether the box relaxes too, as a whole or each axis by itself, to relax.pressure_gpa");
  r.kind = kind == "axes" ? Kind::axes : kind == "isotropic" ? Kind::isotropic : Kind::fixed;
  r.pressure_gpa = read_pressure(deck, "relax", r.kind == Kind::axes, "relax.box");
  if (!r.on() && deck.has("relax.pressure_gpa"))
    deck.reject("relax.pressure_gpa", "relax.box = \"isotropic\" or \"axes\" beside it");
  r.tolerance_gpa = deck.number("relax.pressure_tolerance_gpa", 1e-3,
                                "largest distance from the pressure when the box is relaxed", {0, 1e3, true});
  return r;
}

}  // namespace wafermark::tungsten
