#include "tools/kernel_clock/cluster_machine.hpp"

#include "common/file_digest.hpp"
#include "common/quantity_rows.hpp"

namespace wafermark {
namespace {

// Wide enough for any machine that could be built.
constexpr Range of_counts{1, 1e7}, of_times{0, 1e6}, of_rates{1e-3, 1e6}, of_frequencies{0, 1e5},
    of_powers{0, 1e5};

using Row = QuantityRow<ClusterMachine>;

Row row(const char* key, const char* meaning, int ClusterMachine::*member) {
  return {{key, meaning, of_counts, true},
          [=](ClusterMachine& m, double value) { m.*member = static_cast<int>(value); }};
}
Row row(const char* key, const char* meaning, Range allowed, double ClusterMachine::*member, double unit) {
  return {{key, meaning, allowed, false}, [=](ClusterMachine& m, double value) { m.*member = unit * value; }};
}

const QuantityRows<ClusterMachine>& rows() {
  using M = ClusterMachine;
  constexpr double us = 1e-6, ns = 1e-9, gigabytes = 1e9;
  static const QuantityRows<ClusterMachine> all = {
      row("nodes.count", "nodes of the machine", &M::nodes),
      row("nodes.workers", "workers of a node, one rank each", &M::workers_per_node),
      row("device.launch_us", "host time to start a kernel or a copy", of_times, &M::launch, us),
      row("device.floor_us", "time of a kernel that does nothing", of_times, &M::kernel_floor, us),
      row("device.fence_us", "from the last kernel's end to the host that waits", of_times, &M::fence, us),
      row("device.gb_per_s", "memory of a worker, as streaming kernels reach it", of_rates,
          &M::bytes_per_second, gigabytes),
      row("device.atom_ns", "pair kernel, of an atom", of_times, &M::per_atom, ns),
      row("device.candidate_ns", "pair kernel, of an entry of the neighbour list", of_times,
          &M::per_candidate, ns),
      row("device.candidate_latency_ns",
          "pair kernel, of one more neighbour an atom, however few atoms there are", of_times,
          &M::candidate_latency, ns),
      row("device.plain_candidate_ns", "pair kernel without tables, of an entry of the neighbour list",
          of_times, &M::plain_candidate, ns),
      row("device.plain_latency_ns", "pair kernel without tables, of one more neighbour an atom", of_times,
          &M::plain_latency, ns),
      row("device.host_copy_us", "a few bytes between worker and host, who waits", of_times, &M::host_copy,
          us),
      row("device.host_copy_gb_per_s", "many bytes between worker and host", of_rates, &M::host_copy_rate,
          gigabytes),
      row("device.search_ns", "building the neighbour list, of an entry", of_times, &M::search_candidate, ns),
      row("device.interruptions_per_s", "of a rank's core by the operating system", of_frequencies,
          &M::interruption_rate, 1.0),
      row("device.interruption_us", "mean length of one", of_times, &M::interruption, us),
      row("network.local_us", "latency between workers of a node", of_times, &M::local_latency, us),
      row("network.local_gb_per_s", "between workers of a node", of_rates, &M::local_bandwidth, gigabytes),
      row("network.link_us", "latency of a link of the network", of_times, &M::link_latency, us),
      row("network.link_gb_per_s", "of a node's links to the network, in each direction", of_rates,
          &M::link_bandwidth, gigabytes),
      row("network.send_us", "of a rank that sends, for a message", of_times, &M::send_overhead, us),
      row("network.receive_us", "of a rank that receives, for a message", of_times, &M::receive_overhead, us),
      row("network.eager_bytes", "longest message that leaves without asking", &M::eager_bytes),
      row("network.eager_us", "of a rank at either end of such a message", of_times, &M::eager_overhead, us),
      row("network.small_us", "of either, for a message of at most 256 bytes", of_times, &M::small_overhead,
          us),
      row("network.nodes_per_switch", "nodes below the lowest switch", &M::nodes_per_switch),
      row("network.switches_per_group", "lowest switches of one group", &M::switches_per_group),
      row("network.group_links", "links between two groups of a dragonfly", &M::group_links),
      row("power.worker_idle_w", "of a worker that waits", of_powers, &M::worker_idle_watts, 1.0),
      row("power.worker_load_w", "of a worker that computes", of_powers, &M::worker_load_watts, 1.0),
      row("power.node_w", "of a node beside its workers", of_powers, &M::node_watts, 1.0),
      row("power.network_w", "of switches and cables, for a node", of_powers, &M::network_watts, 1.0)};
  return all;
}

}  // namespace

ClusterMachine ClusterMachine::with(const std::string& key, double value) const {
  return with_quantity(*this, rows(), key, value);
}

double ClusterMachine::watts(int workers, double busy) const {
  const int used = (workers + workers_per_node - 1) / workers_per_node;
  return workers * (worker_idle_watts + busy * (worker_load_watts - worker_idle_watts)) +
         used * (node_watts + network_watts);
}

ClusterMachine ClusterMachine::read(const std::string& path, const std::vector<std::string>& changes,
                                    const std::string& option) {
  Deck deck = Deck::read(path, changes, option);
  ClusterMachine m;
  m.file = path;
  m.sha256 = sha256_of_file(path);
  m.changes = changes;
  m.name = deck.text("name", std::nullopt, "what results call the machine");
  if (m.name.empty()) deck.reject("name", "a name");
  m.title = deck.text("title", std::nullopt, "for readers");
  m.worker = deck.text("worker", std::nullopt, "what a rank computes on");
  m.deck_settings = deck.texts("deck", std::vector<std::string>{}, "settings of every deck that runs here");
  const std::string topology =
      deck.choice("network.topology", std::nullopt, {"fat_tree", "dragonfly"}, "how switches are connected");
  m.topology = topology == "fat_tree" ? Topology::fat_tree : Topology::dragonfly;
  read_quantities(deck, rows(), changes, m);
  deck.finish();
  return m;
}

}  // namespace wafermark
