#include "tools/kernel_clock/platform.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "common/errors.hpp"

namespace wafermark {
namespace {

int parts(int whole, int size) { return (whole + size - 1) / size; }

/// Groups, lowest switches of each group, nodes of each switch.
struct Shape {
  int groups, switches, nodes;
  int hosts() const { return groups * switches * nodes; }
};

Shape shape_for(const ClusterMachine& m, int nodes) {
  if (nodes < 1 || nodes > m.nodes)
    throw InputError(fmt::format("--nodes {}: expected 1 to {}, the nodes of {}", nodes, m.nodes, m.name));
  const int switches = parts(nodes, m.nodes_per_switch);
  const int in_group = std::min(switches, m.switches_per_group);
  return {parts(switches, in_group), in_group, m.nodes_per_switch};
}

/// SimGrid's topo_parameters.
std::string parameters(const ClusterMachine& m, const Shape& s) {
  if (m.topology == Topology::dragonfly)
    return fmt::format("{},{};1,1;{},1;{}", s.groups, m.group_links, s.switches, s.nodes);
  // As many links up as down at each level: full bisection bandwidth.
  const int all = s.groups * s.switches;
  return fmt::format("2;{},{};1,{};1,1", s.nodes, all, s.nodes);
}

}  // namespace

std::string platform_xml(const ClusterMachine& m, int nodes) {
  const Shape s = shape_for(m, nodes);
  return fmt::format(
      "<?xml version='1.0'?>\n<!DOCTYPE platform SYSTEM \"https://simgrid.org/simgrid.dtd\">\n"
      "<platform version=\"4.1\">\n"
      "  <cluster id=\"{}\" prefix=\"node\" suffix=\"\" radical=\"0-{}\" speed=\"1Gf\" core=\"{}\"\n"
      "           bw=\"{:.17g}Bps\" lat=\"{:.17g}s\" loopback_bw=\"{:.17g}Bps\" loopback_lat=\"{:.17g}s\"\n"
      "           topology=\"{}\" topo_parameters=\"{}\" sharing_policy=\"SPLITDUPLEX\"/>\n"
      "</platform>\n",
      m.name, s.hosts() - 1, m.workers_per_node, m.link_bandwidth, m.link_latency, m.local_bandwidth,
      m.local_latency, m.topology == Topology::dragonfly ? "DRAGONFLY" : "FAT_TREE", parameters(m, s));
}

std::string host_list(const ClusterMachine& m, int ranks) {
  std::string text;
  for (int left = ranks, k = 0; left > 0; left -= m.workers_per_node, ++k)
    text += fmt::format("node{}:{}\n", k, std::min(left, m.workers_per_node));
  return text;
}

std::string platform_text(const ClusterMachine& m, int nodes) {
  const Shape s = shape_for(m, nodes);
  return fmt::format("{}, {} group(s) of {} switches of {} nodes; {} of {} hosts used",
                     m.topology == Topology::dragonfly ? "dragonfly" : "fat tree", s.groups, s.switches,
                     s.nodes, nodes, s.hosts());
}

int links_between(const ClusterMachine& m, int node, int other) {
  if (node == other) return 0;
  const int a = node / m.nodes_per_switch, b = other / m.nodes_per_switch;
  if (a == b) return 2;
  if (m.topology == Topology::fat_tree) return 4;
  // Up and down, one between switches of a group; to another group one more there, and the long one.
  return a / m.switches_per_group == b / m.switches_per_group ? 3 : 5;
}

double message_overhead(const ClusterMachine& m, std::int64_t bytes, MessageEnd end) {
  if (bytes <= ClusterMachine::small_message) return m.small_overhead;
  if (bytes <= m.eager_bytes) return m.eager_overhead;
  return end == MessageEnd::sender ? m.send_overhead : m.receive_overhead;
}

std::string simgrid_options(const ClusterMachine& m) {
  // Sizes from which on an overhead counts, as SMPI writes them.
  const auto overhead = [&](MessageEnd end) {
    const std::int64_t eager = ClusterMachine::small_message + 1, asking = m.eager_bytes + 1;
    std::string text = fmt::format("0:{:.17g}:0", m.small_overhead);
    if (eager < asking) text += fmt::format(";{}:{:.17g}:0", eager, message_overhead(m, eager, end));
    const std::int64_t last = std::max(eager, asking);
    return text + fmt::format(";{}:{:.17g}:0", last, message_overhead(m, last, end));
  };
  return fmt::format(
      "--cfg=smpi/simulate-computation:no\n--cfg=smpi/wtime:0\n--cfg=smpi/coll-selector:mpich\n"
      // Its all-reduce begins with a message of each rank to all: minutes on a thousand.
      "--cfg=smpi/allreduce:rdb\n"
      "--cfg=smpi/os:{}\n--cfg=smpi/or:{}\n--cfg=smpi/ois:{}\n"
      "--cfg=smpi/bw-factor:0:1\n--cfg=smpi/lat-factor:0:1\n--cfg=network/TCP-gamma:0\n"
      "--cfg=network/loopback-lat:{:.17g}\n--cfg=network/loopback-bw:{:.17g}\n",
      overhead(MessageEnd::sender), overhead(MessageEnd::receiver), overhead(MessageEnd::sender),
      m.local_latency, m.local_bandwidth);
}

}  // namespace wafermark
