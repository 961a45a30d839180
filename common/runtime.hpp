// What a program runs on: its own process and this machine's clock, or one process of SimGrid in which all
// ranks run against a simulated clock (build preset cluster-sim). Whoever links gets one of
// runtime_native.cpp and runtime_simulated.cpp; no other file of the project knows which.
#pragma once

#include <array>
#include <cstdint>
#include <nlohmann/json.hpp>

namespace wafermark::runtime {

/// Seconds since some moment, by the clock that rates are quoted in.
double seconds();

/// Kokkos while it lives: of this process, or of the one that all simulated ranks share.
class KokkosScope {
 public:
  /// Takes Kokkos' own words out of the command line.
  KokkosScope(int& argc, char** argv);
  ~KokkosScope();
  KokkosScope(const KokkosScope&) = delete;
  KokkosScope& operator=(const KokkosScope&) = delete;
};

/// Whether kernels are charged to a simulated clock: then whoever starts them says how large they are.
bool charges_kernels();
/// Of the next kernel of this rank: how many items it has. Costs a call natively, and no more.
void announce_items(std::int64_t items);
/// Of this rank's pair kernels from here on: entries of the neighbour list, padding left out.
void announce_candidates(std::int64_t entries);

/// What a rank asks of MPI, for the record of a simulated run. MPI_PROC_NULL is nobody.
struct Message {
  enum class Kind {
    exchange,
    send,
    receive,
    wait,
    barrier,
    all_reduce,
    broadcast,
    all_gather,
    all_to_all,
    scan
  };
  Kind kind = Kind::barrier;
  std::int64_t bytes_out = 0;
  int to = -1;
  std::int64_t bytes_in = 0;
  int from = -1;  ///< also a broadcast's root
};
/// Of this rank, before the call. Costs a call natively, as the other three.
void note_message(const Message& message);
/// The grid of ranks that the program has laid out.
void announce_grid(const std::array<int, 3>& ranks);
/// Between the two, called by all ranks, lie the steps that a rate is quoted for: what is recorded.
void begin_timed_steps();
void end_timed_steps(std::int64_t steps);

/// What simulates: machine file and digest, platform, SimGrid's version. Null where nothing does.
nlohmann::json simulation();
/// Of the timed steps: "time_band" (bounds of the time within the ranges of the machine's numbers, in parts
/// of it), "sensitivity" of rates, "watts", "modelled_seconds". Null natively, and where no such steps were
/// recorded to their end.
nlohmann::json simulated_outcome();

}  // namespace wafermark::runtime
