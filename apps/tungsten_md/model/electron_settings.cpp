#include "tungsten_md/model/electron_settings.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <sstream>

#include "common/errors.hpp"
#include "common/printable.hpp"
#include "tungsten_md/model/units.hpp"

namespace wafermark::tungsten {
namespace {

constexpr int most_cells = 1 << 18;  // every rank holds them all, and a checkpoint's header does

double heat_capacity_of(double j_per_m3_k) { return j_per_m3_k * 1e-30 / units::ev_in_joule; }
double conductivity_of(double w_per_m_k) { return w_per_m_k * 1e-22 / units::ev_in_joule; }

std::array<int, 3> read_electron_cells(Deck& deck) {
  constexpr const char* key = "electrons.cells";
  const auto n = deck.numbers(key, std::vector<double>{1, 1, 1},
                              "cells of electrons along x, y, z, each with its temperature");
  std::array<int, 3> cells{1, 1, 1};
  double product = 1.0;
  if (n.size() != 3) deck.reject(key, "three whole numbers of at least 1");
  for (std::size_t d = 0; d < 3; ++d) {
    if (!(n[d] >= 1) || n[d] != std::floor(n[d]) || n[d] > most_cells)
      deck.reject(key, "three whole numbers of at least 1");
    cells[d] = static_cast<int>(n[d]);
    product *= n[d];
  }
  if (product > most_cells) deck.reject(key, fmt::format("at most {} cells", most_cells));
  return cells;
}

ElectronTable read_properties(Deck& deck, ElectronSettings& e) {
  constexpr const char *capacity = "electrons.heat_capacity_j_per_m3_k",
                       *conductivity = "electrons.conductivity_w_per_m_k", *file = "electrons.file";
  const double c = deck.number(capacity, 0.0, "of the electrons, where it is a constant", {0, 1e12});
  const double kappa = deck.number(conductivity, 0.0, "of the electrons, where it is a constant", {0, 1e12});
  e.file = deck.text(file, "", "table: lines of T (K), heat capacity (J/(m^3 K)) and conductivity (W/(m K))");
  if (!e.has_cells()) {
    for (const char* key : {capacity, conductivity, file, "electrons.cells"})
      if (deck.has(key)) deck.reject(key, "electrons.model = \"two_temperature\" beside it");
    return {};
  }
  if (!e.file.empty()) {
    for (const char* key : {capacity, conductivity})
      if (deck.has(key)) deck.reject(key, "none beside electrons.file");
    e.file = deck.resolve_path(e.file);
    return read_electron_table(e.file);
  }
  if (!(c > 0.0)) deck.reject(capacity, "a number above 0, or electrons.file");
  return {{1.0}, {heat_capacity_of(c)}, {conductivity_of(kappa)}};
}

}  // namespace

ElectronTable read_electron_table(const std::string& path) {
  std::ifstream in(path);
  if (!in)
    throw InputError(fmt::format("{}: cannot be read, expected a table of electronic properties", path));
  ElectronTable t;
  int number = 0;
  for (std::string line; std::getline(in, line);) {
    ++number;
    std::istringstream words(line.substr(0, line.find('#')));
    if (!(words >> std::ws) || words.eof()) continue;
    std::vector<double> v;
    for (double value = 0.0; words >> value;) v.push_back(value);
    const bool numbers = words.eof() && v.size() == 3 && std::all_of(v.begin(), v.end(), [](double x) {
                           return std::isfinite(x) && x >= 0.0;
                         });
    if (!numbers || (v[0] > 0.0 && !(v[1] > 0.0)))
      throw InputError(
          fmt::format("{}:{}: found '{}', expected a temperature (K), a heat capacity (J/(m^3 K)) "
                      "above 0 and a conductivity (W/(m K)), none negative",
                      path, number, printable(line.substr(0, 80))));
    if (!t.temperature_k.empty() && !(v[0] > t.temperature_k.back()))
      throw InputError(fmt::format("{}:{}: found {} K, expected more than {} of the line before", path,
                                   number, v[0], t.temperature_k.back()));
    t.temperature_k.push_back(v[0]);
    t.heat_capacity.push_back(heat_capacity_of(v[1]));
    t.conductivity.push_back(conductivity_of(v[2]));
  }
  if (t.temperature_k.size() < 2)
    throw InputError(
        fmt::format("{}: found {} lines of numbers, expected at least two", path, t.temperature_k.size()));
  return t;
}

ElectronSettings ElectronSettings::read(Deck& deck, double initial_k) {
  ElectronSettings e;
  const std::string model =
      deck.choice("electrons.model", "none", {"none", "friction", "two_temperature"},
                  "friction and noise that couple slow atoms to electrons: of one temperature, or of one in "
                  "each cell that heat flows between");
  e.model = model == "friction"          ? Model::friction
            : model == "two_temperature" ? Model::two_temperature
                                         : Model::none;
  e.coupling_time_ps = deck.number("electrons.coupling_time_ps", 10.0,
                                   "velocities forget themselves in this time: 3 n k over the coupling in "
                                   "W/(m^3 K), for n atoms in a volume",
                                   {0, 1e9, true});
  e.min_energy_ev = deck.number("electrons.min_energy_ev", 0.0, "slower atoms are not coupled", {0, 1e9});
  e.max_energy_ev = deck.number("electrons.max_energy_ev", 10.0,
                                "faster atoms are not coupled: what stopping acts on", {0, 1e9, true});
  if (e.max_energy_ev <= e.min_energy_ev)
    deck.reject("electrons.max_energy_ev", "more than electrons.min_energy_ev");
  e.temperature_k =
      deck.number("electrons.temperature_k", initial_k,
                  "of the electrons (of all cells at the start); temperature.initial_k when not "
                  "given",
                  {0, 1e6});
  e.cells = read_electron_cells(deck);
  e.properties = read_properties(deck, e);
  return e;
}

}  // namespace wafermark::tungsten
