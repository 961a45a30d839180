// Checkpoints: everything a run needs to go on, bit for bit on as many ranks as before, or on any other
// number.
#pragma once

#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "common/communicator.hpp"
#include "tungsten_md/model/configuration.hpp"
#include "tungsten_md/model/crystal.hpp"

namespace wafermark::tungsten {

struct Checkpoint {
  Configuration configuration;    ///< this rank's atoms in their exact local order
  std::vector<Vec3> x_reference;  ///< positions when the neighbour list was last built, atom by atom
  std::vector<Vec3> forces;       ///< as the run had them, to the last bit; may be empty
  std::array<int, 3> rank_grid{1, 1, 1};
  std::map<std::string, double> numbers;  ///< named state; NaN and infinities come back as NaN
  std::map<std::string, std::int64_t> counters;
  std::map<std::string, std::vector<double>> shares;  ///< numbers of each rank, by rank
  std::map<std::string, std::vector<double>> fields;  ///< numbers of the whole run, not by rank
  std::string deck;                                   ///< the deck that the run followed
  std::optional<Lattice> lattice;                     ///< of the starting crystal
  nlohmann::json run;  ///< what the run is and how far its files go: its own business
};

/// The second newest: "a/checkpoint.h5" -> "a/checkpoint.previous.h5".
std::string previous_checkpoint(const std::string& path);

/// Writes PATH (HDF5) under a temporary name. When it is complete and on the disk, the former PATH becomes
/// previous_checkpoint(PATH) and the new one takes its place: at any moment one of the two is whole.
/// Collective. Throws when it cannot be written; the former ones are then untouched.
void write_checkpoint(const Communicator& comm, const std::string& path, const Checkpoint& checkpoint);

/// On the number of ranks that wrote it every rank gets its own atoms in their order; on another, equal parts
/// by rows. Sums over all data are compared with those stored: a file that is cut off, damaged or no
/// checkpoint is an InputError that names it. Collective.
Checkpoint read_checkpoint(const Communicator& comm, const std::string& path);

/// The header of a checkpoint of any target: "format", "run", "deck" and more. InputError as above.
/// Collective.
nlohmann::json read_checkpoint_header(const Communicator& comm, const std::string& path);

}  // namespace wafermark::tungsten
