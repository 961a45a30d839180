#include "tungsten_md/io/trajectory.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <sstream>
#include <stdexcept>

#include "common/errors.hpp"
#include "tungsten_md/io/frame_digest.hpp"
#include "tungsten_md/io/id_order.hpp"
#include "tungsten_md/io/trajectory_layout.hpp"
#include "tungsten_md/io/trajectory_recovery.hpp"

namespace wafermark::tungsten {

namespace layout {

std::vector<std::string> series_of(const Hdf5File& file, const std::vector<std::string>& observables) {
  std::vector<std::string> series{position + "/value", edges + "/value", steps, times};
  if (file.exists(velocity + "/value")) series.push_back(velocity + "/value");
  if (file.exists(frame_digests)) series.push_back(frame_digests);
  for (const auto& name : observables) series.push_back("/observables/" + name + "/value");
  return series;
}

std::uint64_t complete_frames(const Hdf5File& file, const std::vector<std::string>& series) {
  if (!file.exists(steps)) return 0;
  std::uint64_t n = ~std::uint64_t{0};
  for (const auto& path : series) {
    const auto shape = file.exists(path) ? file.shape(path) : std::vector<std::uint64_t>{0};
    n = std::min(n, shape.empty() ? 0 : shape[0]);
  }
  return n;
}

std::vector<std::string> observables_of(const Hdf5File& file) {
  std::vector<std::string> names;
  std::istringstream stream(file.text_attribute(parameters, "observables"));
  for (std::string name; std::getline(stream, name, ',');) names.push_back(name);
  return names;
}

}  // namespace layout

namespace {

using namespace layout;

/// A value that is the same on all ranks, as rows that rank 0 writes.
Rows on_root(const Communicator& comm, std::uint64_t n) { return {n, 0, comm.is_root() ? n : 0}; }

void write_lattice(Hdf5File& file, const Lattice& lattice) {
  file.set_attribute(parameters, "lattice", std::string(name_of(lattice.kind)));
  file.set_attribute(parameters, "lattice_constant_angstrom", lattice.a);
  file.set_attribute(parameters, "lattice_cells",
                     std::vector<int>(lattice.cells.begin(), lattice.cells.end()));
  file.set_attribute(parameters, "lattice_origin_angstrom",
                     std::vector<double>(lattice.origin.begin(), lattice.origin.end()));
}

/// Read before the file is opened to be written: what one rank alone reads of a file that all write leaves
/// the library's caches different, and its next collective waits for ever.
std::uint64_t constants_of(const Communicator& comm, const std::string& path) {
  const Hdf5File file = Hdf5File::open(comm, path);
  return digest_of_constants(comm, file, even_rows(comm, file.shape(all + "/id").at(0)));
}

}  // namespace

TrajectoryWriter::TrajectoryWriter(const Communicator& comm, Hdf5File file, std::string path)
    : comm_(&comm), file_(std::move(file)), path_(std::move(path)) {}

TrajectoryWriter TrajectoryWriter::create(const Communicator& comm, const std::string& path,
                                          const Configuration& start, const TrajectoryOptions& options) {
  const OrderedAtoms ordered = order_by_id(comm, start.atoms);
  {
    Hdf5File file = Hdf5File::create(comm, path);
    file.make_group("/h5md/author");
    file.make_group("/h5md/creator");
    file.make_group("/h5md/modules/units");
    file.set_attribute("/h5md", "version", std::vector<int>{1, 1});
    file.set_attribute("/h5md/author", "name", options.author, TextLayout::variable);
    file.set_attribute("/h5md/creator", "name", "Wafermark tungsten_md", TextLayout::variable);
    file.set_attribute("/h5md/creator", "version", "1", TextLayout::variable);
    file.set_attribute("/h5md/modules/units", "version", std::vector<int>{1, 0});

    file.make_group(all + "/box");
    file.set_attribute(all + "/box", "dimension", 3);
    std::vector<std::string> boundary;
    for (bool periodic : start.box.periodic) boundary.push_back(periodic ? "periodic" : "none");
    file.set_attribute(all + "/box", "boundary", boundary, TextLayout::variable);
    const auto n = static_cast<std::uint64_t>(ordered.atoms.size());
    const Rows rows{static_cast<std::uint64_t>(ordered.total), static_cast<std::uint64_t>(ordered.first_row),
                    n};
    file.write(all + "/id", ordered.atoms.id, rows);
    file.write(all + "/species", ordered.atoms.type, rows);

    file.make_group("/observables");
    file.make_group(parameters);
    file.set_attribute(parameters, "elements", start.elements);
    file.set_attribute(parameters, "masses_amu", start.masses);
    file.set_attribute(parameters, "box_origin_angstrom",
                       std::vector<double>(start.box.lo.begin(), start.box.lo.end()));
    file.set_attribute(parameters, "velocities", static_cast<int>(options.velocities));
    file.set_attribute(parameters, "single_precision", static_cast<int>(options.single_precision));
    file.set_attribute(parameters, being_written, 1);
    file.set_attribute(parameters, "lattice", "");
    if (options.lattice) write_lattice(file, *options.lattice);
    file.commit();
  }
  const auto constants = constants_of(comm, path);
  TrajectoryWriter writer(comm, Hdf5File::open_to_append(comm, path), path);
  writer.constants_ = constants;
  writer.atoms_ = ordered.total;
  writer.velocities_ = options.velocities;
  writer.single_precision_ = options.single_precision;
  return writer;
}

TrajectoryWriter TrajectoryWriter::resume(const Communicator& comm, const std::string& path,
                                          std::int64_t step, std::uint64_t expected) {
  if (!is_closed_well(comm, path, step)) rewrite_trajectory(comm, path, step, expected);
  const auto constants = constants_of(comm, path);
  TrajectoryWriter writer(comm, Hdf5File::open_to_append(comm, path), path);
  writer.constants_ = constants;
  Hdf5File& file = writer.file_;
  file.set_attribute(parameters, being_written, 1);
  writer.atoms_ = static_cast<std::int64_t>(file.shape(all + "/id").at(0));
  writer.velocities_ = file.attribute<int>(parameters, "velocities") != 0;
  writer.single_precision_ = file.attribute<int>(parameters, "single_precision") != 0;
  if (file.exists(steps)) {
    writer.observables_ = observables_of(file);
    const std::vector<std::int64_t> found = file.read_scalars<std::int64_t>(steps);
    const std::uint64_t complete = complete_frames(file, series_of(file, writer.observables_));
    while (writer.frames_ < complete && found[writer.frames_] <= step) ++writer.frames_;
  }
  for (const auto& series : series_of(file, writer.observables_))
    if (file.exists(series)) file.truncate_frames(series, writer.frames_);
  file.flush();
  return writer;
}

void TrajectoryWriter::close() {
  file_.flush();
  file_.set_attribute(parameters, being_written, 0);  // once all else is in the file
  file_.close();
}

std::vector<double> TrajectoryWriter::stored(const std::vector<Vec3>& values, const Vec3& origin) const {
  std::vector<double> numbers;
  numbers.reserve(3 * values.size());
  for (const Vec3& v : values)
    for (int d = 0; d < 3; ++d) {
      const double x = v[d] - origin[d];
      numbers.push_back(single_precision_ ? static_cast<double>(static_cast<float>(x)) : x);
    }
  return numbers;
}

void TrajectoryWriter::append_vectors(const std::string& element, const std::vector<double>& values,
                                      const Rows& rows) {
  if (single_precision_)
    file_.append_frame(element + "/value", std::vector<float>(values.begin(), values.end()), rows, 3);
  else
    file_.append_frame(element + "/value", values, rows, 3);
}

void TrajectoryWriter::append(const Configuration& configuration,
                              const std::map<std::string, double>& observables) {
  const OrderedAtoms ordered = order_by_id(*comm_, configuration.atoms);
  const Rows rows{static_cast<std::uint64_t>(ordered.total), static_cast<std::uint64_t>(ordered.first_row),
                  static_cast<std::uint64_t>(ordered.atoms.size())};
  if (ordered.total != atoms_)
    throw std::runtime_error(
        fmt::format("{}: a frame of {} atoms after frames of {}", path_, ordered.total, atoms_));
  if (!ids_) ids_ = file_.read<std::int64_t>(all + "/id", rows);
  if (comm_->max(static_cast<int>(*ids_ != ordered.atoms.id)) != 0)
    throw std::runtime_error(fmt::format("{}: a frame with other atom ids than the first", path_));
  const Box& box = configuration.box;
  append_stored({.step = configuration.step,
                 .time_ps = configuration.time_ps,
                 .rows = rows,
                 .x = stored(ordered.atoms.x, box.lo),
                 .v = velocities_ ? stored(ordered.atoms.v, {0, 0, 0}) : std::vector<double>{},
                 .lengths = {box.length(0), box.length(1), box.length(2)},
                 .observables = observables});
}

void TrajectoryWriter::append_stored(const StoredFrame& frame) {
  const bool first = !file_.exists(steps);
  std::vector<std::string> names;
  for (const auto& [name, value] : frame.observables) names.push_back(name);
  if (first) {
    observables_ = names;
    file_.set_attribute(parameters, "observables", fmt::format("{}", fmt::join(names, ",")));
  } else if (names != observables_) {
    throw std::runtime_error(fmt::format("{}: a frame with other observables than the first", path_));
  }

  append_vectors(position, frame.x, frame.rows);
  if (velocities_) append_vectors(velocity, frame.v, frame.rows);
  const Vec3& l = frame.lengths;
  file_.append_frame(edges + "/value", std::vector<double>{l[0], 0, 0, 0, l[1], 0, 0, 0, l[2]},
                     on_root(*comm_, 3), 3);
  for (const auto& [name, value] : frame.observables)
    file_.append_scalar("/observables/" + name + "/value", value);
  file_.append_scalar(frame_digests, digest_of_frame(*comm_, *constants_, frame.step, frame.time_ps, l,
                                                     frame.x, frame.v, frame.rows));
  file_.append_scalar(times, frame.time_ps);
  file_.append_scalar(steps, frame.step);  // last: it makes the frame complete
  if (first) share_moments();
  file_.flush();
  ++frames_;
}

void TrajectoryWriter::share_moments() {
  std::vector<std::string> sharing{edges};
  if (velocities_) sharing.push_back(velocity);
  for (const auto& name : observables_) sharing.push_back("/observables/" + name);
  for (const auto& element : sharing) {
    file_.link(steps, element + "/step");
    file_.link(times, element + "/time");
  }
  file_.set_attribute(position + "/value", "unit", "Angstrom", TextLayout::variable);
  if (velocities_) file_.set_attribute(velocity + "/value", "unit", "Angstrom ps-1", TextLayout::variable);
  file_.set_attribute(edges + "/value", "unit", "Angstrom", TextLayout::variable);
  file_.set_attribute(times, "unit", "ps", TextLayout::variable);
}

}  // namespace wafermark::tungsten
