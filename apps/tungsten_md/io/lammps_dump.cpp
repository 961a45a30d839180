#include "tungsten_md/io/lammps_dump.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "tungsten_md/io/collective_text.hpp"
#include "tungsten_md/io/id_order.hpp"
#include "tungsten_md/io/text_file.hpp"
#include "tungsten_md/io/text_frame.hpp"
#include "tungsten_md/model/element_symbols.hpp"

namespace wafermark::tungsten {

/// Rank 0's way through the file.
class LammpsDumpReader::Parser final : public FrameParser {
 public:
  Parser(const std::string& path, const std::vector<std::string>& elements)
      : FrameParser(elements), file_(path), given_(!elements.empty()) {}

  std::optional<FrameHeader> header() override {
    do
      if (!file_.next()) return std::nullopt;
    while (file_.words().empty());
    frame_ = Frame{};
    bool has_step = false, has_box = false;
    for (;; file_.require_next("ITEM: of a frame")) {
      const auto& w = file_.words();
      if (w.size() < 2 || w[0] != "ITEM:") file_.fail(TextFile::quoted(file_.line()), "a line 'ITEM: ...'");
      const std::string item(w[1]);
      const std::string title = file_.line();
      if (item == "TIMESTEP") {
        file_.require_next("a time step");
        frame_.step = file_.integer(0, "a time step", 0);
        has_step = true;
      } else if (item == "TIME") {
        file_.require_next("a time");
        frame_.time = file_.number(0, "a time");
      } else if (item == "UNITS") {
        file_.require_next("a unit system");
        if (file_.words().size() != 1 || file_.words()[0] != "metal")
          file_.fail(TextFile::quoted(file_.line()), "units 'metal'");
        by_program_ = true;
      } else if (title.starts_with("ITEM: NUMBER OF ATOMS")) {
        file_.require_next("a number of atoms");
        rows_left_ = file_.integer(0, "a positive number of atoms", 1);
      } else if (title.starts_with("ITEM: NUMBER OF ENTRIES")) {
        file_.fail("a dump of pairs (dump local)", "a dump of atoms");
      } else if (title.starts_with("ITEM: BOX BOUNDS")) {
        read_box();
        has_box = true;
      } else if (item == "ATOMS") {
        if (!has_step || !has_box || rows_left_ == 0)
          file_.fail("'ITEM: ATOMS'", "TIMESTEP, NUMBER OF ATOMS and BOX BOUNDS before it");
        find_columns();
        break;
      } else {
        file_.fail(TextFile::quoted(file_.line()), "TIMESTEP, NUMBER OF ATOMS, BOX BOUNDS or ATOMS");
      }
    }
    return FrameHeader{.step = frame_.step,
                       .time_ps = frame_.time,
                       .box = frame_.box,
                       .ids = column_.id != absent,
                       .velocities = has(column_.v),
                       .forces = has(column_.f)};
  }

  bool row(std::int64_t& id, double* values) override {
    if (rows_left_ == 0) return false;
    file_.require_next(fmt::format("{} more atoms", rows_left_));
    if (file_.words().size() != column_.count)
      file_.fail(fmt::format("{} columns", file_.words().size()), fmt::format("{}", column_.count));
    ++rows_read_;
    id = column_.id == absent ? rows_read_ : file_.integer(column_.id, "a positive atom id", 1);
    values[0] = type_of_row();
    for (int d = 0; d < 3; ++d) {
      double x = file_.number(column_.x[d], "a coordinate");
      if (column_.scaled[d]) x = frame_.box.lo[d] + x * frame_.box.length(d);
      values[1 + d] = x;
      values[4 + d] = has(column_.v) ? file_.number(column_.v[d], "a velocity") : 0.0;
      values[7 + d] = has(column_.f) ? file_.number(column_.f[d], "a force") : 0.0;
    }
    if (--rows_left_ == 0) end_of_frame();
    return true;
  }

 private:
  static constexpr std::size_t absent = static_cast<std::size_t>(-1);
  using Triple = std::array<std::size_t, 3>;
  static bool has(const Triple& t) { return t[0] != absent && t[1] != absent && t[2] != absent; }

  struct Frame {
    std::int64_t step = 0;
    double time = 0.0;
    Box box;
  };
  struct Columns {
    std::size_t count = 0, id = absent, type = absent, element = absent;
    Triple x{absent, absent, absent}, v = x, f = x;
    std::array<bool, 3> scaled{};
  };

  /// "BOX BOUNDS pp pp ff", "BOX BOUNDS xy xz yz pp pp ff" with a tilt behind each pair of bounds, or without
  /// boundaries, as old versions wrote it.
  void read_box() {
    const auto& words = file_.words();
    const std::size_t n = words.size();
    const bool tilted = n >= 6 && words[3] == "xy";
    if (n >= 4 && words[3] == "abc") file_.fail("a general triclinic box", "an orthogonal box");
    if (n != (tilted ? 9u : 6u) && n != (tilted ? 6u : 3u))
      file_.fail(TextFile::quoted(file_.line()), "an orthogonal box, 'BOX BOUNDS pp pp pp'");
    const bool bounded = n == 9 || (n == 6 && !tilted);
    for (std::size_t d = 0; d < 3; ++d) frame_.box.periodic[d] = !bounded || words[n - 3 + d] == "pp";
    for (int d = 0; d < 3; ++d) {
      file_.require_next("two bounds of the box");
      frame_.box.lo[d] = file_.number(0, "a lower bound of the box");
      frame_.box.hi[d] = file_.number(1, "an upper bound of the box");
      if (file_.words().size() != (tilted ? 3 : 2) || !(frame_.box.lo[d] < frame_.box.hi[d]))
        file_.fail(TextFile::quoted(file_.line()), "a lower bound below an upper one");
      if (tilted) file_.require_no_tilt(2, frame_.box.length(d));
    }
  }

