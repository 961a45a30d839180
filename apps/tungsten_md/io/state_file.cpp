#include "tungsten_md/io/state_file.hpp"

#include <fstream>
#include <utility>

#include "tungsten_md/io/atom_dealer.hpp"
#include "tungsten_md/io/checkpoint.hpp"
#include "tungsten_md/io/lammps_dump.hpp"
#include "tungsten_md/io/trajectory.hpp"

namespace wafermark::tungsten {

namespace {

class TrajectoryFile final : public StateFile {
 public:
  TrajectoryFile(const Communicator& comm, const std::string& path) : reader_(comm, path) {}
  std::optional<Configuration> next() override {
    if (frame_ == reader_.frames()) return std::nullopt;
    return reader_.read(frame_++);
  }
  bool skip() override {
    if (frame_ == reader_.frames()) return false;
    ++frame_;
    return true;
  }
  std::optional<Lattice> lattice() const override { return reader_.lattice(); }

 private:
  TrajectoryReader reader_;
  std::uint64_t frame_ = 0;
};

class DumpFile final : public StateFile {
 public:
  DumpFile(const Communicator& comm, const std::string& path, const DataFileDefaults& defaults)
      : reader_(comm, path, defaults.elements) {}
  std::optional<Configuration> next() override {
    auto frame = reader_.next();
    if (!frame) return std::nullopt;
    return std::move(frame->configuration);
  }

 private:
  LammpsDumpReader reader_;
};

/// A file of one state.
class SingleState final : public StateFile {
 public:
  SingleState(Configuration state, std::optional<Lattice> lattice)
      : state_(std::move(state)), lattice_(std::move(lattice)) {}
  std::optional<Configuration> next() override { return std::exchange(state_, std::nullopt); }
  std::optional<Lattice> lattice() const override { return lattice_; }

 private:
  std::optional<Configuration> state_;
  std::optional<Lattice> lattice_;
};

/// "hdf5", "dump" or "data"; the readers say what is wrong with a file that is none of these.
std::string format_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::string start(8, '\0');
  file.read(start.data(), static_cast<std::streamsize>(start.size()));
  if (start == "\x89HDF\r\n\x1a\n") return "hdf5";
  return start.starts_with("ITEM:") ? "dump" : "data";
}

}  // namespace

std::unique_ptr<StateFile> StateFile::open(const Communicator& comm, const std::string& path,
                                           const DataFileDefaults& defaults) {
  const std::string format = ask_root(comm, [&] { return format_of(path); });
  if (format == "dump") return std::make_unique<DumpFile>(comm, path, defaults);
  if (format == "data")
    return std::make_unique<SingleState>(read_lammps_data(comm, path, defaults), std::nullopt);
  if (Hdf5File::open(comm, path).exists("/h5md")) return std::make_unique<TrajectoryFile>(comm, path);
  Checkpoint checkpoint = read_checkpoint(comm, path);
  return std::make_unique<SingleState>(std::move(checkpoint.configuration), checkpoint.lattice);
}

}  // namespace wafermark::tungsten
