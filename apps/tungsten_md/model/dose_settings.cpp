#include "tungsten_md/model/dose_settings.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "tungsten_md/model/units.hpp"

namespace wafermark::tungsten {
namespace {

constexpr double largest_ps = 1e9;
constexpr double tungsten_threshold_ev = 90.0;  // ASTM E521
// The hottest of 10^9 atoms at rest has less than so many k T: 1e9 exp(-x) sqrt(x) is about 1e-4.
constexpr double hottest_at_rest = 32.0;

void read_recoils(Deck& deck, DoseSettings& d) {
  d.spectrum_file = deck.text("dose.spectrum_file", "",
                              "lines of low energy, high energy (eV) and recoils in between, instead of "
                              "dose.recoil_energy_ev");
  const double energy = deck.number("dose.recoil_energy_ev", 0.0, "of every recoil", {0, 1e9});
  d.recoil_element = deck.text("dose.recoil_element", "",
                               "of the atoms: the nearest one of it to a random place; none: any");
  if (d.method != DoseSettings::Method::recoils) return;
  if (d.spectrum_file.empty() == (energy == 0.0))
    deck.reject("dose.recoil_energy_ev", "an energy, or dose.spectrum_file instead of it");
  if (d.spectrum_file.empty()) {
    d.spectrum = RecoilSpectrum::of(energy);
  } else {
    d.spectrum_file = deck.resolve_path(d.spectrum_file);
    d.spectrum = read_recoil_spectrum(d.spectrum_file);
  }
}

void read_phases(Deck& deck, DoseSettings& d, double bath_k) {
  d.first_ps = deck.number("dose.first_ps", 0.0, "time of the first recoil", {0, largest_ps});
  d.least_hot_ps = deck.number("dose.least_hot_ps", 0.5, "it is hot for at least so long", {0, largest_ps});
  d.most_hot_ps = deck.number("dose.most_hot_ps", 20.0, "and at most", {0, largest_ps, true});
  if (d.most_hot_ps < d.least_hot_ps) deck.reject("dose.most_hot_ps", "at least dose.least_hot_ps");
  d.rest_ps = deck.number("dose.rest_ps", 1.0, "then all atoms are in a Langevin bath for so long",
                          {0, largest_ps, true});
  d.rest_temperature_k = deck.number("dose.rest_temperature_k", bath_k, "of that bath", {0, 1e6});
  d.rest_damping_time_ps =
      deck.number("dose.rest_damping_time_ps", 0.1, "of that bath: velocities forget themselves in this time",
                  {0, largest_ps, true});
  const double least = hottest_at_rest * units::boltzmann_ev_per_k * d.rest_temperature_k;
  d.hot_energy_ev = deck.number("dose.hot_energy_ev", std::max(1.0, least),
                                "a cascade is hot while an atom has more kinetic energy; default: at least 1",
                                {0, 1e9, true});
  if (d.method == DoseSettings::Method::recoils && d.hot_energy_ev < least)
    deck.reject("dose.hot_energy_ev",
                fmt::format("at least {:.3g}, which atoms can have at {} K without a recoil", least,
                            d.rest_temperature_k));
}

/// Keys that belong to a method stand beside it alone.
void reject_idle_keys(const Deck& deck, const DoseSettings& d) {
  using Method = DoseSettings::Method;
  const auto idle = [&](const std::vector<const char*>& keys, const char* expected) {
    for (const char* key : keys)
      if (deck.has(key)) deck.reject(key, expected);
  };
  if (d.method != Method::recoils)
    idle({"dose.recoil_energy_ev", "dose.spectrum_file", "dose.first_ps", "dose.hot_energy_ev",
          "dose.least_hot_ps", "dose.most_hot_ps", "dose.rest_ps", "dose.rest_temperature_k",
          "dose.rest_damping_time_ps", "dose.threshold_ev", "dose.recoil_element"},
         "dose.method = \"recoils\" beside it");
  if (d.method != Method::insertion) idle({"dose.pairs_at_once"}, "dose.method = \"insertion\" beside it");
  if (!d.on())
    idle({"dose.before_dpa", "dose.stop_dpa", "dose.saturation_events", "dose.saturation_change"},
         "dose.method = \"recoils\" or \"insertion\" beside it");
}

/// What moves atoms beside the dose.
void check_beside(const Deck& deck, const DoseSettings& d, const DynamicsSettings& dynamics) {
  if (d.on() && !dynamics.pkas.empty())
    deck.reject("dose.method", "\"none\" with [[pka]]: recoils come from one of the two");
  if (d.method != DoseSettings::Method::insertion) return;
  if (dynamics.relax.max_steps == 0)
    deck.reject("dose.method", "relax.max_steps with \"insertion\": atoms are relaxed after each");
  if (dynamics.temperature.draw_k > 0.0 || dynamics.thermostat.on() || dynamics.barostat.on() ||
      dynamics.electrons.on() || dynamics.swaps.on())
    deck.reject("dose.method",
                "nothing that moves or heats atoms beside \"insertion\": no [temperature], [thermostat], "
                "[barostat], [electrons] or [swaps]");
}

}  // namespace

DoseSettings DoseSettings::read(Deck& deck, const DynamicsSettings& dynamics, bool of_tungsten) {
  DoseSettings d;
  const std::string method =
      deck.choice("dose.method", "none", {"none", "recoils", "insertion"},
                  "recoils: one cascade after the other at random places; insertion: atoms moved to random "
                  "places and relaxed (creation-relaxation)");
  d.method = method == "recoils" ? Method::recoils : method == "insertion" ? Method::insertion : Method::none;
  read_recoils(deck, d);
  read_phases(
      deck, d,
      dynamics.thermostat.on() ? dynamics.thermostat.temperature_k(0.0) : dynamics.temperature.initial_k);
  d.pairs_at_once = static_cast<int>(
      deck.integer("dose.pairs_at_once", 1, "insertion: atoms moved between two relaxations", {1, 1e6}));
  d.threshold_ev = deck.number("dose.threshold_ev", of_tungsten ? tungsten_threshold_ev : 0.0,
                               "threshold displacement energy, for NRT; 0: not known", {0, 1e6});
  if (d.method == Method::recoils && d.threshold_ev == 0.0)
    deck.reject("dose.threshold_ev", "the threshold displacement energy of the material");
  d.before_dpa = deck.number("dose.before_dpa", 0.0, "dose that the sample has had before", {0, 1e6});
  d.stop_dpa = deck.number("dose.stop_dpa", std::numeric_limits<double>::infinity(),
                           "the run ends at this dose (NRT; inserted pairs an atom)", {0, 1e6, true});
  if (!(d.stop_dpa > d.before_dpa)) deck.reject("dose.stop_dpa", "more than dose.before_dpa");
  d.saturation_events =
      deck.integer("dose.saturation_events", 0,
                   "the run ends when the mean number of pairs of the last half of so many recoils (or "
                   "relaxations) is that of the first half; 0: never",
                   {0, 1e9});
  if (d.saturation_events == 1) deck.reject("dose.saturation_events", "0, or at least 2");
  d.saturation_change = deck.number("dose.saturation_change", 0.05, "but for this share of it", {0, 1, true});
  reject_idle_keys(deck, d);
  check_beside(deck, d, dynamics);
  return d;
}

}  // namespace wafermark::tungsten
