// What runs leave: LAMMPS data and dumps, extended XYZ, H5MD trajectories, checkpoints, defects.
#include "tests/fuzz/target.hpp"
#include "tungsten_md/analysis/defect_series.hpp"
#include "tungsten_md/analysis/lattice_sites.hpp"
#include "tungsten_md/io/checkpoint.hpp"
#include "tungsten_md/io/extended_xyz.hpp"
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
const Register xyz(
    {"extended_xyz", "a.xyz", read_all_frames, [](const Communicator& comm, const std::string& scratch) {
       const std::string path = scratch + "/seed.xyz";
       write_extended_xyz(comm, path, pair_of_atoms());
       write_extended_xyz(comm, path, pair_of_atoms(), true);
       // As ASE writes it: no ids, momenta, other columns; and as OVITO does.
       return std::vector<std::string>{
           bytes_of(path),
           "2\nLattice=\"9.0 0.0 0.0 0.0 9.0 0.0 0.0 0.0 9.0\" Properties=species:S:1:pos:R:3:momenta:R:3:"
           "forces:R:3:fixed:L:1 energy=-1.5 config=\"a \\\"b\\\" c\" pbc=\"T F T\"\n"
           "W 0.0 0.1 0.2 0 0 0 1 2 3 T\nTa 3.0 3.1 3.2 0 0 0 1 2 3 F\n",
           "1\nOrigin=\"-1 -1 -1\" Lattice=\"9 0 0 0 9 0 0 0 9\" Time=0.25 Step=3 "
           "Properties=id:I:1:species:S:1:pos:R:3:velo:R:3\n7 W 1e-3 2 3 4 5 6"};
     }});
const Register defects({"defects_json", "defects.json",
                        [](const Communicator& comm, const std::string& path) {
                          const std::string folder = path.substr(0, path.find_last_of('/'));
                          const DefectSeries series = resume_defects(comm, folder, 1000);
                          if (!series.empty()) series.summary(), series.document({}, {});
                        },
                        [](const Communicator& comm, const std::string& scratch) {
                          const Lattice lattice = make_lattice(LatticeKind::bcc, 3.0, {3, 3, 3});
                          Configuration c = build_crystal(lattice, {true, true, true}, "W", 183.84);
                          c.atoms.x[4][0] += 1.4;
                          c.atoms.x[20] = c.atoms.x[7];
                          c.atoms.x[20][1] += 0.4;
                          const LatticeSites sites(lattice, c.box);
                          DefectSeries series;
                          for (const std::int64_t step : {0, 10}) {
                            c.step = step;
                            series.add(analyse_defects(comm, c, sites, cluster_cutoffs(lattice)));
                          }
                          write_defects(comm, scratch, series, c.box, cluster_cutoffs(lattice));
                          return std::vector<std::string>{bytes_of(scratch + "/defects.json")};
                        }});
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
