#include "tungsten_md/io/lammps_data_file.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cmath>
#include <limits>
#include <utility>

namespace wafermark::tungsten {
namespace {

// docs.lammps.org/read_data.html; those of the first line are read.
constexpr std::string_view titles[] = {"Masses",
                                       "Atoms",
                                       "Velocities",
                                       "Atom Type Labels",
                                       "Ellipsoids",
                                       "Lines",
                                       "Triangles",
                                       "Bodies",
                                       "Bonds",
                                       "Angles",
                                       "Dihedrals",
                                       "Impropers",
                                       "Bond Type Labels",
                                       "Angle Type Labels",
                                       "Dihedral Type Labels",
                                       "Improper Type Labels",
                                       "Pair Coeffs",
                                       "PairIJ Coeffs",
                                       "Bond Coeffs",
                                       "Angle Coeffs",
                                       "Dihedral Coeffs",
                                       "Improper Coeffs",
                                       "BondBond Coeffs",
                                       "BondAngle Coeffs",
                                       "MiddleBondTorsion Coeffs",
                                       "EndBondTorsion Coeffs",
                                       "AngleTorsion Coeffs",
                                       "AngleAngleTorsion Coeffs",
                                       "BondBond13 Coeffs",
                                       "AngleAngle Coeffs",
                                       "UreyBradley Coeffs"};
bool is_title(std::string_view line) {
  return std::find(std::begin(titles), std::end(titles), line) != std::end(titles);
}
/// These say nothing about the atoms' places: not worth a note.
bool is_of_potential(std::string_view title) { return title.ends_with("Coeffs"); }

bool begins_with_letter(std::string_view word) {
  return !word.empty() && std::isalpha(static_cast<unsigned char>(word[0])) != 0;
}

}  // namespace

LammpsDataFile::LammpsDataFile(const std::string& path) : file_(path) { read_header(); }

void LammpsDataFile::note(const std::string& text) {
  if (std::find(notes_.begin(), notes_.end(), text) == notes_.end()) notes_.push_back(text);
}

// ---- the header: "N atoms", "N atom types", "lo hi xlo xhi", up to the first section

void LammpsDataFile::read_header() {
  file_.require_next("a comment line");
  by_ = file_.line();
  for (int d = 0; d < 3; ++d) header_.lo[d] = header_.hi[d] = std::numeric_limits<double>::quiet_NaN();
  while (next_line() && found_.empty()) header_line();
  if (header_.atoms == 0) file_.fail("no line 'N atoms' in the header", "one");
  if (header_.types == 0) file_.fail("no line 'N atom types' in the header", "one");
  for (int d = 0; d < 3; ++d)
    if (std::isnan(header_.lo[d]))
      file_.fail(fmt::format("no bounds of {} in the header", "xyz"[d]), "one line of them");
  header_.masses.assign(static_cast<std::size_t>(header_.types), 0.0);
  header_.names.assign(static_cast<std::size_t>(header_.types), "");
}

void LammpsDataFile::header_line() {
  const std::string keyword = title();
  if (keyword == "atoms") {
    header_.atoms = file_.integer(0, "the number of atoms", 1);
  } else if (keyword == "atom types") {
    header_.types = static_cast<int>(file_.integer(0, "a number of atom types from 1 to 1000", 1, 1000));
  } else if (keyword == "xlo xhi" || keyword == "ylo yhi" || keyword == "zlo zhi") {
    read_bounds(keyword[0] - 'x');
  } else if (keyword == "xy xz yz") {
    const double length = header_.hi[0] - header_.lo[0];  // some write the tilts before the bounds
    for (std::size_t d = 0; d < 3; ++d) file_.require_no_tilt(d, length > 0.0 ? length : 1.0);
  } else if (keyword == "avec" || keyword == "bvec" || keyword == "cvec" || keyword == "abc origin") {
    file_.fail("a general triclinic box", "an orthogonal box");
  } else if (const auto& words = file_.words();
             keyword.empty() || begins_with_letter(words[0]) ||
             words[0].find_first_not_of("0123456789") != std::string::npos) {
    file_.fail(TextFile::quoted(file_.line()), "a header line (atoms, atom types, bounds) or a section");
  }
  // The rest are counts of what is passed over: "8 bonds", "2 extra bond per atom".
}

void LammpsDataFile::read_bounds(int axis) {
  const double lo = file_.number(0, "a lower bound of the box"),
               hi = file_.number(1, "an upper bound of the box");
  if (!(lo < hi)) file_.fail(TextFile::quoted(file_.line()), "a lower bound below the upper one");
  header_.lo[axis] = lo;
  header_.hi[axis] = hi;
}

// ---- sections: a title, a blank line, rows

/// Goes to the next line that is not blank; `found_` is its title when it begins with a letter.
bool LammpsDataFile::next_line() {
  while (file_.next()) {
    if (file_.words().empty()) continue;
    if (begins_with_letter(file_.words()[0])) found_ = title();
    return true;
  }
  return false;
}

/// The line's words from the first that begins with a letter.
std::string LammpsDataFile::title() const {
  std::string text;
  for (const std::string_view word : file_.words())
    if (!text.empty() || begins_with_letter(word)) text += fmt::format("{}{}", text.empty() ? "" : " ", word);
  return text;
}

bool LammpsDataFile::next_title() {
  if (!found_.empty()) return true;
  if (!next_line()) return false;
  if (found_.empty()) file_.fail(TextFile::quoted(file_.line()), "a section or the end of the file");
  return true;
}

std::string LammpsDataFile::section() {
  while (next_title()) {
    const std::string name = std::exchange(found_, "");
    if (name == "Atoms" || name == "Velocities") {
      begin_section(name);
      return name;
    }
    if (name == "Masses") {
      read_masses();
    } else if (name == "Atom Type Labels") {
      read_labels();
    } else {
      if (!is_title(name)) file_.fail("section " + TextFile::quoted(name), "a section of a LAMMPS data file");
      if (!is_of_potential(name)) note(fmt::format("{}: section {} is passed over", file_.path(), name));
      skip_section();
    }
  }
  if (!seen_atoms_) file_.require_next("section Atoms");
  end();
  return "";
}

void LammpsDataFile::begin_section(const std::string& name) {
  if (name == "Atoms" ? seen_atoms_ : !seen_atoms_)
    file_.fail("section " + name, seen_atoms_ ? "only one Atoms section" : "Atoms before Velocities");
  if (name == "Atoms") columns_.emplace(file_, file_.comment());
  seen_atoms_ = true;
  rows_left_ = header_.atoms;
  first_row(name);
}

/// Programs end every line that they write; of a file made by hand the last newline may be missing.
void LammpsDataFile::end() {
  if (!file_.cut()) return;
  if (by_.starts_with("LAMMPS data file"))
    file_.fail("the end of the file inside a line", "a newline (is the file cut off?)");
  note(fmt::format("{}: the last line has no newline: is the file cut off?", file_.path()));
}

void LammpsDataFile::first_row(const std::string& section) {
  do file_.require_next("the rows of section " + section);
  while (file_.words().empty());
  row_is_read_ = true;
}

bool LammpsDataFile::next_row(const std::string& section) {
  if (rows_left_ == 0) return false;
  if (!std::exchange(row_is_read_, false))
    file_.require_next(fmt::format("{} more rows of section {}", rows_left_, section));
  --rows_left_;
  return true;
}

void LammpsDataFile::read_masses() {
  first_row("Masses");
  rows_left_ = header_.types;
  while (next_row("Masses")) {
    file_.require_words(2, "'type mass'");
    const auto type = type_of(file_.words()[0]);
    if (!type)
      file_.fail(TextFile::quoted(file_.words()[0]), fmt::format("an atom type from 1 to {}", header_.types));
    const auto t = static_cast<std::size_t>(*type - 1);
    header_.masses[t] = file_.number(1, "a mass");
    if (!(header_.masses[t] > 0.0)) file_.fail(TextFile::quoted(file_.words()[1]), "a positive mass");
    if (header_.names[t].empty()) header_.names[t] = file_.name(file_.comment());
  }
}

void LammpsDataFile::read_labels() {
  first_row("Atom Type Labels");
  rows_left_ = header_.types;
  labels_.resize(static_cast<std::size_t>(header_.types));
  while (next_row("Atom Type Labels")) {
    file_.require_words(2, "'type label'");
    const auto t = static_cast<std::size_t>(
        file_.integer(0, fmt::format("an atom type from 1 to {}", header_.types), 1, header_.types) - 1);
    labels_[t] = header_.names[t] = file_.name(file_.words()[1]);
  }
}

/// Rows end at a blank line, or at the title of a section that we know.
void LammpsDataFile::skip_section() {
  bool rows = false;
  while (file_.next()) {
    if (file_.words().empty()) {
      if (rows) return;
      continue;
    }
    const std::string line = title();
    if (is_title(line) && begins_with_letter(file_.words()[0])) {
      found_ = line;
      return;
    }
    rows = true;
  }
}

// ---- rows

std::optional<int> LammpsDataFile::type_of(std::string_view word) const {
  if (const auto at = std::find(labels_.begin(), labels_.end(), word); at != labels_.end())
    return static_cast<int>(at - labels_.begin()) + 1;
  int type = 0;
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), type);
  if (error != std::errc{} || end != word.data() + word.size() || type < 1 || type > header_.types)
    return std::nullopt;
  return type;
}

