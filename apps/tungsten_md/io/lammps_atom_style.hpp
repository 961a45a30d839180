// Which columns of the section Atoms of a LAMMPS data file hold what.
#pragma once

#include <string>
#include <vector>

#include "tungsten_md/io/text_file.hpp"

namespace wafermark::tungsten {

/// Columns of an atom style, counted from 0; the id is always column 0. Three image flags may follow.
struct AtomStyle {
  const char* name;
  std::size_t columns;  ///< without image flags
  std::size_t type;     ///< column of the type
  std::size_t x;        ///< first of x, y, z
  bool open_ended;      ///< other columns follow, as many as the run that wrote it had
};

/// The styles that a section may have: the one that its comment names, or, without one, those whose columns
/// agree with every row so far.
class AtomColumns {
 public:
  /// `comment` is that of the title "Atoms # charge". Throws InputError for a style that has no x, y, z.
  AtomColumns(const TextFile& file, std::string_view comment);

  /// Where this row has type and position. Throws InputError when no style fits, or two styles fit that take
  /// different columns for them. `is_type(word)` says what could be a type.
  template <class IsType>
  AtomStyle of_row(const TextFile& file, const IsType& is_type) {
    std::erase_if(styles_, [&](const AtomStyle& s) { return !fits(s, file, is_type(file, s.type)); });
    return agreed(file);
  }
  /// Whether rows hold more than id, type, x, y, z and image flags.
  bool has_more() const { return more_; }

 private:
  bool fits(const AtomStyle& style, const TextFile& file, bool type_fits) const;
  AtomStyle agreed(const TextFile& file);

  std::vector<AtomStyle> styles_;
  std::string name_;  ///< empty: the section does not say
  bool more_ = false;
};

}  // namespace wafermark::tungsten