  /// Programs end every line that they write; of a file made by hand the last newline may be missing.
  void end_of_frame() {
    rows_read_ = 0;
    if (!file_.cut()) return;
    if (by_program_) file_.fail("the end of the file inside a line", "a newline (is the file cut off?)");
    notes_.push_back(file_.path() + ": the last line has no newline: is the file cut off?");
  }

  void find_columns() {
    const std::vector<std::string_view> names(file_.words().begin() + 2, file_.words().end());
    const auto find = [&](std::string_view name) -> std::size_t {
      const auto at = std::find(names.begin(), names.end(), name);
      return at == names.end() ? absent : static_cast<std::size_t>(at - names.begin());
    };
    column_ = {names.size(), find("id"), find("type"), find("element")};
    for (int d = 0; d < 3; ++d)
      for (const std::string_view kind : {"", "u", "s", "su"}) {
        column_.x[d] = find(fmt::format("{}{}", "xyz"[d], kind));
        column_.scaled[d] = kind.starts_with('s');
        if (column_.x[d] != absent) break;
      }
    column_.v = {find("vx"), find("vy"), find("vz")};
    column_.f = {find("fx"), find("fy"), find("fz")};
    if (!has(column_.x)) file_.fail(TextFile::quoted(file_.line()), "columns x y z (or xs, xu, xsu)");
    if (column_.type == absent && column_.element == absent && given_ && elements_.size() > 1)
      file_.fail(TextFile::quoted(file_.line()), "a column type or element for several elements");
  }

  int type_of_row() {
    const std::string name = column_.element == absent ? "" : file_.name(file_.words()[column_.element]);
    if (column_.type != absent) {
      const int last = given_ ? static_cast<int>(elements_.size()) : 1000;
      const auto type = file_.integer(column_.type, fmt::format("an atom type from 1 to {}", last), 1, last);
      if (static_cast<std::size_t>(type) > elements_.size()) elements_.resize(type);
      std::string& known = elements_[static_cast<std::size_t>(type - 1)];
      const bool other = !name.empty() && !known.empty() && name != known;
      if (other && (!given_ || (atomic_number(name) != 0 && atomic_number(known) != 0)))
        file_.fail(fmt::format("type {} to be {}", type, TextFile::quoted(name)), known);
      if (!given_ && !name.empty()) known = name;
      return static_cast<int>(type) - 1;
    }
    if (column_.element == absent) {
      if (elements_.empty()) elements_.emplace_back();
      return 0;
    }
    const auto at = std::find(elements_.begin(), elements_.end(), name);
    const auto index = static_cast<int>(at - elements_.begin());
    if (at == elements_.end()) {
      if (given_) file_.fail("element " + TextFile::quoted(name), "one of the elements given");
      elements_.push_back(name);
    }
    return index;
  }

  TextFile file_;
  bool given_;
  Frame frame_;
  Columns column_;
  std::int64_t rows_left_ = 0, rows_read_ = 0;
  bool by_program_ = false;  ///< has what nobody writes by hand
};

LammpsDumpReader::LammpsDumpReader(const Communicator& comm, const std::string& path,
                                   std::vector<std::string> elements)
    : comm_(comm), path_(path), parser_(parser_on_root<Parser>(comm, path, std::move(elements))) {}

LammpsDumpReader::~LammpsDumpReader() = default;

std::optional<DumpFrame> LammpsDumpReader::next() {
  const auto header = next_header(comm_, parser_.get());
  if (!header) return std::nullopt;
  DumpFrame frame;
  frame.has_velocities = header->velocities;
  frame.configuration =
      deal_frame(comm_, path_, *header, parser_.get(), common_columns + 3, [&](const double* row) {
        if (header->forces) frame.forces.push_back({row[7], row[8], row[9]});
      });
  return frame;
}

void write_lammps_dump(const Communicator& comm, const std::string& path, const Configuration& configuration,
                       const std::vector<Vec3>* forces, DumpOptions options) {
  const OrderedAtoms ordered = order_by_id(comm, configuration.atoms, forces);
  const Atoms& atoms = ordered.atoms;
  const Box& box = configuration.box;
  const auto boundary = [&](int d) { return box.periodic[d] ? "pp" : "ff"; };

  std::string header = fmt::format(
      "ITEM: UNITS\nmetal\nITEM: TIME\n{:.17g}\nITEM: TIMESTEP\n{}\nITEM: NUMBER OF ATOMS\n{}\nITEM: BOX "
      "BOUNDS {} {} {}\n",
      configuration.time_ps, configuration.step, ordered.total, boundary(0), boundary(1), boundary(2));
  for (int d = 0; d < 3; ++d) header += fmt::format("{:.17g} {:.17g}\n", box.lo[d], box.hi[d]);
  header += fmt::format("ITEM: ATOMS id type x y z{}{}\n", options.velocities ? " vx vy vz" : "",
                        forces ? " fx fy fz" : "");

  std::string rows;
  const auto vector = [&](const Vec3& v) {
    fmt::format_to(std::back_inserter(rows), " {:.17g} {:.17g} {:.17g}", v[0], v[1], v[2]);
  };
  for (std::size_t i = 0; i < atoms.size(); ++i) {
    fmt::format_to(std::back_inserter(rows), "{} {}", atoms.id[i], atoms.type[i] + 1);
    vector(atoms.x[i]);
    if (options.velocities) vector(atoms.v[i]);
    if (forces) vector(ordered.forces[i]);
    rows += '\n';
  }
  write_collective_text(comm, path, {{header, rows}}, options.append);
}

}  // namespace wafermark::tungsten
