// How another molecular dynamics program goes about a step: LAMMPS, as it ran when others measured it. A
// profile (inputs/clusters/profiles) lists the kernels, copies, fences and messages of a step and of a new
// neighbour list; a workload (inputs/clusters/workloads) says how many atoms there are, in what box. Both
// make a record of work (work_record.hpp) for any grid of ranks.
//
// The lists' words, with SET one of own, all, sent, received (atoms of the rank; sent and received: of a
// swap):
//   kernel LABEL SET BYTES       kernel that moves so many bytes an atom
//   pairs LABEL SET, plain_pairs LABEL SET, search LABEL SET      kernels over neighbours (kernel_costs.hpp)
//   copy SET BYTES               within the worker's memory
//   host_copy SET BYTES, host_copy BYTES     between worker and host, who waits
//   fence                        the host waits for the worker
//   message BYTES                of each atom sent, to the swap's next rank; message_back: of each received,
//   back numbers BYTES                so many to the swap's next rank, as many from the one before all_reduce
//   BYTES, broadcast BYTES
#pragma once

#include "tools/kernel_clock/work_record.hpp"

namespace wafermark {

/// What is simulated: numbers of atoms, lengths in units of the box's.
struct MdWorkload {
  std::string name, title, file;
  double atoms = 0.0;
  std::array<double, 3> box{};
  std::array<bool, 3> periodic{};
  /// Of a crystal, lattice planes across each axis: a subdomain has whole ones, some have one more than
  /// others. 0: atoms are spread evenly.
  std::array<int, 3> planes{};
  double cutoff = 0.0, skin = 0.0;
  double neighbours = 0.0;     ///< of an atom within cut-off and skin, on average
  double steps_of_a_list = 0;  ///< steps from one neighbour list to the next

  /// Throws InputError "FILE:LINE: ...".
  static MdWorkload read(const std::string& path, const std::vector<std::string>& changes = {});
};

/// A program's lists, each in the order of its work.
struct MdProfile {
  using Words = std::vector<std::string>;

  std::string name, title, file;
  bool half_list = false;      ///< each pair once: half the entries
  std::array<int, 3> ranks{};  ///< along an axis; 0: chosen
  Words begin;                 ///< of every step
  Words positions;             ///< of a step that keeps its list, for each swap
  Words positions_alone;       ///< instead of all swaps, on one rank; empty: as on many
  Words leave;                 ///< of a step with a new list, once
  Words migrate_axis;          ///< for each axis that is cut
  Words migrate;               ///< then for each of its directions
  Words migrate_end;           ///< then once for the axis
  Words borders;               ///< for each swap
  Words list;                  ///< once
  Words first_pass;            ///< of every step
  Words values_back, values;   ///< for each swap, backwards and forwards
  Words second_pass;           ///< behind values_back
  Words third_pass;            ///< behind values
  Words forces_back;           ///< for each swap, backwards
  Words end;

  /// Throws InputError "FILE:LINE: ...", also for a word that is none.
  static MdProfile read(const std::string& path);
};

/// The grid that a program lays out for so many ranks.
std::array<int, 3> grid_of(const MdProfile& profile, const MdWorkload& workload, int ranks);

/// `steps` steps on `grid`, the first `lists` of which make a new list. The record has three ranks at most
/// along an axis: lay it out by RecordOnGrid.
WorkRecord md_record(const MdProfile& profile, const MdWorkload& workload, const std::array<int, 3>& grid,
                     int steps, int lists);

}  // namespace wafermark
