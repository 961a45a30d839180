#include "tungsten_md/io/trajectory.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <sstream>
#include <stdexcept>

#include "common/digest.hpp"
#include "common/errors.hpp"
#include "tungsten_md/io/id_order.hpp"

namespace wafermark::tungsten {

namespace {

const std::string all = "/particles/all";
const std::string position = all + "/position", velocity = all + "/velocity", edges = all + "/box/edges";
const std::string steps = position + "/step", times = position + "/time";
const std::string parameters = "/parameters", frame_digests = parameters + "/frame_digest";

/// Rank r's part of n rows: equal parts, the first ranks one more.
Rows even_rows(const Communicator& comm, std::uint64_t n) {
  const auto ranks = static_cast<std::uint64_t>(comm.size()), rank = static_cast<std::uint64_t>(comm.rank());
  const std::uint64_t first = n / ranks * rank + std::min(rank, n % ranks);
  return {n, first, n / ranks + (rank < n % ranks ? 1 : 0)};
}

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

/// Box lengths: the diagonal of our matrices, or the vectors that other programs write for a cuboid.
Vec3 read_edges(const Hdf5File& file, const std::string& path, std::uint64_t frame) {
  const bool matrix = file.shape(edges + "/value").size() == 3;
  const std::vector<double> e = file.read_frame<double>(edges + "/value", frame, {3, 0, 3}, matrix ? 3 : 0);
  if (!matrix) return {e[0], e[1], e[2]};
  for (int k = 0; k < 9; ++k)
    if (k % 4 != 0 && e[k] != 0.0)
      throw InputError(fmt::format("{}: found a triclinic box, expected an orthogonal one", path));
  return {e[0], e[4], e[8]};
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

template <class T, std::size_t N>
std::array<T, N> array_of(const std::vector<T>& values, const std::string& path, const char* what) {
  if (values.size() != N)
    throw InputError(fmt::format("{}: {}: found {} values, expected {}", path, what, values.size(), N));
  std::array<T, N> a;
  std::copy(values.begin(), values.end(), a.begin());
  return a;
}

std::optional<Lattice> read_lattice(const Hdf5File& file, const std::string& path) {
  const std::string kind = file.text_attribute(parameters, "lattice");
  if (kind.empty()) return std::nullopt;
  return Lattice{
      lattice_kind(kind, path), file.attribute<double>(parameters, "lattice_constant_angstrom"),
      array_of<int, 3>(file.attribute_list<int>(parameters, "lattice_cells"), path, "lattice_cells"),
      array_of<double, 3>(file.attribute_list<double>(parameters, "lattice_origin_angstrom"), path,
                          "lattice_origin_angstrom")};
}

/// Of what all frames share: atoms and parameters.
std::uint64_t digest_of_constants(const Communicator& comm, const Hdf5File& file, const Rows& rows) {
  Digest digest;
  digest.add(digest_of_rows(comm, file.read<std::int64_t>(all + "/id", rows), rows.first, 1))
      .add(digest_of_rows(comm, file.read<int>(all + "/species", rows), rows.first, 1))
      .add(file.attribute_list<double>(parameters, "masses_amu"))
      .add(file.attribute_list<double>(parameters, "box_origin_angstrom"));
  for (const auto& text : file.text_list_attribute(parameters, "elements"))
    digest.add(std::string_view(text));
  for (const auto& text : file.text_list_attribute(all + "/box", "boundary"))
    digest.add(std::string_view(text));
  const std::string lattice = file.text_attribute(parameters, "lattice");
  digest.add(std::string_view(lattice));
  if (!lattice.empty())
    digest.add(file.attribute<double>(parameters, "lattice_constant_angstrom"))
        .add(file.attribute_list<int>(parameters, "lattice_cells"))
        .add(file.attribute_list<double>(parameters, "lattice_origin_angstrom"));
  return digest.value();
}

/// Of one frame; `x` and `v` as they are stored, `v` empty where there are none. HDF5's own checksums are not
/// used: their collective form gathers every chunk's description on every rank.
std::int64_t digest_of_frame(const Communicator& comm, std::uint64_t constants, std::int64_t step,
                             double time_ps, const Vec3& lengths, const std::vector<double>& x,
                             const std::vector<double>& v, const Rows& rows) {
  Digest digest;
  digest.add(constants).add(step).add(time_ps);
  for (const double length : lengths) digest.add(length);
  digest.add(digest_of_rows(comm, x, rows.first, 3)).add(digest_of_rows(comm, v, rows.first, 3));
  return static_cast<std::int64_t>(digest.value());
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
    file.set_attribute("/h5md/author", "name", options.author);
    file.set_attribute("/h5md/creator", "name", "Wafermark tungsten_md");
    file.set_attribute("/h5md/creator", "version", "1");
    file.set_attribute("/h5md/modules/units", "version", std::vector<int>{1, 0});

    file.make_group(all + "/box");
    file.set_attribute(all + "/box", "dimension", 3);
    std::vector<std::string> boundary;
    for (bool periodic : start.box.periodic) boundary.push_back(periodic ? "periodic" : "none");
    file.set_attribute(all + "/box", "boundary", boundary);
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
    file_.set_attribute(position + "/value", "unit", "Angstrom");
    if (velocities_) file_.set_attribute(velocity + "/value", "unit", "Angstrom ps-1");
    file_.set_attribute(edges + "/value", "unit", "Angstrom");
    file_.set_attribute(times, "unit", "ps");
  }
  file_.flush();
  ++frames_;
}

TrajectoryReader::TrajectoryReader(const Communicator& comm, const std::string& path)
    : comm_(&comm), file_(Hdf5File::open(comm, path)), path_(path) {
  if (!file_.exists("/h5md") || !file_.exists(all + "/box"))
    throw InputError(fmt::format("{}: found no /h5md and /particles/all, expected an H5MD trajectory", path));
  for (int d = 0; const auto& kind : array_of<std::string, 3>(
                      file_.text_list_attribute(all + "/box", "boundary"), path, "boundary"))
    box_.periodic[d++] = kind == "periodic";
  if (file_.exists(position + "/value")) {
    const auto shape = file_.shape(position + "/value");
    if (shape.size() != 3 || shape[2] != 3)
      throw InputError(fmt::format("{}: found positions of another shape, expected [frame][atom][3]", path));
    atoms_ = shape[1];
  }
  if (file_.exists(parameters)) {
    elements_ = file_.text_list_attribute(parameters, "elements");
    masses_ = file_.attribute_list<double>(parameters, "masses_amu");
    box_.lo = array_of<double, 3>(file_.attribute_list<double>(parameters, "box_origin_angstrom"), path,
                                  "box origin");
    lattice_ = read_lattice(file_, path);
  }
  frames_ = complete_frames(file_, series_of(file_, {}));
}

Configuration TrajectoryReader::read(std::uint64_t frame) const {
  if (frame >= frames_)
    throw InputError(fmt::format("{}: frame {} asked for, expected 0 to {}", path_, frame,
                                 static_cast<std::int64_t>(frames_) - 1));
  const Rows rows = even_rows(*comm_, atoms_);
  Configuration c;
  c.box = box_;
  const Vec3 lengths = read_edges(file_, path_, frame);
  for (int d = 0; d < 3; ++d) c.box.hi[d] = c.box.lo[d] + lengths[d];
  c.step = file_.read_scalars<std::int64_t>(steps)[frame];
  c.time_ps = file_.read_scalars<double>(times)[frame];

  std::vector<double> stored_x, stored_v;
  const auto vectors = [&](const std::string& element, const Vec3& origin, std::vector<double>& values) {
    values = file_.read_frame<double>(element + "/value", frame, rows, 3);
    std::vector<Vec3> result(rows.count);
    for (std::size_t i = 0; i < result.size(); ++i)
      for (int d = 0; d < 3; ++d) result[i][d] = values[3 * i + d] + origin[d];
    return result;
  };
  c.atoms.x = vectors(position, c.box.lo, stored_x);
  for (Vec3& x : c.atoms.x) x = c.box.wrap(x);
  c.atoms.v = file_.exists(velocity + "/value") ? vectors(velocity, {0, 0, 0}, stored_v)
                                                : std::vector<Vec3>(rows.count);
  if (file_.exists(frame_digests)) {
    const auto digests = file_.read_scalars<std::int64_t>(frame_digests);
    const std::int64_t found = digest_of_frame(*comm_, digest_of_constants(*comm_, file_, rows), c.step,
                                               c.time_ps, lengths, stored_x, stored_v, rows);
    if (frame >= digests.size() || digests[frame] != found)
      throw InputError(
          fmt::format("{}: frame {} (counted from 0) is damaged: its digest does not fit", path_, frame));
  }
  if (file_.exists(all + "/id"))
    c.atoms.id = file_.read<std::int64_t>(all + "/id", rows);
  else
    for (std::uint64_t k = 0; k < rows.count; ++k)
      c.atoms.id.push_back(static_cast<std::int64_t>(rows.first + k + 1));
  c.atoms.type =
      file_.exists(parameters) ? file_.read<int>(all + "/species", rows) : std::vector<int>(rows.count, 0);
  c.elements = elements_.empty() ? std::vector<std::string>{"1"} : elements_;
  c.masses = masses_.empty() ? std::vector<double>{0.0} : masses_;
  const auto types = static_cast<int>(c.elements.size());
  comm_->throw_together(
      std::any_of(c.atoms.type.begin(), c.atoms.type.end(), [&](int t) { return t < 0 || t >= types; }),
      fmt::format("{}: found species outside 0 to {}", path_, types - 1));
  return c;
}

}  // namespace wafermark::tungsten
