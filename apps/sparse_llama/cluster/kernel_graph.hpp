// Kernels of teams one behind the other, started as they come or kept as a graph that a device starts as one.
#pragma once

#include <Kokkos_Graph.hpp>
#include <optional>
#include <string>

#include "common/kokkos_graphs.hpp"
#include "sparse_llama/cluster/loops.hpp"

namespace wafermark::llama {

/// Whether a graph can have calls of a library beside kernels.
inline constexpr bool graphs_take_calls = graphs_take_teams && KOKKOS_VERSION >= 40700;

/// Where kernels go: each is started at once, or becomes the next node of a graph.
class KernelChain {
 public:
  KernelChain() = default;
  explicit KernelChain(const Kokkos::Experimental::GraphNodeRef<ExecSpace>& root) : last_(root) {}

  template <class Body>
  void add(const char* name, const Team& policy, const Body& body) {
    ++count_;
    if constexpr (graphs_take_teams)
      if (last_) {
        last_ = last_->then_parallel_for(std::string(name), policy, body);
        return;
      }
    Kokkos::parallel_for(name, policy, body);
  }
  /// call(space) starts something of its own behind what `space` runs. For a graph of a GPU it is called now,
  /// and what it starts becomes the next node; on a host it is called at each submission. Not for a graph
  /// where graphs take none.
  template <class Call>
  void add_call(const Call& call) {
    ++count_;
    if (!last_) return call(ExecSpace());
    if constexpr (graphs_take_calls) last_ = node_of(*last_, call);
  }
  std::int64_t count() const { return count_; }

 private:
  template <class Node, class Call>
  static auto node_of(const Node& last, const Call& call) {
#if defined(KOKKOS_ENABLE_CUDA)
    return last.cuda_capture(ExecSpace(), call);
#else
    return last.then_host(std::string("call"), [call] { call(ExecSpace()); });
#endif
  }

  std::optional<Kokkos::Experimental::GraphNodeRef<ExecSpace>> last_;
  std::int64_t count_ = 0;
};

/// Kernels with their arguments, which are the same whenever they run: what differs they read from memory.
/// On a host Kokkos runs them one by one.
class KernelGraph {
 public:
  /// fill(KernelChain&) adds the kernels. Memory that these have by pointers alone must stay.
  template <class Fill>
  explicit KernelGraph(const Fill& fill)
      : graph_(Kokkos::Experimental::create_graph<ExecSpace>([&](const auto& root) {
          KernelChain kernels(root);
          fill(kernels);
          event_ = "graph of " + std::to_string(kernels.count()) + " kernels";
        })) {}

  /// Starts all of them; tools are told by an event, since Kokkos tells them of no kernel in a graph.
  void submit() const {
    const KernelScope scope;
    graph_.submit(ExecSpace());
    Kokkos::Profiling::markEvent(event_);
  }

 private:
  std::string event_;
  Kokkos::Experimental::Graph<ExecSpace> graph_;
};

}  // namespace wafermark::llama
