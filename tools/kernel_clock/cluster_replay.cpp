// cluster_replay WORK MACHINE X Y Z OUT [CHANGE...]: a program for SimGrid's SMPI, started by
// jobscripts/cluster_replay.sh. Its X x Y x Z ranks do what a record of work (work_record.hpp) says, with
// messages of the same sizes and kernels' time from the machine file, and no arithmetic. Rank 0 writes the
// seconds to OUT. All ranks share one copy of the program (--cfg=smpi/privatization:no).
#include <fmt/format.h>
#include <mpi.h>
#include <simgrid/actor.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <nlohmann/json.hpp>
#include <vector>

#include "common/durable_file.hpp"
#include "common/errors.hpp"
#include "common/number_range.hpp"
#include "common/plain_program.hpp"
#include "common/printable.hpp"
#include "tools/kernel_clock/rank_clock.hpp"
#include "tools/kernel_clock/work_record.hpp"

namespace {

using namespace wafermark;
using Kind = WorkEvent::Kind;

/// What all ranks share.
struct Task {
  WorkRecord record;
  ClusterMachine machine;
  RecordOnGrid work;
  std::vector<char> out, in;  ///< of every message; nobody looks at what arrives

  Task(const char* file, const char* machine_file, const std::vector<std::string>& changes,
       std::array<int, 3> grid)
      : record(WorkRecord::read(file)),
        machine(ClusterMachine::read(machine_file, changes)),
        work(record, grid) {
    std::int64_t longest = 8;
    for (const auto& events : record.ranks)
      for (const WorkEvent& e : events) longest = std::max({longest, e.bytes_out, e.bytes_in});
    // All-gathers and all-to-alls have a part for each rank.
    out.resize(static_cast<std::size_t>(longest) + 8 * static_cast<std::size_t>(work.size()));
    in.resize(out.size());
  }
  int most() const { return static_cast<int>(std::min<std::size_t>(in.size(), std::size_t{1} << 30)); }
};

int own_rank() {
  int rank = 0;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  return rank;
}

class Rank {
 public:
  explicit Rank(Task& task) : task_(task), m_(task.machine) { acts_as_ = task.work.acts_as(rank_); }

  double run() {
    MPI_Barrier(MPI_COMM_WORLD);
    const double start = MPI_Wtime();
    for (const WorkEvent& e : task_.record.ranks[static_cast<std::size_t>(acts_as_)]) act(e);
    sleep(clock_.drain(m_, 0.0));
    double seconds = MPI_Wtime() - start, longest = 0.0;
    MPI_Allreduce(&seconds, &longest, 1, MPI_DOUBLE, MPI_MAX, MPI_COMM_WORLD);
    return longest;
  }
  bool is_root() const { return rank_ == 0; }

 private:
  int peer(int recorded) const {
    return recorded == WorkEvent::nobody ? MPI_PROC_NULL : task_.work.peer(rank_, recorded);
  }
  void sleep(double seconds) { sg_actor_sleep_for(seconds); }

  void act(const WorkEvent& e) {
    const int bytes = static_cast<int>(e.bytes_out);
    char *out = task_.out.data(), *in = task_.in.data();
    switch (e.kind) {
      case Kind::kernel:
        clock_.start(m_,
                     kernel_seconds(m_, task_.record.kernels[static_cast<std::size_t>(e.what)].kind, e.load));
        break;
      case Kind::copy:
        clock_.start(m_, copy_seconds(m_, bytes));
        break;
      case Kind::host_copy:
        sleep(clock_.drain(m_, host_copy_seconds(m_, bytes)));
        break;
      case Kind::fence:
        if (clock_.started()) sleep(clock_.drain(m_, m_.fence));
        break;
      case Kind::exchange:
        MPI_Sendrecv(out, bytes, MPI_CHAR, peer(e.to), 17, in, task_.most(), MPI_CHAR, peer(e.from), 17,
                     MPI_COMM_WORLD, MPI_STATUS_IGNORE);
        break;
      case Kind::send:
        MPI_Isend(out, bytes, MPI_CHAR, peer(e.to), 18, MPI_COMM_WORLD, &sends_.emplace_back());
        break;
      case Kind::receive:
        MPI_Irecv(in, task_.most(), MPI_CHAR, peer(e.from), 18, MPI_COMM_WORLD, &receives_.emplace_back());
        break;
      case Kind::wait:
        for (auto* requests : {&receives_, &sends_}) {
          MPI_Waitall(static_cast<int>(requests->size()), requests->data(), MPI_STATUSES_IGNORE);
          requests->clear();
        }
        break;
      default:
        collective(e, bytes);
    }
  }

  void collective(const WorkEvent& e, int bytes) {
    const MPI_Comm all = MPI_COMM_WORLD;
    char *out = task_.out.data(), *in = task_.in.data();
    const int each = (bytes + task_.work.size() - 1) / task_.work.size();
    switch (e.kind) {
      case Kind::all_reduce:
        MPI_Allreduce(out, in, bytes, MPI_CHAR, MPI_MAX, all);
        break;
      case Kind::broadcast:
        MPI_Bcast(out, bytes, MPI_CHAR, 0, all);
        break;
      case Kind::all_gather: {
        std::vector<char> gathered(static_cast<std::size_t>(bytes) *
                                   static_cast<std::size_t>(task_.work.size()));
        MPI_Allgather(out, bytes, MPI_CHAR, gathered.data(), bytes, MPI_CHAR, all);
        break;
      }
      case Kind::all_to_all:
        MPI_Alltoall(out, each, MPI_CHAR, in, each, MPI_CHAR, all);
        break;
      case Kind::scan:
        MPI_Exscan(out, in, bytes, MPI_CHAR, MPI_MAX, all);
        break;
      default:
        MPI_Barrier(all);
    }
  }

  Task& task_;
  const ClusterMachine& m_;
  int rank_ = own_rank(), acts_as_ = 0;
  RankClock clock_{rank_};
  std::vector<MPI_Request> sends_, receives_;
};

int replay(int argc, char** argv) {
  if (argc < 7)
    throw InputError("found too few words, expected cluster_replay WORK MACHINE X Y Z OUT [CHANGE...]");
  static std::unique_ptr<Task> task;  // the first rank makes it for all
  if (!task) {
    std::array<int, 3> grid{};
    for (std::size_t d = 0; d < 3; ++d)
      grid[d] = static_cast<int>(parse_whole_number(argv[3 + d]).value_or(0));
    task = std::make_unique<Task>(argv[1], argv[2], std::vector<std::string>{argv + 7, argv + argc}, grid);
  }
  int size = 0;
  MPI_Comm_size(MPI_COMM_WORLD, &size);
  if (size != task->work.size())
    throw InputError(fmt::format("found {} ranks, expected {}, those of the grid", size, task->work.size()));
  Rank rank(*task);
  const double seconds = rank.run();
  if (rank.is_root())
    write_text_file(
        argv[6],
        nlohmann::json{{"seconds", seconds}, {"steps", task->record.steps}, {"ranks", size}}.dump() + "\n");
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  MPI_Init(&argc, &argv);
  const int code = run_plain_program("cluster_replay", [&] { return replay(argc, argv); });
  if (code != 0) {  // the other ranks have nothing to add
    std::fflush(nullptr);
    std::_Exit(code);
  }
  MPI_Finalize();
  return 0;
}
