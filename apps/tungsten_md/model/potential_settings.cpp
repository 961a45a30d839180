#include "tungsten_md/model/potential_settings.hpp"

#include <fmt/format.h>

#include <filesystem>
#include <utility>

#include "tungsten_md/model/analytic_potential.hpp"
#include "tungsten_md/model/element_symbols.hpp"
#include "tungsten_md/model/lennard_jones.hpp"
#include "tungsten_md/model/potential_file.hpp"
#include "tungsten_md/model/potential_grid.hpp"
#include "tungsten_md/model/potential_library.hpp"

namespace wafermark::tungsten {
namespace {

/// The constants of the model lj/cut; refused beside any other potential.
LennardJones read_lennard_jones(Deck& deck, const PotentialSettings& p) {
  LennardJones c;
  c.epsilon_ev = deck.number("potential.epsilon_ev", 0.0, "lj/cut: depth of the well", {0, 1e6});
  c.sigma_angstrom = deck.number("potential.sigma_angstrom", 0.0,
                                 "lj/cut: distance at which the pair energy is zero", {0, 1e3});
  c.cutoff_angstrom = deck.number("potential.cutoff_angstrom", usual_cutoff(c.sigma_angstrom),
                                  "lj/cut: cut-off; 2.5 sigma unless it is named", {0, 1e3});
  c.shifted = deck.flag("potential.shifted", false,
                        "lj/cut: pair energies are shifted to zero at the cut-off; forces are not changed");
  if (p.model != lennard_jones_name) {
    for (const char* key : {"potential.epsilon_ev", "potential.sigma_angstrom", "potential.cutoff_angstrom",
                            "potential.shifted"})
      if (deck.has(key))
        deck.reject(key, fmt::format("potential.model = \"{}\" beside it", lennard_jones_name));
    return {};
  }
  for (const auto& [key, value] : {std::pair{"potential.epsilon_ev", c.epsilon_ev},
                                   {"potential.sigma_angstrom", c.sigma_angstrom},
                                   {"potential.cutoff_angstrom", c.cutoff_angstrom}})
    if (value <= 0.0) deck.reject(deck.has(key) ? key : "potential.model", fmt::format("{} above 0", key));
  if (p.elements.size() != 1)
    deck.reject(deck.has("potential.elements") ? "potential.elements" : "potential.model",
                "one element, which all atoms are of, with this model");
  if (atomic_number(p.elements.front()) == 0)
    deck.reject(deck.has("potential.elements") ? "potential.elements" : "structure.element",
                "a chemical symbol, which tells the mass");
  if (p.core != "none") deck.reject("potential.core", "\"none\": this model repels by itself");
  if (p.table_points != 0) deck.reject("potential.table_points", "0: this model has no tables");
  return c;
}

}  // namespace

PotentialSettings PotentialSettings::read(Deck& deck, const std::vector<std::string>& crystal_elements) {
  PotentialSettings p;
  p.file = deck.text("potential.file", "",
                     "setfl, eam/fs, eam/he, funcfl or uf3 file; found beside the deck or in the library");
  p.model =
      deck.choice("potential.model", p.file.empty() ? "ackland_thetford_1987" : "none",
                  {"none", "ackland_thetford_1987", "zhou_2004", lennard_jones_name},
                  "analytic potential, when there is no file (Zhou: W, Ta, Cu and their alloys; lj/cut: "
                  "Lennard-Jones of one element, with the constants below)");
  if (p.file.empty() == (p.model == "none"))
    deck.reject(p.file.empty() ? "potential.model" : "potential.file", "either a file or an analytic model");
  if (p.model == "none") p.model.clear();
  if (!p.file.empty())
    p.file = find_potential(p.file, std::filesystem::path(deck.file()).parent_path().string());
  p.format = deck.choice("potential.format", "auto",
                         {"auto", "eam/alloy", "eam/fs", "eam/he", "funcfl", "uf3"}, "format of the file");
  p.elements = deck.texts("potential.elements", crystal_elements,
                          "element of each atom type, in the order of the types");
  p.core = deck.choice(
      "potential.core", "none", {"none", "zbl", "zbl_dft"},
      "screened Coulomb core for potentials that lack one: universal ZBL, or refitted to DFT for W");
  p.core_inner_angstrom =
      deck.number("potential.core_inner_angstrom", 1.0, "below: the core alone", {0, 1e3, true});
  p.core_outer_angstrom =
      deck.number("potential.core_outer_angstrom", 2.0, "above: the potential alone", {0, 1e3, true});
  if (p.core_outer_angstrom <= p.core_inner_angstrom)
    deck.reject("potential.core_outer_angstrom", "more than potential.core_inner_angstrom");
  p.table_points = static_cast<int>(deck.integer("potential.table_points", 0,
                                                 "resample the tables to this many points; 0: as in the file",
                                                 {0, 1000000}));
  if (p.table_points != 0 && p.table_points < 100)
    deck.reject("potential.table_points", "0, or at least 100");
  p.lennard_jones = read_lennard_jones(deck, p);
  if (!p.file.empty() && potential_format(p.file, p.format) == uf3_format) {
    if (p.core != "none") deck.reject("potential.core", "\"none\": a uf3 potential is used as it was fitted");
    if (p.table_points != 0) deck.reject("potential.table_points", "0: a uf3 potential has no tables");
  }
  return p;
}

PotentialTables PotentialSettings::load() const {
  if (model == lennard_jones_name) return make_lennard_jones(lennard_jones, elements);
  const PotentialTables t = file.empty() ? make_analytic_potential(model, elements)
                                         : tungsten::read_potential(file, format, elements);
  return with_core(resample(t, table_points, table_points), core, core_inner_angstrom, core_outer_angstrom);
}

}  // namespace wafermark::tungsten
