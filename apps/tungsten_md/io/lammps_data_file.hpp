// The text of a LAMMPS data file, section by section, as one process reads it.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "tungsten_md/io/lammps_atom_style.hpp"
#include "tungsten_md/io/text_file.hpp"
#include "tungsten_md/model/box.hpp"

namespace wafermark::tungsten {

/// Sections follow one another; section() goes to the next that holds atoms. Every failure throws InputError
/// "FILE:LINE: found ..., expected ...".
class LammpsDataFile {
 public:
  struct Header {
    std::int64_t atoms = 0;
    int types = 0;
    Vec3 lo{}, hi{};
    std::vector<double> masses;      ///< 0: not given
    std::vector<std::string> names;  ///< of the types: their labels, or the comments of Masses; or empty
  };

  explicit LammpsDataFile(const std::string& path);

  /// "Atoms", "Velocities" or "" at the end; Masses and type labels are read, other sections passed over.
  std::string section();
  /// The next row of section Atoms: type, x, y, z; false after the last.
  bool atom(std::int64_t& id, double* row);
  /// The next row of section Velocities: vx, vy, vz.
  bool velocity(std::int64_t& id, double* row);

  const Header& header() const { return header_; }
  /// What was passed over, for the user.
  const std::vector<std::string>& notes() const { return notes_; }

 private:
  void read_header();
  void header_line();
  void read_bounds(int axis);
  bool next_line();
  std::string title() const;
  bool next_title();
  void first_row(const std::string& section);
  bool next_row(const std::string& section);
  void read_masses();
  void read_labels();
  void skip_section();
  void begin_section(const std::string& name);
  std::optional<int> type_of(std::string_view word) const;
  void note(const std::string& text);
  void end();

  TextFile file_;
  std::string by_;     ///< the first line: who wrote it
  std::string found_;  ///< the title that was read last and is not begun yet
  std::optional<AtomColumns> columns_;
  bool seen_atoms_ = false, row_is_read_ = false;
  std::int64_t rows_left_ = 0;
  Header header_;
  std::vector<std::string> labels_, notes_;
};

}  // namespace wafermark::tungsten
