#include "tungsten_md/io/trajectory_recovery.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <optional>

#include "common/durable_file.hpp"
#include "common/errors.hpp"
#include "tungsten_md/io/trajectory.hpp"
#include "tungsten_md/io/trajectory_layout.hpp"

namespace wafermark::tungsten {
namespace {

using namespace layout;

/// What a damaged file holds, read frame by frame.
class Remains {
 public:
  Remains(const Communicator& comm, const std::string& path)
      : comm_(comm),
        file_(Hdf5File::open(comm, path)),
        rows_(even_rows(comm, file_.shape(all + "/id").at(0))),
        constants_(digest_of_constants(comm, file_, rows_)) {
    if (!file_.exists(steps)) return;
    observables_ = observables_of(file_);
    frames_ = complete_frames(file_, series_of(file_, observables_));
    steps_ = file_.read_scalars<std::int64_t>(steps);
    times_ = file_.read_scalars<double>(times);
    if (file_.exists(frame_digests)) digests_ = file_.read_scalars<std::int64_t>(frame_digests);
  }

  std::uint64_t frames() const { return frames_; }
  std::int64_t step(std::uint64_t frame) const { return steps_.at(frame); }

  /// None when it does not read well.
  std::optional<StoredFrame> frame(std::uint64_t k) const try {
    StoredFrame f;
    f.step = steps_.at(k);
    f.time_ps = times_.at(k);
    f.rows = rows_;
    f.x = file_.read_frame<double>(position + "/value", k, rows_, 3);
    if (file_.exists(velocity + "/value")) f.v = file_.read_frame<double>(velocity + "/value", k, rows_, 3);
    const auto edge_vectors = file_.read_frame<double>(edges + "/value", k, {3, 0, 3}, 3);
    f.lengths = {edge_vectors[0], edge_vectors[4], edge_vectors[8]};
    for (const auto& name : observables_)
      f.observables[name] = file_.read_scalars<double>("/observables/" + name + "/value").at(k);
    const bool whole = !digests_ || digests_->at(k) == digest_of_frame(comm_, constants_, f.step, f.time_ps,
                                                                       f.lengths, f.x, f.v, rows_);
    if (!whole) return std::nullopt;
    return f;
  } catch (const InputError&) {  // on all ranks
    return std::nullopt;
  }

  /// What the new file is made with: the atoms, at no place in particular, and the settings.
  Configuration atoms() const {
    Configuration c;
    c.atoms.id = file_.read<std::int64_t>(all + "/id", rows_);
    c.atoms.type = file_.read<int>(all + "/species", rows_);
    c.atoms.x.resize(c.atoms.id.size());
    c.atoms.v.resize(c.atoms.id.size());
    c.elements = file_.text_list_attribute(parameters, "elements");
    c.masses = file_.attribute_list<double>(parameters, "masses_amu");
    const auto origin = file_.attribute_list<double>(parameters, "box_origin_angstrom");
    const auto boundary = file_.text_list_attribute(all + "/box", "boundary");
    for (std::size_t d = 0; d < 3; ++d) {
      c.box.lo[d] = origin.at(d);
      c.box.periodic[d] = boundary.at(d) == "periodic";
    }
    return c;
  }
  TrajectoryOptions options(const std::optional<Lattice>& lattice) const {
    return {.velocities = file_.attribute<int>(parameters, "velocities") != 0,
            .single_precision = file_.attribute<int>(parameters, "single_precision") != 0,
            .lattice = lattice,
            .author = file_.text_attribute("/h5md/author", "name")};
  }

 private:
  const Communicator& comm_;
  Hdf5File file_;
  Rows rows_;
  std::uint64_t constants_ = 0, frames_ = 0;
  std::vector<std::string> observables_;
  std::vector<std::int64_t> steps_;
  std::vector<double> times_;
  std::optional<std::vector<std::int64_t>> digests_;
};

/// On rank 0; on all ranks the same failure.
template <class Work>
void on_root_alone(const Communicator& comm, const Work& work) {
  std::string problem;
  if (comm.is_root()) try {
      work();
    } catch (const std::exception& e) {
      problem = message_of(e);
    }
  comm.fail_together(!problem.empty(), problem);
}

/// A file that is removed again unless it was put in its place.
class Draft {
 public:
  Draft(const Communicator& comm, std::string path) : comm_(comm), path_(std::move(path)) {}
  ~Draft() {
    std::error_code none;
    if (comm_.is_root()) std::filesystem::remove(path_, none);
  }
  Draft(const Draft&) = delete;
  const std::string& path() const { return path_; }

 private:
  const Communicator& comm_;
  std::string path_;
};

}  // namespace

bool is_closed_well(const Communicator& comm, const std::string& path, std::int64_t step) {
  std::uint64_t frames = 0;
  {
    const Hdf5File file = Hdf5File::open(comm, path);
    if (!file.has_attribute(parameters, being_written) || file.attribute<int>(parameters, being_written) != 0)
      return false;
    if (!file.exists(steps)) return true;
    const auto found = file.read_scalars<std::int64_t>(steps);
    const std::uint64_t complete = complete_frames(file, series_of(file, observables_of(file)));
    while (frames < complete && found[frames] <= step) ++frames;
  }
  if (frames == 0) return true;
  const TrajectoryReader reader(comm, path);
  try {
    reader.read(frames - 1);
    return true;
  } catch (const InputError&) {  // on all ranks
    return false;
  }
}

std::string set_aside(const Communicator& comm, const std::string& path) {
  const std::filesystem::path p(path);
  std::string name;
  on_root_alone(comm, [&] {
    for (int n = 1; name.empty() || std::filesystem::exists(name); ++n)
      name = (p.parent_path() / (p.stem().string() + ".damaged" + (n > 1 ? fmt::format("-{}", n) : "") +
                                 p.extension().string()))
                 .string();
    std::error_code none;
    std::filesystem::create_hard_link(path, name, none);  // at no moment is there no file of the name
    if (none) rename_durably(path, name);
  });
  comm.broadcast(name);
  return name;
}

void rewrite_trajectory(const Communicator& comm, const std::string& path, std::int64_t step,
                        std::uint64_t expected) {
  const Remains old(comm, path);
  const Draft copy(comm, path + ".tmp");
  TrajectoryWriter writer = TrajectoryWriter::create(comm, copy.path(), old.atoms(),
                                                     old.options(TrajectoryReader(comm, path).lattice()));
  std::uint64_t seen = 0;
  for (std::uint64_t k = 0; k < old.frames(); ++k) {
    if (old.step(k) > step) continue;
    ++seen;
    if (const auto frame = old.frame(k)) writer.append_stored(*frame);
  }
  writer.close();
  if (writer.frames() < std::max(seen, expected)) {
    const std::string aside = set_aside(comm, path);
    if (comm.is_root())
      fmt::print(stderr, "note: {}: {} of its {} frames up to step {} can be read; as it was it is {}\n",
                 path, writer.frames(), std::max(seen, expected), step, aside);
  }
  on_root_alone(comm, [&] { put_in_place(copy.path(), path); });
}

}  // namespace wafermark::tungsten
