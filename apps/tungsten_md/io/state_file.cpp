#include "tungsten_md/io/state_file.hpp"

#include <fmt/format.h>

#include <fstream>
#include <utility>

#include "common/errors.hpp"
#include "common/text_input.hpp"
#include "tungsten_md/io/atom_dealer.hpp"
#include "tungsten_md/io/checkpoint.hpp"
#include "tungsten_md/io/extended_xyz.hpp"
#include "tungsten_md/io/lammps_dump.hpp"
#include "tungsten_md/io/trajectory.hpp"

namespace wafermark::tungsten {

namespace {

class TrajectoryFile final : public StateFile {
 public:
  TrajectoryFile(const Communicator& comm, const std::string& path, const DataFileDefaults& defaults)
      : reader_(comm, path, defaults.particles) {
    if (defaults.elements.size() > 1 && !reader_.names_elements())
      throw InputError(path +
                       ": found no names of elements, expected a file that has them for several elements");
  }
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

class XyzFile final : public StateFile {
 public:
  XyzFile(const Communicator& comm, const std::string& path, const DataFileDefaults& defaults)
      : reader_(comm, path, defaults.elements) {}
  std::optional<Configuration> next() override { return reader_.next(); }

 private:
  ExtendedXyzReader reader_;
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

/// "hdf5", "dump", "xyz" or "data"; the readers say what is wrong with a file that is none of these.
std::string format_of(const std::string& path) {
  if (std::ifstream file(path, std::ios::binary); file) {
    std::string start(8, '\0');
    file.read(start.data(), static_cast<std::streamsize>(start.size()));
    if (start == "\x89HDF\r\n\x1a\n") return "hdf5";
  }
  const auto text = open_text(path, "atoms: LAMMPS data or dump, extended XYZ, H5MD, or a checkpoint");
  std::string first, second;
  while (std::getline(*text, first) && first.find_first_not_of(" \t\r") == std::string::npos) {
  }
  std::getline(*text, second);
  if (first.starts_with("ITEM:")) return "dump";
  for (const auto& [start, kind] : {std::pair{"---", "a YAML file (dump yaml)"},
                                    {"Number of particles", "an AtomEye file (.cfg)"},
                                    {"HEADER", "a PDB file"},
                                    {"CRYST1", "a PDB file"},
                                    {"data_", "a CIF file"},
                                    {"<?xml", "an XML file"}})
    if (first.starts_with(start))
      throw InputError(
          fmt::format("{}:1: found {}, expected LAMMPS data or dump, or extended XYZ", path, kind));
  const bool counts = first.find_first_of("0123456789") != std::string::npos &&
                      first.find_first_not_of("0123456789 \t\r") == std::string::npos;
  const std::string name = without_compression(path);
  if (counts && (second.find('=') != std::string::npos || name.ends_with("xyz"))) return "xyz";
  return "data";
}

}  // namespace

std::unique_ptr<StateFile> StateFile::open(const Communicator& comm, const std::string& path,
                                           const DataFileDefaults& defaults) {
  const std::string format = ask_root(comm, [&] { return format_of(path); });
  if (format == "dump") return std::make_unique<DumpFile>(comm, path, defaults);
  if (format == "xyz") return std::make_unique<XyzFile>(comm, path, defaults);
  if (format == "data")
    return std::make_unique<SingleState>(read_lammps_data(comm, path, defaults), std::nullopt);
  if (Hdf5File::open(comm, path).exists("/h5md"))
    return std::make_unique<TrajectoryFile>(comm, path, defaults);
  Checkpoint checkpoint = read_checkpoint(comm, path);
  return std::make_unique<SingleState>(std::move(checkpoint.configuration), checkpoint.lattice);
}

}  // namespace wafermark::tungsten
