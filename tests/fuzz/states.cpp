// Stored configurations: LAMMPS data and dumps, extended XYZ, H5MD trajectories, checkpoints.
#include "tests/fuzz/target.hpp"
#include "tungsten_md/io/checkpoint.hpp"
#include "tungsten_md/io/lammps_data.hpp"
#include "tungsten_md/io/lammps_dump.hpp"
#include "tungsten_md/io/state_file.hpp"
#include "tungsten_md/io/trajectory.hpp"

namespace wafermark::fuzz {
namespace {

using namespace tungsten;

/// Two atoms of tungsten in a box.
Configuration pair_of_atoms() {
  Configuration c;
  c.box.lo = {0.0, 0.0, 0.0};
  c.box.hi = {10.0, 11.0, 12.0};
  c.box.periodic = {true, true, false};
  c.elements = {"W"};
  c.masses = {183.84};
  c.atoms.id = {1, 2};
  c.atoms.type = {0, 0};
  c.atoms.x = {{1.0, 2.0, 3.0}, {4.0, 5.0, 6.0}};
  c.atoms.v = {{0.1, 0.2, 0.3}, {-0.1, -0.2, -0.3}};
  c.time_ps = 0.5;
  c.step = 7;
  return c;
}

void read_all_frames(const Communicator& comm, const std::string& path) {
  const auto file = StateFile::open(comm, path);
  for (int frames = 0; frames < 10 && file->next(); ++frames) continue;
  file->lattice();
}

/// A target whose seed the project's own writer makes.
template <class Write>
Target state(const std::string& name, const std::string& file, Write write) {
  return {name, file, read_all_frames, [file, write](const Communicator& comm, const std::string& scratch) {
            const std::string path = scratch + "/seed-" + file;
            write(comm, path, pair_of_atoms());
            return std::vector<std::string>{bytes_of(path)};
          }};
}

const Register data(state("lammps_data", "a.data", [](auto& comm, auto& path, const Configuration& c) {
  write_lammps_data(comm, path, c);
}));
const Register dump(state("lammps_dump", "a.dump", [](auto& comm, auto& path, const Configuration& c) {
  write_lammps_dump(comm, path, c);
  write_lammps_dump(comm, path, c, nullptr, {true, true});
}));
const Register h5md(state("h5md", "trajectory.h5", [](auto& comm, auto& path, const Configuration& c) {
  TrajectoryWriter writer = TrajectoryWriter::create(comm, path, c);
  writer.append(c);
}));

const Register checkpoint({"checkpoint", "checkpoint.h5",
                           [](const Communicator& comm, const std::string& path) {
                             read_checkpoint(comm, path);
                           },
                           [](const Communicator& comm, const std::string& scratch) {
                             Checkpoint c;
                             c.configuration = pair_of_atoms();
                             c.x_reference = c.forces = c.configuration.atoms.x;
                             c.numbers["time"] = 0.5;
                             c.counters["rebuilds"] = 3;
                             c.deck = "[run]\nsteps = 7\n";
                             const std::string path = scratch + "/seed.h5";
                             write_checkpoint(comm, path, c);
                             return std::vector<std::string>{bytes_of(path)};
                           }});

}  // namespace
}  // namespace wafermark::fuzz
