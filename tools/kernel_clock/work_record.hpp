// What the ranks of a program did in its timed steps, as data: kernels, copies, fences and messages in their
// order, without their time. A simulated run writes one, a profile of another program makes one
// (md_profile.hpp), and it can be carried out on other machines and larger grids of ranks, by SimGrid
// (cluster_replay.cpp) or by a model (step_model.hpp).
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "tools/kernel_clock/kernel_costs.hpp"

namespace wafermark {

/// One thing that a rank does. Which members count is said by `kind`.
struct WorkEvent {
  enum class Kind : std::uint8_t {
    kernel,      ///< kernels[what], of `load`
    copy,        ///< bytes_out within the worker's memory
    host_copy,   ///< bytes_out between worker and host, who waits for it
    fence,       ///< the host waits for the worker
    exchange,    ///< bytes_out to rank `to`, while bytes_in come from rank `from`
    send,        ///< begins one
    receive,     ///< begins one
    wait,        ///< for all that were begun
    barrier,     ///< of all ranks, as all that follow
    all_reduce,  ///< bytes_out
    broadcast,   ///< bytes_out from rank `from`
    all_gather,  ///< bytes_out of each rank
    all_to_all,  ///< bytes_out of this rank to all others together
    scan         ///< bytes_out
  };
  static constexpr int nobody = -1;

  Kind kind = Kind::fence;
  int what = 0;
  KernelLoad load;
  std::int64_t bytes_out = 0, bytes_in = 0;
  int to = nobody, from = nobody;
};

/// A kernel that events speak of.
struct RecordedKernel {
  std::string label;
  KernelKind kind;
};

struct WorkRecord {
  std::array<int, 3> grid{1, 1, 1};  ///< of the ranks, x slowest
  std::int64_t steps = 0;
  std::vector<RecordedKernel> kernels;
  std::vector<std::vector<WorkEvent>> ranks;  ///< by rank

  int size() const { return grid[0] * grid[1] * grid[2]; }
  /// Text, a line for each event.
  void write(const std::string& path) const;
  /// Throws InputError "FILE:LINE: ..." for anything that write() does not write, or cut short.
  static WorkRecord read(const std::string& path);
};

/// A record on a grid of more ranks along some axes: a first rank of an axis acts as the recorded first one,
/// a last as the last, those between as the recorded ones between in turn. Peers are neighbours at the same
/// distance, around the grid's ends.
class RecordOnGrid {
 public:
  /// Throws InputError where an axis has not the recorded number of ranks and fewer than three were
  /// recorded: then none stands between others.
  RecordOnGrid(const WorkRecord& record, std::array<int, 3> grid);

  int size() const { return grid_[0] * grid_[1] * grid_[2]; }
  const std::array<int, 3>& grid() const { return grid_; }
  const WorkRecord& record() const { return record_; }
  /// The recorded rank that `rank` acts as.
  int acts_as(int rank) const;
  /// The rank for which recorded peer `peer` of the one that `rank` acts as stands.
  int peer(int rank, int peer) const;

 private:
  const WorkRecord& record_;
  std::array<int, 3> grid_;
};

}  // namespace wafermark
