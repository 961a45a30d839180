#include "tungsten_md/io/lammps_data.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <iterator>
#include <limits>
#include <memory>
#include <nlohmann/json.hpp>
#include <unordered_map>
#include <utility>

#include "common/errors.hpp"
#include "tungsten_md/io/atom_dealer.hpp"
#include "tungsten_md/io/collective_text.hpp"
#include "tungsten_md/io/id_order.hpp"
#include "tungsten_md/io/lammps_data_file.hpp"
#include "tungsten_md/model/element_symbols.hpp"

namespace wafermark::tungsten {

using nlohmann::json;

namespace {

/// Symbols that the file gives its types must not be those of other elements.
void require_same_elements(const std::string& path, const std::vector<std::string>& names,
                           const std::vector<std::string>& given) {
  if (names.size() != given.size())
    throw InputError(fmt::format("{}: found {} atom types, expected {} for the elements {}", path,
                                 names.size(), given.size(), fmt::join(given, ",")));
  for (std::size_t t = 0; t < names.size(); ++t)
    if (names[t] != given[t] && atomic_number(names[t]) != 0 && atomic_number(given[t]) != 0)
      throw InputError(fmt::format("{}: found type {} to be {}, expected {}, the element given for it", path,
                                   t + 1, names[t], given[t]));
}

}  // namespace

Configuration read_lammps_data(const Communicator& comm, const std::string& path,
                               const DataFileDefaults& defaults) {
  std::unique_ptr<LammpsDataFile> file;
  Configuration result;
  Atoms& atoms = result.atoms;
  std::unordered_map<std::int64_t, std::size_t> index;
  std::string section = ask_root(comm, [&] {
    file = std::make_unique<LammpsDataFile>(path);
    return file->section();
  });
  std::string problem;      // of this rank; told to all when the section is read
  std::vector<char> moves;  // atoms that got their velocity
  for (; !section.empty(); section = ask_root(comm, [&] { return file->section(); })) {
    if (section == "Atoms") {
      deal_rows(
          comm, 4, [&](std::int64_t& id, double* row) { return file->atom(id, row); },
          [&](std::int64_t id, const double* row) {
            if (!index.emplace(id, atoms.size()).second)
              problem = fmt::format("{}: found atom id {} twice, expected unique ids", path, id);
            atoms.id.push_back(id);
            atoms.type.push_back(static_cast<int>(row[0]) - 1);
            atoms.x.push_back({row[1], row[2], row[3]});
            atoms.v.push_back({0, 0, 0});
          });
    } else {
      moves.assign(atoms.size(), 0);
      deal_rows(
          comm, 3, [&](std::int64_t& id, double* row) { return file->velocity(id, row); },
          [&](std::int64_t id, const double* row) {
            const auto atom = index.find(id);
            if (atom == index.end()) {
              problem =
                  fmt::format("{}: found a velocity of atom {}, expected an id of section Atoms", path, id);
              return;
            }
            if (std::exchange(moves[atom->second], 1))
              problem = fmt::format("{}: found a velocity of atom {} twice, expected one", path, id);
            atoms.v[atom->second] = {row[0], row[1], row[2]};
          });
    }
    comm.throw_together(!problem.empty(), problem);
  }

  const json header = json::parse(ask_root(comm, [&] {
    const LammpsDataFile::Header& h = file->header();
    return json{{"lo", h.lo}, {"hi", h.hi}, {"masses", h.masses}, {"names", h.names}}.dump(
        -1, ' ', false, json::error_handler_t::replace);
  }));
  if (comm.is_root()) result.notes = file->notes();
  result.box = {header.at("lo").get<Vec3>(), header.at("hi").get<Vec3>(), defaults.periodic};
  result.masses = header.at("masses").get<std::vector<double>>();
  auto names = header.at("names").get<std::vector<std::string>>();
  if (!defaults.elements.empty()) {
    require_same_elements(path, names, defaults.elements);
    names = defaults.elements;
  }
  for (std::size_t t = 0; t < names.size(); ++t)
    if (names[t].empty()) names[t] = std::to_string(t + 1);
  result.elements = std::move(names);
  for (Vec3& x : atoms.x) x = result.box.wrap(x);
  return result;
}

namespace {

/// The box, with open axes that reach as far as the atoms do: LAMMPS reads no atom outside its bounds.
Box bounds_of_all(const Communicator& comm, const Configuration& c) {
  Box box = c.box;
  for (int d = 0; d < 3; ++d) {
    if (box.periodic[d]) continue;
    double lowest = std::numeric_limits<double>::infinity(), highest = -lowest;
    for (const Vec3& x : c.atoms.x) {
      lowest = std::min(lowest, x[d]);
      highest = std::max(highest, x[d]);
    }
    constexpr double margin = 1e-3;  // Angstrom: on the upper bound itself an atom is outside
    if (const double low = comm.min(lowest); low < box.lo[d]) box.lo[d] = low - margin;
    if (const double high = comm.max(highest); high >= box.hi[d]) box.hi[d] = high + margin;
  }
  return box;
}

}  // namespace

void write_lammps_data(const Communicator& comm, const std::string& path,
                       const Configuration& configuration) {
  const OrderedAtoms ordered = order_by_id(comm, configuration.atoms);
  const Atoms& atoms = ordered.atoms;
  const Box box = bounds_of_all(comm, configuration);

  std::string header = fmt::format(
      "LAMMPS data file by Wafermark, step {}, time {} ps, units metal\n\n{} atoms\n{} atom types\n\n",
      configuration.step, configuration.time_ps, ordered.total, configuration.elements.size());
  for (int d = 0; d < 3; ++d)
    header += fmt::format("{:.17g} {:.17g} {}lo {}hi\n", box.lo[d], box.hi[d], "xyz"[d], "xyz"[d]);
  const auto known = [](double mass) { return mass > 0.0; };
  if (std::all_of(configuration.masses.begin(), configuration.masses.end(), known) &&
      !configuration.masses.empty()) {
    header += "\nMasses\n\n";
    for (std::size_t t = 0; t < configuration.masses.size(); ++t)
      header += fmt::format("{} {:.17g} # {}\n", t + 1, configuration.masses[t], configuration.elements[t]);
  }

  std::string positions, velocities;
  for (std::size_t i = 0; i < atoms.size(); ++i) {
    fmt::format_to(std::back_inserter(positions), "{} {} {:.17g} {:.17g} {:.17g}\n", atoms.id[i],
                   atoms.type[i] + 1, atoms.x[i][0], atoms.x[i][1], atoms.x[i][2]);
    fmt::format_to(std::back_inserter(velocities), "{} {:.17g} {:.17g} {:.17g}\n", atoms.id[i], atoms.v[i][0],
                   atoms.v[i][1], atoms.v[i][2]);
  }
  write_collective_text(comm, path,
                        {{header + "\nAtoms # atomic\n\n", positions}, {"\nVelocities\n\n", velocities}});
}

}  // namespace wafermark::tungsten