bool LammpsDataFile::atom(std::int64_t& id, double* row) {
  if (!next_row("Atoms")) return false;
  file_.require_words(5, "'id type x y z' of an atom");
  const AtomStyle style = columns_->of_row(file_, [&](const TextFile& file, std::size_t column) {
    // Where no other column can be the type, a bad one is said to be bad.
    return (column == 1 && file.words().size() == 5) || (column == 1 && file.words().size() == 8) ||
           (column < file.words().size() && type_of(file.words()[column]).has_value());
  });
  id = file_.integer(0, "a positive atom id", 1);
  const auto type = type_of(file_.words()[style.type]);
  if (!type)
    file_.fail(TextFile::quoted(file_.words()[style.type]),
               fmt::format("an atom type from 1 to {}", header_.types));
  row[0] = static_cast<double>(*type);
  for (std::size_t d = 0; d < 3; ++d) row[1 + d] = file_.number(style.x + d, "a coordinate");
  if (rows_left_ == 0 && columns_->has_more())
    note(fmt::format("{}: columns of atom style {} beside id, type, x, y and z are passed over", file_.path(),
                     style.name));
  return true;
}

bool LammpsDataFile::velocity(std::int64_t& id, double* row) {
  if (!next_row("Velocities")) return false;
  // Some styles have more behind them: angular velocities, radial ones.
  file_.require_words(4, "'id vx vy vz' of an atom");
  id = file_.integer(0, "a positive atom id", 1);
  for (std::size_t d = 0; d < 3; ++d) row[d] = file_.number(1 + d, "a velocity");
  return true;
}

}  // namespace wafermark::tungsten
