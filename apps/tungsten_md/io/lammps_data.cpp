#include "tungsten_md/io/lammps_data.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cctype>
#include <iterator>
#include <memory>
#include <nlohmann/json.hpp>
#include <unordered_map>
#include <utility>

#include "common/errors.hpp"
#include "tungsten_md/io/atom_dealer.hpp"
#include "tungsten_md/io/collective_text.hpp"
#include "tungsten_md/io/id_order.hpp"
#include "tungsten_md/io/text_file.hpp"

namespace wafermark::tungsten {

using nlohmann::json;

namespace {

/// Rank 0's way through the file. Sections follow one another; section() goes to the next that holds atoms.
class DataFile {
 public:
  explicit DataFile(const std::string& path) : file_(path) { read_header(); }

  /// "Atoms", "Velocities" or "" at the end; Masses are read, coefficients of potentials skipped on the way.
  std::string section() {
    while (found_.empty() ? next_keyword() : true) {
      const std::string name = std::exchange(found_, "");
      if (name == "Atoms" || name == "Velocities") {
        if (name == "Atoms" && !file_.comment().empty() && file_.comment() != "atomic")
          file_.fail(TextFile::quoted(file_.comment()), "atom style 'atomic'");
        if (name == "Atoms" ? seen_atoms_ : !seen_atoms_)
          file_.fail("section " + name, seen_atoms_ ? "only one Atoms section" : "Atoms before Velocities");
        seen_atoms_ = true;
        rows_left_ = atoms_;
        skip_blank_lines(name);
        return name;
      }
      if (name == "Masses")
        read_masses();
      else if (name == "Pair Coeffs" || name == "PairIJ Coeffs")
        skip_section();
      else
        file_.fail("section '" + name + "'", "Masses, Atoms or Velocities");
    }
    if (!seen_atoms_) file_.require_next("section Atoms");
    return "";
  }

  bool atom(std::int64_t& id, double* row) {  // type, x, y, z
    if (!next_row("Atoms")) return false;
    constexpr const char* expected = "'id type x y z' of an atom";
    file_.require_words(5, expected);
    if (file_.words().size() != 5 && file_.words().size() != 8)
      file_.fail(TextFile::quoted(file_.line()), expected);
    id = file_.integer(0, "a positive atom id", 1);
    row[0] =
        static_cast<double>(file_.integer(1, fmt::format("an atom type from 1 to {}", types_), 1, types_));
    for (int d = 0; d < 3; ++d) row[1 + d] = file_.number(2 + d, "a coordinate");
    return true;
  }

  bool velocity(std::int64_t& id, double* row) {
    if (!next_row("Velocities")) return false;
    constexpr const char* expected = "'id vx vy vz' of an atom";
    file_.require_words(4, expected);
    if (file_.words().size() != 4) file_.fail(TextFile::quoted(file_.line()), expected);
    id = file_.integer(0, "a positive atom id", 1);
    for (int d = 0; d < 3; ++d) row[d] = file_.number(1 + d, "a velocity");
    return true;
  }

  json header() const {
    return {{"atoms", atoms_}, {"types", types_},   {"lo", lo_},
            {"hi", hi_},       {"masses", masses_}, {"names", names_}};
  }

 private:
  // "N atoms", "N atom types", "lo hi xlo xhi", up to the first section.
  void read_header() {
    file_.require_next("a comment line");
    bool bounds[3] = {false, false, false};
    while (next_keyword_or_header()) {
      if (!found_.empty()) break;
      const std::string keyword = words_from_first_letter();
      if (keyword == "atoms") {
        atoms_ = file_.integer(0, "the number of atoms", 1);
      } else if (keyword == "atom types") {
        types_ = static_cast<int>(file_.integer(0, "a number of atom types from 1 to 1000", 1, 1000));
      } else if (keyword == "xlo xhi" || keyword == "ylo yhi" || keyword == "zlo zhi") {
        const int d = keyword[0] - 'x';
        lo_[d] = file_.number(0, "a lower bound of the box");
        hi_[d] = file_.number(1, "an upper bound of the box");
        if (!(lo_[d] < hi_[d]))
          file_.fail(TextFile::quoted(file_.line()), "a lower bound below the upper one");
        bounds[d] = true;
      } else if (keyword == "xy xz yz") {
        for (int d = 0; d < 3; ++d)
          if (file_.number(d, "a tilt factor") != 0.0) file_.fail("a triclinic box", "an orthogonal box");
      } else if (file_.words()[0] != "0") {  // "0 bonds" and the like say nothing
        file_.fail(TextFile::quoted(file_.line()), "a header line (atoms, atom types, bounds) or a section");
      }
    }
    if (atoms_ == 0) file_.fail("no line 'N atoms' in the header", "one");
    if (types_ == 0) file_.fail("no line 'N atom types' in the header", "one");
    for (int d = 0; d < 3; ++d)
      if (!bounds[d]) file_.fail(fmt::format("no bounds of {} in the header", "xyz"[d]), "one line of them");
    masses_.assign(types_, 0.0);
    names_.assign(types_, "");
  }

