#include "tungsten_md/io/lammps_atom_style.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace wafermark::tungsten {
namespace {

// docs.lammps.org/read_data.html, "format of the Atoms section". The first seven are tried where a file names
// none.
constexpr AtomStyle known[] = {
    {"atomic", 5, 1, 2, false},      {"charge", 6, 1, 3, false},       {"molecular", 6, 2, 3, false},
    {"full", 7, 2, 4, false},        {"sphere", 7, 1, 4, false},       {"ellipsoid", 7, 1, 4, false},
    {"dipole", 9, 1, 3, false},      {"amoeba", 7, 2, 4, false},       {"angle", 6, 2, 3, false},
    {"body", 7, 1, 4, false},        {"bond", 6, 2, 3, false},         {"bpm/sphere", 8, 2, 5, false},
    {"dielectric", 15, 2, 4, false}, {"dpd", 6, 1, 3, false},          {"edpd", 7, 1, 4, false},
    {"electron", 8, 1, 5, false},    {"hybrid", 5, 1, 2, true},        {"line", 8, 2, 5, false},
    {"mdpd", 6, 1, 3, false},        {"mesont", 11, 2, 8, false},      {"peri", 7, 1, 4, false},
    {"rheo", 7, 1, 4, false},        {"rheo/thermal", 8, 1, 5, false}, {"smd", 13, 1, 10, false},
    {"sph", 8, 1, 5, false},         {"spin", 9, 1, 2, false},         {"tdpd", 5, 1, 2, true},
    {"template", 8, 1, 5, false},    {"tri", 8, 2, 5, false},          {"wavepacket", 11, 1, 8, false}};
constexpr std::size_t tried = 7;
constexpr std::size_t image_flags = 3;

bool is_whole(std::string_view word) {
  if (word.starts_with('-') || word.starts_with('+')) word.remove_prefix(1);
  return !word.empty() && word.find_first_not_of("0123456789") == std::string_view::npos;
}

}  // namespace

AtomColumns::AtomColumns(const TextFile& file, std::string_view comment)
    : name_(comment.substr(0, comment.find_first_of(" \t"))) {
  if (name_.empty()) {
    styles_.assign(known, known + tried);
    return;
  }
  const auto* const found =
      std::find_if(std::begin(known), std::end(known), [&](const AtomStyle& s) { return s.name == name_; });
  if (found == std::end(known))
    file.fail("atom style " + TextFile::quoted(name_), "one that has x, y and z: atomic, charge, full, ...");
  styles_ = {*found};
}

bool AtomColumns::fits(const AtomStyle& style, const TextFile& file, bool type_fits) const {
  const auto& words = file.words();
  const std::size_t n = words.size();
  const bool with_flags = n == style.columns + image_flags;
  if (style.open_ended ? n < style.columns : n != style.columns && !with_flags) return false;
  if (!name_.empty()) return true;  // what is wrong with a column is said of the column
  if (with_flags && !std::all_of(words.end() - image_flags, words.end(), is_whole)) return false;
  return type_fits && (style.type == 1 || is_whole(words[1]));  // before the type: the molecule
}

AtomStyle AtomColumns::agreed(const TextFile& file) {
  if (styles_.empty())
    file.fail(TextFile::quoted(file.line()),
              name_.empty() ? "'id type x y z' of an atom (the title names another style: 'Atoms # charge')"
                            : "the columns of an atom of style '" + name_ + "'");
  const AtomStyle& first = styles_.front();
  const auto& words = file.words();
  for (const AtomStyle& s : styles_)
    if (s.x != first.x || words[s.type] != words[first.type])
      file.fail(
          fmt::format("{} columns, which atom styles {} and {} have both", words.size(), first.name, s.name),
          fmt::format("a title that says which: 'Atoms # {}'", s.name));
  more_ = more_ || first.open_ended || (words.size() != 5 && words.size() != 5 + image_flags);
  return first;
}

}  // namespace wafermark::tungsten
