#include "tungsten_md/model/case.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <set>

#include "common/errors.hpp"
#include "tungsten_md/model/recoil_checks.hpp"
#include "tungsten_md/model/stopping_table.hpp"

namespace wafermark::tungsten {
namespace {

std::array<bool, 3> read_boundary(Deck& deck) {
  const auto words =
      deck.texts("structure.boundary", std::vector<std::string>{"periodic", "periodic", "periodic"},
                 "periodic or open, along x, y, z");
  std::array<bool, 3> periodic{};
  if (words.size() != 3) deck.reject("structure.boundary", "three words, \"periodic\" or \"open\"");
  for (std::size_t d = 0; d < 3; ++d) {
    if (words[d] != "periodic" && words[d] != "open")
      deck.reject("structure.boundary", "three words, \"periodic\" or \"open\"");
    periodic[d] = words[d] == "periodic";
  }
  return periodic;
}

std::array<int, 3> read_cells(Deck& deck, std::optional<std::vector<double>> fallback) {
  const auto cells = deck.numbers("structure.cells", fallback, "conventional cells along x, y, z");
  if (cells.size() != 3) deck.reject("structure.cells", "three whole numbers of at least 1");
  std::array<int, 3> n{};
  for (std::size_t d = 0; d < 3; ++d) {
    if (!(cells[d] >= (fallback ? 0 : 1)) || cells[d] != std::floor(cells[d]) || cells[d] > 1e6)
      deck.reject("structure.cells", "three whole numbers of at least 1");
    n[d] = static_cast<int>(cells[d]);
  }
  return n;
}

constexpr const char* lattice_meaning = "crystal structure; beside a file: of the reference for defects";
constexpr Range constant_range{0.1, 1e3}, expansion_range{0.1, 10};
constexpr const char* constant_meaning = "edge of the cubic cell";
constexpr const char* expansion_meaning =
    "factor on the lattice constant (size at temperature); \"measure\": found beforehand by a short run of a "
    "small crystal at temperature.initial_k and the barostat's pressure (else none)";

/// Beside a file the keys of the crystal say what defects are counted against.
ReferenceSettings read_reference(Deck& deck, const StructureSettings& s) {
  ReferenceSettings r;
  r.source = deck.text("structure.reference", "auto",
                       "what a run from a file counts defects against: crystal (the lattice's keys, or what "
                       "potential and box say), start (its atoms where they begin), or a file; auto: the "
                       "crystal where most atoms lie on it, else the start");
  const bool word = r.source == "auto" || r.source == "crystal" || r.source == "start";
  if (s.file.empty()) {
    if (r.source != "auto" && r.source != "crystal")
      deck.reject("structure.reference", "structure.file beside it: a crystal is its own reference");
    return r;
  }
  if (!word) r.source = deck.resolve_path(r.source);
  if (deck.has("structure.lattice"))
    r.lattice = deck.choice("structure.lattice", "bcc", {"sc", "bcc", "fcc"}, lattice_meaning);
  r.a = deck.number("structure.lattice_constant_angstrom", 0.0, constant_meaning, {0, 1e3}) *
        deck.number("structure.thermal_expansion", 1.0, expansion_meaning, expansion_range);
  r.cells = read_cells(deck, std::vector<double>{0, 0, 0});
  if (!word || r.source == "start")
    for (const char* key : {"structure.lattice", "structure.lattice_constant_angstrom", "structure.cells"})
      if (deck.has(key)) deck.reject(key, "structure.reference = \"crystal\" or \"auto\" beside it");
  return r;
}

/// "Re 0.05": five of a hundred sites.
std::vector<AddedElement> read_composition(Deck& deck, const std::string& element) {
  constexpr const char* key = "structure.composition";
  std::vector<AddedElement> added;
  double sum = 0.0;
  for (const std::string& text :
       deck.texts(key, std::vector<std::string>{},
                  "a random alloy, as [\"Re 0.05\"]: each site of the crystal is of that element with this "
                  "probability, by "
                  "run.seed and the site's number; the rest are structure.element")) {
    const std::size_t space = text.find(' ');
    const std::string symbol = text.substr(0, space);
    const auto fraction = space == std::string::npos ? std::nullopt : parse_number(text.substr(space + 1));
    if (!fraction || !(*fraction > 0.0) || !(*fraction < 1.0))
      deck.reject(key, "a symbol, a space and a fraction above 0 and below 1 each, as [\"Re 0.05\"]");
    const bool known =
        symbol == element ||
        std::any_of(added.begin(), added.end(), [&](const AddedElement& a) { return a.symbol == symbol; });
    if (symbol.empty() || known)
      deck.reject(key, "each element once, and not structure.element, which has the rest");
    added.push_back({symbol, *fraction});
    sum += *fraction;
  }
  if (sum > 1.0 + 1e-12) deck.reject(key, "fractions of at most 1 together");
  return added;
}

StructureSettings read_structure(Deck& deck) {
  StructureSettings s;
  s.periodic = read_boundary(deck);
  if (deck.choice("structure.lost_atoms", "error", {"error", "drop"},
                  "atoms that leave an open box for good (farther outside than cut-off and skin, with fewer "
                  "than four neighbours): end the run, or go on without them, their energy in the ledger") ==
      "drop")
    s.lost_atoms = LostAtoms::drop;
  s.file = deck.text("structure.file", "",
                     "file to start from, instead of a crystal: LAMMPS data or dump, extended XYZ, H5MD "
                     "(the first frame)");
  s.reference = read_reference(deck, s);
  if (!s.file.empty()) {
    if (deck.has("structure.composition"))
      deck.reject("structure.composition", "no structure.file beside it, which says what its atoms are");
    s.file = deck.resolve_path(s.file);
    return s;
  }
  const std::string kind = deck.choice("structure.lattice", "bcc", {"sc", "bcc", "fcc"}, lattice_meaning);
  s.element = deck.text("structure.element", "W", "chemical symbol of the crystal's atoms");
  s.composition = read_composition(deck, s.element);
  const double a =
      deck.number("structure.lattice_constant_angstrom", std::nullopt, constant_meaning, constant_range);
  const auto expansion =
      deck.number_or("measure", "structure.thermal_expansion", 1.0, expansion_meaning, expansion_range);
  s.expansion_to_be_measured = !expansion;
  s.lattice = make_lattice(lattice_kind(kind, deck.file()), a * expansion.value_or(1.0),
                           read_cells(deck, std::nullopt));
  return s;
}

int read_lanes_per_atom(Deck& deck) {
  const char* const key = "run.lanes_per_atom";
  const std::int64_t lanes = deck.integer(
      key, 0,
      "lanes of a GPU's warp that share an atom's neighbours, a power of two; 0: as many as fill the GPU, on "
      "CPUs 1",
      {0, 32});
  if ((lanes & (lanes - 1)) != 0) deck.reject(key, "0, 1, 2, 4, 8, 16 or 32");
  return static_cast<int>(lanes);
}

RunSettings read_run(Deck& deck) {
  RunSettings r;
  r.steps = deck.integer("run.steps", 1000, "largest number of time steps; 0: only evaluate (and relax)",
                         {0, 1e15});
  r.duration_ps = deck.number("run.duration_ps", std::numeric_limits<double>::infinity(), "simulated time",
                              {0, 1e12, true});
  r.timestep_ps =
      deck.number("run.timestep_ps", 0.001, "time step; the first one when it is adaptive", timestep_in_ps);
  r.precision = deck.choice("run.precision", "double", {"double", "mixed"},
                            "mixed: pair forces in fp32; positions, energies and their sums in fp64");
  r.skin_angstrom =
      deck.number("run.skin_angstrom", 0.5, "Verlet list radius beyond the cut-off", {0, 1e3, true});
  r.neighbour_list = deck.choice("run.neighbour_list", "auto", {"auto", "half", "full"},
                                 "half: each pair once (one thread per rank); full: each pair twice");
  const std::string launch = deck.choice(
      "run.launch", "kernels", {"kernels", "graph", "persistent"},
      "few atoms on one GPU: a step's kernels as one graph, or one kernel for all steps up to the "
      "next list or output; one rank, forces alone act");
  if (launch != "kernels") {
    r.launch = launch == "graph" ? Launch::graph : Launch::persistent;
    if (r.neighbour_list == "half") deck.reject("run.neighbour_list", "full or auto with run.launch");
    r.neighbour_list = "full";
  }
  r.lanes_per_atom = read_lanes_per_atom(deck);
  if (r.lanes_per_atom > 1) {
    if (r.neighbour_list == "half") deck.reject("run.neighbour_list", "full or auto with run.lanes_per_atom");
    r.neighbour_list = "full";
  }
  r.list_every = static_cast<int>(deck.integer(
      "run.list_every_steps", 0,
      "new neighbour lists every so many steps, unchecked; 0: as soon as an atom has moved half the skin",
      {0, 1e6}));
  r.seed = static_cast<std::uint64_t>(deck.integer("run.seed", 1, "seed of every random number", {0, 9e15}));
  const auto grid =
      deck.numbers("run.rank_grid", std::vector<double>{0, 0, 0}, "ranks along x, y, z; 0: chosen");
  if (grid.size() != 3) deck.reject("run.rank_grid", "three whole numbers");
  for (std::size_t d = 0; d < 3; ++d) {
    if (!(grid[d] >= 0) || grid[d] != std::floor(grid[d]) || grid[d] > 1e7)
      deck.reject("run.rank_grid", "three whole numbers");
    r.rank_grid[d] = static_cast<int>(grid[d]);
  }
  return r;
}

OutputSettings read_output(Deck& deck) {
  const Range steps{0, 1e15};
  OutputSettings o;
  o.thermo_every = deck.integer("output.thermo_every_steps", 100,
                                "energies, temperature, pressure; 0: first and last", steps);
  o.defects_every = deck.integer("output.defects_every_steps", 0, "Wigner-Seitz defects; 0: never", steps);
  o.trajectory_every =
      deck.integer("output.trajectory_every_steps", 0, "frames of the trajectory; 0: none", steps);
  o.trajectory_formats = deck.texts("output.trajectory_formats", std::vector<std::string>{"h5md"},
                                    "any of h5md, dump (LAMMPS), xyz (extended)");
  const std::set<std::string> known{"h5md", "dump", "xyz"};
  std::set<std::string> formats;
  for (const auto& f : o.trajectory_formats)
    if (!known.contains(f) || !formats.insert(f).second)
      deck.reject("output.trajectory_formats", "any of h5md, dump and xyz, each once");
  o.checkpoint_every = deck.integer("output.checkpoint_every_steps", 0,
                                    "checkpoint.h5; 0: only when a signal ends the run", steps);
  o.start_state =
      deck.flag("output.start_state", false, "write start.data (LAMMPS data), velocities included");
  o.final_state = deck.flag("output.final_state", false, "write final.data (LAMMPS data) at the end");
  return o;
}

WaferSettings read_wafer(Deck& deck, const DynamicsSettings& dynamics) {
  WaferSettings w;
  w.machine = deck.text("wafer.machine", "wse2", "machine file, or the name of one of inputs/wafers");
  w.deck_folder = std::filesystem::path(deck.file()).parent_path().string();
  w.changes = deck.texts("wafer.changes", std::vector<std::string>{},
                         "what-if changes to the machine file, as \"core.clock_mhz.value=425\"");
  const auto pair = [&](const char* key, const char* meaning) {
    const auto two = deck.numbers(key, std::vector<double>{0, 0}, meaning);
    if (two.size() != 2) deck.reject(key, "two whole numbers");
    for (const double n : two)
      if (!(n >= 0) || n != std::floor(n) || n > 1e6) deck.reject(key, "two whole numbers");
    return std::array<int, 2>{static_cast<int>(two[0]), static_cast<int>(two[1])};
  };
  const auto tiles = pair("wafer.tiles", "tiles that the program gets, across and down; 0: the machine's");
  w.max_width = tiles[0];
  w.max_height = tiles[1];
  const auto blocks = pair("wafer.blocks", "blocks of tiles across and down, one per rank; 0: chosen");
  w.blocks_across = blocks[0];
  w.blocks_down = blocks[1];
  // A recoil pushes rows of atoms off their sites, by more than a neighbour distance; heat alone by much
  // less.
  w.list_reuse = static_cast<int>(
      deck.integer("wafer.list_reuse_steps", 1, "steps that a neighbour list serves", {1, 1e6}));
  w.list_skin_angstrom = deck.number("wafer.list_skin_angstrom", 0.3,
                                     "beyond the cut-off, where lists are reused", {0, 1e3, true});
  const double least = w.list_reuse > 1 ? std::max(0.3, w.list_skin_angstrom) : 0.3;
  w.margin_angstrom =
      deck.number("wafer.margin_angstrom", dynamics.pkas.empty() ? least : std::max(4.0, least),
                  "neighbourhoods hold all sites of the crystal within the cut-off and this", {0, 1e3});
  w.neighbourhood = static_cast<int>(deck.integer(
      "wafer.neighbourhood", 0, "b: words go to the (2b+1)^2 tiles around; 0: as the margin needs",
      {0, WaferSettings::largest_neighbourhood}));
  w.table_points = static_cast<int>(deck.integer(
      "wafer.table_points", 0, "largest number of points of a table on a tile; 0: what fits", {0, 1000000}));
  if (w.table_points != 0 && w.table_points < 50) deck.reject("wafer.table_points", "0, or at least 50");
  w.swap_every = static_cast<int>(
      deck.integer("wafer.swap_every_steps", dynamics.pkas.empty() ? 0 : 10,
                   "atoms change tiles where that keeps them nearer to them; 0: never", {0, 1e9}));
  w.time_step_every = static_cast<int>(
      deck.integer("wafer.time_step_every_steps", 1,
                   "steps for which the whole wafer's limit of the adaptive time step holds", {1, 1e6}));
  if (w.time_step_every > 1 && !(dynamics.adaptive.max_displacement_angstrom > 0.0))
    deck.reject("wafer.time_step_every_steps", "1 without adaptive_timestep.max_displacement_angstrom");
  if (w.time_step_every > 1 && dynamics.adaptive.max_energy_change_ev > 0.0)
    deck.reject("wafer.time_step_every_steps",
                "1 with adaptive_timestep.max_energy_change_ev, which several steps do not bound");
  w.force_symmetry =
      deck.flag("wafer.force_symmetry", false,
                "a pair is computed once, the partner's share goes back by the reverse multicast");
  w.squared_tables = deck.flag("wafer.squared_tables", false,
                               "radial tables over r^2 that hold phi'/r and rho'/r: no inverse root");
  w.fused_density = deck.flag("wafer.fused_density", false,
                              "one loop looks whether an atom is within the cut-off and adds its density");
  w.untested_lists =
      deck.flag("wafer.untested_lists", false,
                "all that a lasting list holds is added: beyond the cut-off tables over r^2 are zero");
  if (w.untested_lists && (w.list_reuse == 1 || !w.squared_tables || !w.fused_density))
    deck.reject("wafer.untested_lists",
                "false without wafer.list_reuse_steps > 1, wafer.squared_tables and wafer.fused_density");
  w.blocking_receives = deck.flag("wafer.blocking_receives", false,
                                  "instructions wait for a pattern's words, which otherwise start tasks");
  w.tiles_per_atom = static_cast<int>(
      deck.integer("wafer.tiles_per_atom", 1, "1, or 4 that share an atom's candidates", {1, 4}));
  if (w.tiles_per_atom != 1 && w.tiles_per_atom != 4) deck.reject("wafer.tiles_per_atom", "1 or 4");
  if (w.tiles_per_atom == 4 && w.force_symmetry)
    deck.reject("wafer.force_symmetry", "false with four tiles an atom");
  const auto layer_cells = deck.integer_or(
      "auto", "wafer.layer_cells", 0,
      "a thick sample is cut along z into layers of so many cells, side by side on the wafer; 0: one "
      "layer; \"auto\": what has the shortest predicted step",
      {0, 1e6});
  w.layer_cells = layer_cells ? std::optional(static_cast<int>(*layer_cells)) : std::nullopt;
  if (w.layer_cells.value_or(0) > 0 && (w.force_symmetry || w.tiles_per_atom == 4))
    deck.reject("wafer.layer_cells", "0 with wafer.force_symmetry or four tiles an atom");
  for (Deck& tile : deck.tables("wafer.trace", "a tile to follow: x, y"))
    w.traced_tiles.push_back({static_cast<int>(tile.integer("x", std::nullopt, "from the west", {0, 1e6})),
                              static_cast<int>(tile.integer("y", std::nullopt, "from the north", {0, 1e6}))});
  return w;
}

/// The pressure of a box is that of its volume, and an expansion belongs to a temperature.
void check_pressure(const Deck& deck, const Case& c) {
  const auto& periodic = c.structure.periodic;
  const bool all = periodic[0] && periodic[1] && periodic[2];
  if (c.dynamics.barostat.on() && !all)
    deck.reject("barostat.kind", "\"none\" in a box with an open axis, whose pressure means nothing");
  if (c.dynamics.relax.box.on() && !all)
    deck.reject("relax.box", "\"fixed\" in a box with an open axis, whose pressure means nothing");
  if (c.structure.expansion_to_be_measured && !(c.dynamics.temperature.initial_k > 0.0))
    deck.reject("structure.thermal_expansion", "a number, or temperature.initial_k above 0 to measure it at");
}

/// The number of an element among the potential's, -1 for no element.
int type_of(const std::string& element, const char* key, const std::vector<std::string>& known) {
  if (element.empty()) return -1;
  const auto found = std::find(known.begin(), known.end(), element);
  if (found == known.end())
    throw InputError(fmt::format("{}: found {}, expected an element among potential.elements, {}", key,
                                 element, fmt::join(known, ", ")));
  return static_cast<int>(found - known.begin());
}

/// Exchanges need two elements, and frames that can tell which atom is of which.
void check_swaps(const Deck& deck, const Case& c) {
  if (!c.dynamics.swaps.on()) return;
  if (c.potential.elements.size() < 2) deck.reject("swaps.every_steps", "0 with a potential of one element");
  const auto& formats = c.output.trajectory_formats;
  if (c.output.trajectory_every > 0 && std::find(formats.begin(), formats.end(), "h5md") != formats.end())
    deck.reject(
        "swaps.every_steps",
        "0 with a trajectory of format h5md, whose atoms keep their elements; dump and xyz hold those of "
        "each frame");
}

/// Stopping is that of the atoms at hand, and known for every energy that a recoil gives one.
void check_stopping(const Deck& deck, const Case& c) {
  const StoppingSettings& s = c.dynamics.stopping;
  const auto& elements = c.potential.elements;
  if (s.kind == StoppingSettings::Kind::sqrt && !deck.has("stopping.coefficient_sqrt_ev_per_angstrom") &&
      elements != std::vector<std::string>{"W"})
    deck.reject("stopping.kind",
                fmt::format("stopping.coefficient_sqrt_ev_per_angstrom beside it: its default "
                            "is that of W in W, and the atoms are {}",
                            fmt::join(elements, ", ")));
  if (s.kind == StoppingSettings::Kind::sqrt && elements.size() > 1)
    deck.reject("stopping.kind",
                fmt::format("\"table\", a file with a column for each of {}: a coefficient is "
                            "that of one element",
                            fmt::join(elements, ", ")));
  if (s.kind != StoppingSettings::Kind::table) return;
  const StoppingTable table = read_stopping_table(s.file);
  if (const std::size_t columns = table.power_ev_per_angstrom.size(); columns != elements.size())
    deck.reject(
        "stopping.file",
        fmt::format("a table with {} stopping power{} a line, of {}; this one has {}", elements.size(),
                    elements.size() == 1 ? "" : "s", fmt::join(elements, ", "), columns));
  const double end = table.end_ev(), largest = largest_recoil_energy_ev(c);
  if (largest > end)
    deck.reject("stopping.file", fmt::format("a table up to {:.6g} eV or more, the energy that a recoil and "
                                             "the heat can give an atom; this one ends at {:.6g} eV",
                                             largest, end));
}

}  // namespace

Case Case::read(Deck& deck) {
  Case c;
  c.title = deck.text("title", deck.file(), "what the case is, in one line");
  c.structure = read_structure(deck);
  std::vector<std::string> elements{c.structure.element.empty() ? "W" : c.structure.element};
  for (const AddedElement& added : c.structure.composition) elements.push_back(added.symbol);
  c.potential = PotentialSettings::read(deck, elements);
  for (const AddedElement& added : c.structure.composition) {
    const auto& known = c.potential.elements;
    if (std::find(known.begin(), known.end(), added.symbol) == known.end())
      deck.reject("structure.composition",
                  fmt::format("elements among potential.elements, {}", fmt::join(known, ", ")));
  }
  c.run = read_run(deck);
  c.dynamics = DynamicsSettings::read(deck);
  const auto& periodic = c.structure.periodic;
  if (c.dynamics.thermostat.on() && c.dynamics.thermostat.border_only && !periodic[0] && !periodic[1] &&
      !periodic[2])
    deck.reject("thermostat.region",
                "\"box\": the border lies at the faces of periodic axes, and there are none");
  check_pressure(deck, c);
  c.dose = DoseSettings::read(deck, c.dynamics, c.potential.elements == std::vector<std::string>{"W"});
  check_stopping(deck, c);
  for (PkaSettings& pka : c.dynamics.pkas)
    pka.type = type_of(pka.element, "pka.element", c.potential.elements);
  c.dose.recoil_type = type_of(c.dose.recoil_element, "dose.recoil_element", c.potential.elements);
  if (c.structure.lattice) check_recoils(c, c.structure.lattice->box(periodic));
  c.output = read_output(deck);
  check_swaps(deck, c);
  const auto& formats = c.output.trajectory_formats;
  if (c.structure.lost_atoms == LostAtoms::drop && c.output.trajectory_every > 0 &&
      std::find(formats.begin(), formats.end(), "h5md") != formats.end())
    deck.reject("structure.lost_atoms",
                "\"error\" with a trajectory of format h5md, whose frames hold the same atoms; dump and xyz "
                "can lose some");
  c.check.energy_tolerance_ev_per_atom = deck.number(
      "check.energy_tolerance_ev_per_atom", 1e-4,
      "largest |total - initial - PKA + stopping - electrons - thermostat - barostat| of a valid run",
      {0, 1e12, true});
  c.check.momentum_tolerance =
      deck.number("check.momentum_tolerance", 1e-6,
                  "largest change of the momentum, as a share of the thermal momentum, in runs "
                  "where nothing outside acts on the atoms",
                  {0, 1e12, true});
  c.wafer = read_wafer(deck, c.dynamics);
  deck.finish();
  return c;
}

}  // namespace wafermark::tungsten