  // A section begins with a line that begins with a letter.
  bool next_keyword_or_header() {
    while (file_.next()) {
      if (file_.words().empty()) continue;
      if (std::isalpha(static_cast<unsigned char>(file_.words()[0][0]))) found_ = words_from_first_letter();
      return true;
    }
    return false;
  }

  std::string words_from_first_letter() const {
    std::string text;
    for (std::string_view word : file_.words())
      if (!text.empty() || std::isalpha(static_cast<unsigned char>(word[0])))
        text += fmt::format("{}{}", text.empty() ? "" : " ", word);
    return text;
  }

  bool next_keyword() {
    if (!next_keyword_or_header()) return false;
    if (found_.empty()) file_.fail(TextFile::quoted(file_.line()), "a section or the end of the file");
    return true;
  }

  void skip_blank_lines(const std::string& section) {
    do file_.require_next("the rows of section " + section);
    while (file_.words().empty());
    row_is_read_ = true;
  }

  bool next_row(const std::string& section) {
    if (rows_left_ == 0) return false;
    if (!std::exchange(row_is_read_, false))
      file_.require_next(fmt::format("{} more rows of section {}", rows_left_, section));
    --rows_left_;
    return true;
  }

  void read_masses() {
    skip_blank_lines("Masses");
    rows_left_ = types_;
    while (next_row("Masses")) {
      file_.require_words(2, "'type mass'");
      const auto type = file_.integer(0, fmt::format("an atom type from 1 to {}", types_), 1, types_);
      masses_[type - 1] = file_.number(1, "a mass");
      if (!(masses_[type - 1] > 0.0)) file_.fail(TextFile::quoted(file_.words()[1]), "a positive mass");
      names_[type - 1] = std::string(file_.comment());
    }
  }

  void skip_section() {
    while (next_keyword_or_header())
      if (!found_.empty()) return;
  }

  TextFile file_;
  std::string found_;  ///< the section whose title was read last
  bool seen_atoms_ = false, row_is_read_ = false;
  std::int64_t atoms_ = 0, rows_left_ = 0;
  int types_ = 0;
  Vec3 lo_{}, hi_{};
  std::vector<double> masses_;
  std::vector<std::string> names_;
};

}  // namespace

Configuration read_lammps_data(const Communicator& comm, const std::string& path,
                               const DataFileDefaults& defaults) {
  std::unique_ptr<DataFile> file;
  Configuration result;
  Atoms& atoms = result.atoms;
  std::unordered_map<std::int64_t, std::size_t> index;
  std::string section = ask_root(comm, [&] {
    file = std::make_unique<DataFile>(path);
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

  const json header = json::parse(ask_root(comm, [&] { return file->header().dump(); }));
  result.box = {header.at("lo").get<Vec3>(), header.at("hi").get<Vec3>(), defaults.periodic};
  result.masses = header.at("masses").get<std::vector<double>>();
  result.elements = defaults.elements;
  const std::size_t types = result.masses.size();
  if (result.elements.empty()) {
    result.elements = header.at("names").get<std::vector<std::string>>();
    for (std::size_t t = 0; t < types; ++t)
      if (result.elements[t].empty()) result.elements[t] = std::to_string(t + 1);
  }
  if (result.elements.size() != types)
    throw InputError(fmt::format("{}: found {} atom types, expected {} for the elements {}", path, types,
                                 result.elements.size(), fmt::join(result.elements, ",")));
  for (Vec3& x : atoms.x) x = result.box.wrap(x);
  return result;
}

namespace {

/// The box, with open axes that reach as far as the atoms do: LAMMPS reads no atom outside its bounds.
Box bounds_of_all(const Communicator& comm, const Configuration& c) {
  Box box = c.box;
  for (int d = 0; d < 3; ++d) {
    if (box.periodic[d]) continue;
    double lowest = box.lo[d], highest = box.hi[d];
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
