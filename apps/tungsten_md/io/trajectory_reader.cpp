#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "common/errors.hpp"
#include "common/printable.hpp"
#include "tungsten_md/io/frame_digest.hpp"
#include "tungsten_md/io/trajectory.hpp"
#include "tungsten_md/io/trajectory_layout.hpp"
#include "tungsten_md/model/element_symbols.hpp"

namespace wafermark::tungsten {

namespace {

using layout::parameters;

/// An element of H5MD: a group with one entry a frame, or an array that holds for all frames.
struct Element {
  std::string data;  ///< path of the array, empty when there is none
  bool fixed = false;
  std::vector<std::uint64_t> shape;  ///< of the array

  std::uint64_t frames() const { return fixed || shape.empty() ? 1 : shape[0]; }
};

Element element_at(const Hdf5File& file, const std::string& path) {
  if (file.exists(path + "/value")) return {path + "/value", false, file.shape(path + "/value")};
  if (file.exists(path)) return {path, true, file.shape(path)};
  return {};
}

template <class T>
std::vector<T> read_element(const Hdf5File& file, const Element& e, std::uint64_t frame, const Rows& rows,
                            std::uint64_t columns) {
  return e.fixed ? file.read<T>(e.data, rows, columns) : file.read_frame<T>(e.data, frame, rows, columns);
}

/// The group of particles to read: the one that is asked for, "all", or the only one that has positions.
std::string particle_group(const Hdf5File& file, const std::string& path, const std::string& wanted) {
  std::vector<std::string> names;
  for (const auto& name : file.children("/particles"))
    if (file.exists("/particles/" + name + "/box")) names.push_back(name);
  const auto has = [&](const std::string& name) {
    return std::find(names.begin(), names.end(), name) != names.end();
  };
  if (names.empty())
    throw InputError(
        fmt::format("{}: found no group of /particles with a box, expected an H5MD trajectory", path));
  if (!wanted.empty() && !has(wanted))
    throw InputError(
        fmt::format("{}: found no particles '{}', expected one of {}", path, wanted, fmt::join(names, ", ")));
  if (!wanted.empty()) return "/particles/" + wanted;
  if (has("all")) return "/particles/all";
  if (names.size() > 1)
    throw InputError(fmt::format("{}: found particles {}, expected --particles to say which", path,
                                 fmt::join(names, ", ")));
  return "/particles/" + names[0];
}

/// What a unit is in ours, or nothing when it is not among `known`; no unit is ours.
std::optional<double> unit_of(const Hdf5File& file, const std::string& data,
                              const std::vector<std::pair<const char*, double>>& known) {
  if (!file.has_attribute(data, "unit")) return 1.0;
  const std::string unit = file.text_attribute(data, "unit");
  for (const auto& [name, factor] : known)
    if (unit == name) return factor;
  return std::nullopt;
}

double length_unit(const Hdf5File& file, const std::string& path, const std::string& data) {
  const auto unit = unit_of(
      file, data,
      {{"Angstrom", 1.0}, {"angstrom", 1.0}, {"A", 1.0}, {"\xc3\x85", 1.0}, {"nm", 10.0}, {"pm", 0.01}});
  if (!unit)
    throw InputError(fmt::format("{}: {}: found unit '{}', expected Angstrom or nm", path, data,
                                 file.text_attribute(data, "unit")));
  return *unit;
}

/// Box lengths: three of them, or the diagonal of edge vectors.
Vec3 read_edges(const Hdf5File& file, const std::string& path, const Element& e, std::uint64_t frame) {
  const std::size_t rank = e.shape.size() - (e.fixed ? 0 : 1);
  const bool matrix = rank == 2;
  const auto m = read_element<double>(file, e, e.frames() == 1 ? 0 : frame, {3, 0, 3}, matrix ? 3 : 0);
  const double unit = length_unit(file, path, e.data);
  Vec3 lengths;
  for (std::size_t d = 0; d < 3; ++d) {
    lengths[d] = unit * (matrix ? m[4 * d] : m[d]);
    if (!(lengths[d] > 0.0) || !std::isfinite(lengths[d]))
      throw InputError(fmt::format("{}: {}: found a box of {} Angstrom, expected lengths above 0", path,
                                   e.data, lengths[d]));
  }
  for (std::size_t k = 0; matrix && k < 9; ++k)
    if (k % 4 != 0 && !Box::is_rounding(m[k], m[4 * (k / 3)]))
      throw InputError(fmt::format("{}: found a triclinic box, expected an orthogonal one", path));
  return lengths;
}

template <class T, std::size_t N>
std::array<T, N> array_of(const std::vector<T>& values, const std::string& path, const char* what) {
  if (values.size() != N)
    throw InputError(fmt::format("{}: {}: found {} values, expected {}", path, what, values.size(), N));
  std::array<T, N> a;
  std::copy(values.begin(), values.end(), a.begin());
  return a;
}

std::optional<Lattice> read_lattice(const Hdf5File& file, const std::string& path) {
  if (!file.has_attribute(parameters, "lattice")) return std::nullopt;
  const std::string kind = file.text_attribute(parameters, "lattice");
  if (kind.empty()) return std::nullopt;
  return Lattice{
      lattice_kind(kind, path), file.attribute<double>(parameters, "lattice_constant_angstrom"),
      array_of<int, 3>(file.attribute_list<int>(parameters, "lattice_cells"), path, "lattice_cells"),
      array_of<double, 3>(file.attribute_list<double>(parameters, "lattice_origin_angstrom"), path,
                          "lattice_origin_angstrom")};
}

std::int64_t least_of(const Communicator& comm, const std::vector<std::int64_t>& ids) {
  const auto least = std::min_element(ids.begin(), ids.end());
  return comm.min(least == ids.end() ? std::numeric_limits<std::int64_t>::max() : *least);
}

/// What is wrong with ids: below 1, or twice; a rank finds what it may.
std::string problem_of_ids(const Communicator& comm, const std::vector<std::int64_t>& ids) {
  std::vector<std::vector<std::int64_t>> parts(comm.size());
  if (const std::int64_t least = least_of(comm, ids); least < 1)
    return fmt::format("found atom id {}, expected positive ids", least);
  for (const std::int64_t id : ids) parts[static_cast<std::size_t>(id % comm.size())].push_back(id);
  std::vector<std::int64_t> mine;
  for (const auto& part : comm.all_to_all(parts)) mine.insert(mine.end(), part.begin(), part.end());
  std::sort(mine.begin(), mine.end());
  const auto twice = std::adjacent_find(mine.begin(), mine.end());
  return twice == mine.end() ? "" : fmt::format("found atom id {} twice, expected unique ids", *twice);
}

}  // namespace

TrajectoryReader::TrajectoryReader(const Communicator& comm, const std::string& path,
                                   const std::string& particles)
    : comm_(&comm), file_(Hdf5File::open(comm, path)), path_(path) {
  if (!file_.exists("/h5md"))
    throw InputError(fmt::format("{}: found no /h5md, expected an H5MD trajectory", path));
  group_ = particle_group(file_, path, particles);
  for (int d = 0; const auto& kind : array_of<std::string, 3>(
                      file_.text_list_attribute(group_ + "/box", "boundary"), path, "boundary"))
    box_.periodic[d++] = kind == "periodic";
  const Element position = element_at(file_, group_ + "/position");
  if (!position.data.empty()) {
    const auto& shape = position.shape;
    if (shape.size() != (position.fixed ? 2 : 3) || shape.back() != 3)
      throw InputError(fmt::format("{}: found positions of another shape, expected [frame][atom][3]", path));
    atoms_ = shape[shape.size() - 2];
    frames_ = position.frames();
  }
  // Ours add the step last: a frame whose step is missing is not complete.
  const std::string steps = group_ + "/position/step", times = group_ + "/position/time";
  for (const std::string& series : {steps, times, std::string(frame_digests)})
    if (file_.exists(series))
      if (const auto shape = file_.shape(series); shape.size() == 1) frames_ = std::min(frames_, shape[0]);
  const Element edges = element_at(file_, group_ + "/box/edges");
  const bool all_open = !box_.periodic[0] && !box_.periodic[1] && !box_.periodic[2];
  if (edges.data.empty() && !all_open && frames_ > 0)
    throw InputError(fmt::format("{}: found no {}/box/edges, expected them for periodic axes", path, group_));
  if (!edges.data.empty() && edges.frames() > 1) frames_ = std::min(frames_, edges.frames());
  if (file_.has_attribute(parameters, "elements")) {
    elements_ = file_.text_list_attribute(parameters, "elements");
    for (const std::string& name : elements_)
      if (!is_name(name))
        throw InputError(
            fmt::format("{}: found an element '{}', expected a name of printable ASCII characters", path,
                        printable(name)));
    masses_ = file_.attribute_list<double>(parameters, "masses_amu");
    box_.lo = array_of<double, 3>(file_.attribute_list<double>(parameters, "box_origin_angstrom"), path,
                                  "box origin");
    lattice_ = read_lattice(file_, path);
  }
}

Configuration TrajectoryReader::read(std::uint64_t frame) const {
  if (frame >= frames_)
    throw InputError(fmt::format("{}: frame {} asked for, expected 0 to {}", path_, frame,
                                 static_cast<std::int64_t>(frames_) - 1));
  const Rows rows = even_rows(*comm_, atoms_);
  Configuration c;
  c.box = box_;
  read_moment(frame, c);
  std::vector<double> stored_x, stored_v;
  const auto vectors = [&](const Element& e, double unit, const Vec3& origin, std::vector<double>& values) {
    values = read_element<double>(file_, e, frame, rows, 3);
    std::vector<Vec3> result(rows.count);
    for (std::size_t i = 0; i < result.size(); ++i)
      for (std::size_t d = 0; d < 3; ++d) result[i][d] = unit * values[3 * i + d] + origin[d];
    return result;
  };
  const Element position = element_at(file_, group_ + "/position");
  c.atoms.x = vectors(position, length_unit(file_, path_, position.data), c.box.lo, stored_x);
  const bool finite = std::all_of(c.atoms.x.begin(), c.atoms.x.end(), [](const Vec3& x) {
    return std::isfinite(x[0]) && std::isfinite(x[1]) && std::isfinite(x[2]);
  });
  comm_->throw_together(!finite,
                        fmt::format("{}: frame {}: found a coordinate that is no number", path_, frame));

  const Element edges = element_at(file_, group_ + "/box/edges");
  Vec3 lengths{};
  if (edges.data.empty()) {
    enclose(c);
  } else {
    lengths = read_edges(file_, path_, edges, frame);
    for (int d = 0; d < 3; ++d) c.box.hi[d] = c.box.lo[d] + lengths[d];
  }
  for (Vec3& x : c.atoms.x) x = c.box.wrap(x);

  const Element velocity = element_at(file_, group_ + "/velocity");
  const auto speed =
      velocity.data.empty()
          ? std::nullopt
          : unit_of(
                file_, velocity.data,
                {{"Angstrom ps-1", 1.0}, {"Angstrom/ps", 1.0}, {"nm ps-1", 10.0}, {"Angstrom fs-1", 1e3}});
  const bool moves = speed && velocity.shape.size() == (velocity.fixed ? 2 : 3) && velocity.frames() > frame;
  if (!velocity.data.empty() && !moves && comm_->is_root())
    c.notes.push_back(path_ + ": velocities in other units or frames are passed over: atoms are at rest");
  c.atoms.v = moves ? vectors(velocity, *speed, {0, 0, 0}, stored_v) : std::vector<Vec3>(rows.count);
  read_labels(frame, rows, c);
  if (file_.exists(frame_digests)) {
    const auto digests = file_.read_scalars<std::int64_t>(frame_digests);
    if (!constants_) constants_ = digest_of_constants(*comm_, file_, rows);
    const std::int64_t found =
        digest_of_frame(*comm_, *constants_, c.step, c.time_ps, lengths, stored_x, stored_v, rows);
    if (frame >= digests.size() || digests[frame] != found)
      throw InputError(
          fmt::format("{}: frame {} (counted from 0) is damaged: its digest does not fit", path_, frame));
  }
  return c;
}

void TrajectoryReader::read_moment(std::uint64_t frame, Configuration& c) const {
  const std::string steps = group_ + "/position/step", times = group_ + "/position/time";
  c.step = static_cast<std::int64_t>(frame);
  if (file_.exists(steps) && file_.shape(steps).size() == 1)
    c.step = file_.read_scalars<std::int64_t>(steps)[frame];
  if (!file_.exists(times) || file_.shape(times).size() != 1) return;
  const auto unit = unit_of(file_, times, {{"ps", 1.0}, {"fs", 1e-3}, {"ns", 1e3}});
  c.time_ps = file_.read_scalars<double>(times)[frame] * unit.value_or(1.0);
}

void TrajectoryReader::read_labels(std::uint64_t frame, const Rows& rows, Configuration& c) const {
  const Element id = element_at(file_, group_ + "/id");
  c.ids_known = !id.data.empty() && (id.fixed || id.frames() > frame);
  if (c.ids_known) {
    c.atoms.id = read_element<std::int64_t>(file_, id, frame, rows, 0);
    if (least_of(*comm_, c.atoms.id) == 0) {
      for (std::int64_t& i : c.atoms.id) i += i < std::numeric_limits<std::int64_t>::max() ? 1 : 0;
      if (comm_->is_root()) c.notes.push_back(path_ + ": ids count from 0: each is raised by one");
    }
    const std::string problem = problem_of_ids(*comm_, c.atoms.id);
    comm_->throw_together(!problem.empty(), fmt::format("{}: {}: {}", path_, id.data, problem));
  } else {
    for (std::uint64_t k = 0; k < rows.count; ++k)
      c.atoms.id.push_back(static_cast<std::int64_t>(rows.first + k + 1));
  }
  c.elements = elements_;
  c.masses = masses_;
  const Element species = element_at(file_, group_ + "/species");
  if (elements_.empty() || species.data.empty()) {  // other programs' numbers have no names
    c.atoms.type.assign(rows.count, 0);
    c.elements = {"1"};
    c.masses = {0.0};
    return;
  }
  c.atoms.type = read_element<int>(file_, species, frame, rows, 0);
  const auto types = static_cast<int>(c.elements.size());
  comm_->throw_together(
      std::any_of(c.atoms.type.begin(), c.atoms.type.end(), [&](int t) { return t < 0 || t >= types; }),
      fmt::format("{}: found species outside 0 to {}", path_, types - 1));
}

void TrajectoryReader::enclose(Configuration& c) const {
  for (int d = 0; d < 3; ++d) {
    double lo = 1e300, hi = -1e300;
    for (const Vec3& x : c.atoms.x) {
      lo = std::min(lo, x[d]);
      hi = std::max(hi, x[d]);
    }
    c.box.lo[d] = comm_->min(lo);
    c.box.hi[d] = std::max(comm_->max(hi), c.box.lo[d] + 1.0);
  }
}

}  // namespace wafermark::tungsten
