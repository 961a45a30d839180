#include "tungsten_md/io/trajectory.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <sstream>
#include <stdexcept>

#include "common/errors.hpp"
#include "tungsten_md/io/frame_digest.hpp"
#include "tungsten_md/io/id_order.hpp"

namespace wafermark::tungsten {

namespace {

const std::string all = "/particles/all";
const std::string position = all + "/position", velocity = all + "/velocity", edges = all + "/box/edges";
const std::string steps = position + "/step", times = position + "/time";
const std::string parameters = "/parameters";

/// A value that is the same on all ranks, as rows that rank 0 writes.
Rows on_root(const Communicator& comm, std::uint64_t n) { return {n, 0, comm.is_root() ? n : 0}; }

template <class T>
std::vector<T> flat(const std::vector<Vec3>& vectors, const Vec3& origin) {
  std::vector<T> values;
  values.reserve(3 * vectors.size());
  for (const Vec3& v : vectors)
    for (int d = 0; d < 3; ++d) values.push_back(static_cast<T>(v[d] - origin[d]));
  return values;
}

std::vector<std::string> split(const std::string& comma_separated) {
  std::vector<std::string> names;
  std::istringstream stream(comma_separated);
  for (std::string name; std::getline(stream, name, ',');) names.push_back(name);
  return names;
}

/// Time-dependent elements of the file, all with one entry per frame.
std::vector<std::string> series_of(const Hdf5File& file, const std::vector<std::string>& observables) {
  std::vector<std::string> series{position + "/value", edges + "/value", steps, times};
  if (file.exists(velocity + "/value")) series.push_back(velocity + "/value");
  if (file.exists(frame_digests)) series.push_back(frame_digests);
  for (const auto& name : observables) series.push_back("/observables/" + name + "/value");
  return series;
}

/// Frames of which every part is there.
std::uint64_t complete_frames(const Hdf5File& file, const std::vector<std::string>& series) {
  if (!file.exists(steps)) return 0;
  std::uint64_t n = ~std::uint64_t{0};
  for (const auto& path : series) {
    const auto shape = file.exists(path) ? file.shape(path) : std::vector<std::uint64_t>{0};
    n = std::min(n, shape.empty() ? 0 : shape[0]);
  }
  return n;
}

void write_lattice(Hdf5File& file, const Lattice& lattice) {
  file.set_attribute(parameters, "lattice", std::string(name_of(lattice.kind)));
  file.set_attribute(parameters, "lattice_constant_angstrom", lattice.a);
  file.set_attribute(parameters, "lattice_cells",
                     std::vector<int>(lattice.cells.begin(), lattice.cells.end()));
  file.set_attribute(parameters, "lattice_origin_angstrom",
                     std::vector<double>(lattice.origin.begin(), lattice.origin.end()));
}

/// Read before the file is opened to be written: what one rank alone reads of a file that all write leaves the
/// library's caches different, and its next collective waits for ever.
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
                                          std::int64_t step) {
  const auto constants = constants_of(comm, path);
  TrajectoryWriter writer(comm, Hdf5File::open_to_append(comm, path), path);
  writer.constants_ = constants;
  Hdf5File& file = writer.file_;
  writer.atoms_ = static_cast<std::int64_t>(file.shape(all + "/id").at(0));
  writer.velocities_ = file.attribute<int>(parameters, "velocities") != 0;
  writer.single_precision_ = file.attribute<int>(parameters, "single_precision") != 0;
  if (file.exists(steps)) {
    writer.observables_ = split(file.text_attribute(parameters, "observables"));
    const std::vector<std::int64_t> found = file.read_scalars<std::int64_t>(steps);
    const std::uint64_t complete = complete_frames(file, series_of(file, writer.observables_));
    while (writer.frames_ < complete && found[writer.frames_] <= step) ++writer.frames_;
  }
  // Files of older versions have none.
  writer.digests_ = writer.frames_ == 0 || file.exists(frame_digests);
  if (writer.frames_ > 0)
    TrajectoryReader(comm, path).read(writer.frames_ - 1);  // it is whole, or this throws
  for (const auto& series : series_of(file, writer.observables_))
    if (file.exists(series)) file.truncate_frames(series, writer.frames_);
  file.flush();
  return writer;
}

std::vector<double> TrajectoryWriter::append_vectors(const std::string& element,
                                                     const std::vector<Vec3>& values, const Vec3& origin,
                                                     const Rows& rows) {
  if (!single_precision_) {
    std::vector<double> stored = flat<double>(values, origin);
    file_.append_frame(element + "/value", stored, rows, 3);
    return stored;
  }
  const std::vector<float> stored = flat<float>(values, origin);
  file_.append_frame(element + "/value", stored, rows, 3);
  return {stored.begin(), stored.end()};
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

  const bool first = !file_.exists(steps);
  std::vector<std::string> names;
  for (const auto& [name, value] : observables) names.push_back(name);
  if (first) {
    observables_ = names;
    file_.set_attribute(parameters, "observables", fmt::format("{}", fmt::join(names, ",")));
  } else if (names != observables_) {
    throw std::runtime_error(fmt::format("{}: a frame with other observables than the first", path_));
  }

  const std::vector<double> x = append_vectors(position, ordered.atoms.x, configuration.box.lo, rows);
  std::vector<double> v;
  if (velocities_) v = append_vectors(velocity, ordered.atoms.v, {0, 0, 0}, rows);
  const Box& box = configuration.box;
  file_.append_frame(edges + "/value",
                     std::vector<double>{box.length(0), 0, 0, 0, box.length(1), 0, 0, 0, box.length(2)},
                     on_root(*comm_, 3), 3);
  for (const auto& [name, value] : observables) file_.append_scalar("/observables/" + name + "/value", value);
  if (digests_) {
    file_.append_scalar(frame_digests,
                        digest_of_frame(*comm_, *constants_, configuration.step, configuration.time_ps,
                                        {box.length(0), box.length(1), box.length(2)}, x, v, rows));
  }
  file_.append_scalar(times, configuration.time_ps);
  file_.append_scalar(steps, configuration.step);  // last: it makes the frame complete

  if (first) {
    std::vector<std::string> sharing{edges};
    if (velocities_) sharing.push_back(velocity);
    for (const auto& name : names) sharing.push_back("/observables/" + name);
    for (const auto& element : sharing) {
      file_.link(steps, element + "/step");
      file_.link(times, element + "/time");
    }
    file_.set_attribute(position + "/value", "unit", "Angstrom", TextLayout::variable);
    if (velocities_) file_.set_attribute(velocity + "/value", "unit", "Angstrom ps-1", TextLayout::variable);
    file_.set_attribute(edges + "/value", "unit", "Angstrom", TextLayout::variable);
    file_.set_attribute(times, "unit", "ps", TextLayout::variable);
  }
  file_.flush();
  ++frames_;
}

}  // namespace wafermark::tungsten
