// Trajectories in H5MD 1.1 (de Buyl, Colberg and Hoefling, Comput. Phys. Commun. 185, 1546 (2014);
// nongnu.org/h5md): HDF5 files that h5py and MDAnalysis read (OVITO does not: it has dumps and extended XYZ).
//   /h5md                        version, author, creator, the units module
//   /particles/all/box           dimension, boundary, edges {value [frame][3][3], step, time}: edge vectors,
//   as
//                                MDAnalysis needs them
//   /particles/all/position      value [frame][atom][3], step, time; velocity likewise
//   /particles/all/id, species   [atom], the same in every frame: atoms are in the order of their ids
//   /observables/NAME            value [frame], step, time
//   /parameters                  ours: elements, masses, box origin, lattice; being_written, 1 until its
//                                writer has closed it; frame_digest [frame], which tells a damaged frame (or
//                                parameter) when it is read
// Positions are relative to the lower corner of the box, as H5MD has no box origin; all steps and times are
// one array.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "common/hdf5_file.hpp"
#include "tungsten_md/model/configuration.hpp"
#include "tungsten_md/model/crystal.hpp"

namespace wafermark::tungsten {

struct TrajectoryOptions {
  bool velocities = false;
  bool single_precision = false;  ///< positions and velocities as float: half the space, 1e-5 Angstrom at 200
  std::optional<Lattice>
      lattice;  ///< of the starting crystal: lets `tungsten_md defects` work without options
  std::string author = "Wafermark";
};

/// One frame as our files hold it; `x` and `v` [row][3] are this rank's rows, `v` empty where there are none.
struct StoredFrame {
  std::int64_t step = 0;
  double time_ps = 0.0;
  Rows rows;
  std::vector<double> x, v;
  Vec3 lengths{};  ///< of the box
  std::map<std::string, double> observables;
};

/// Writes frames. Every call is collective. Each frame is pushed to the file system when it is complete, its
/// step last, so that a killed run leaves all frames but the one under way.
class TrajectoryWriter {
 public:
  /// A new file, in place of any that is there.
  static TrajectoryWriter create(const Communicator& comm, const std::string& path,
                                 const Configuration& start, const TrajectoryOptions& options = {});
  /// Goes on with a file: drops incomplete frames and those of steps after `step`, the step of the checkpoint
  /// that the run starts from. A file that its writer did not close is written anew first, with the frames
  /// that read well (trajectory_recovery.hpp); `expected`: how many it had up to `step`, where that is known.
  /// Throws InputError when the file is not such a trajectory, or cannot be read at all.
  static TrajectoryWriter resume(const Communicator& comm, const std::string& path, std::int64_t step,
                                 std::uint64_t expected = 0);

  /// Adds a frame. Atoms (by number and id) and the names of the observables must be those of the first
  /// frame.
  void append(const Configuration& configuration, const std::map<std::string, double>& observables = {});
  /// Adds a frame of a file of the same atoms as it is stored there.
  void append_stored(const StoredFrame& frame);
  std::uint64_t frames() const { return frames_; }
  /// Says whether the file could be closed well; the destructor does not, and leaves it marked as being
  /// written.
  void close();

 private:
  TrajectoryWriter(const Communicator& comm, Hdf5File file, std::string path);
  /// Values as the file keeps them, in its precision.
  std::vector<double> stored(const std::vector<Vec3>& values, const Vec3& origin) const;
  void append_vectors(const std::string& element, const std::vector<double>& values, const Rows& rows);
  void share_moments();

  const Communicator* comm_;
  Hdf5File file_;
  std::string path_;
  std::uint64_t frames_ = 0;
  std::int64_t atoms_ = 0;
  bool velocities_ = false, single_precision_ = false;
  std::vector<std::string> observables_;
  std::optional<std::vector<std::int64_t>> ids_;  ///< of this rank's rows; read at the first frame
  std::optional<std::uint64_t> constants_;        ///< digest of what all frames share
};

/// Reads frames of our trajectories, and of others': any group of particles with a constant number of atoms;
/// elements that change with the frames or hold for all of them (boxes, ids, positions); boxes of three
/// lengths or edge vectors, whose tilts may be rounding; any usual type of numbers; lengths in Angstrom or
/// nm. Without ids rows are numbered in their order (Configuration::ids_known), without steps frames. Species
/// of others have no names: all atoms are of type 0.
class TrajectoryReader {
 public:
  /// `particles`: the group of /particles to read; empty: "all", or the only one that there is.
  TrajectoryReader(const Communicator& comm, const std::string& path, const std::string& particles = "");

  std::uint64_t frames() const { return frames_; }
  /// The frame's atoms, in equal parts by rows. Collective. Throws InputError when there is no such frame.
  Configuration read(std::uint64_t frame) const;
  const std::optional<Lattice>& lattice() const { return lattice_; }
  /// Whether the file says which elements its atoms are.
  bool names_elements() const { return !elements_.empty(); }

 private:
  void read_moment(std::uint64_t frame, Configuration& c) const;  ///< step and time
  void read_labels(std::uint64_t frame, const Rows& rows, Configuration& c) const;
  /// Bounds of an open box that the file does not give.
  void enclose(Configuration& c) const;

  const Communicator* comm_;
  Hdf5File file_;
  std::string path_, group_;
  std::uint64_t frames_ = 0, atoms_ = 0;
  Box box_;
  std::vector<std::string> elements_;
  std::vector<double> masses_;
  std::optional<Lattice> lattice_;
  mutable std::optional<std::uint64_t> constants_;  ///< digest of what all frames share, once one was read
};

}  // namespace wafermark::tungsten
