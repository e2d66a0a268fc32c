#include "models/fabric/topology.h"

#include <algorithm>
#include <fmt/format.h>
#include <set>
#include <utility>

#include <boost/graph/strong_components.hpp>

#include "models/base/error.h"

namespace brink::fabric {
namespace {

using Vertex = Graph::vertex_descriptor;

// Adds devices and cables; a cable is two links, one each way.
class Wiring {
 public:
  explicit Wiring(const Cluster& cluster) : cluster_(cluster) {}

  std::shared_ptr<const Graph> build() {
    if (cluster_.has_network) add_switches();
    for (std::int64_t node = 0; node < cluster_.nodes; ++node) add_node(node);
    return std::move(owned_);
  }

 private:
  Vertex device(std::string name, DeviceKind kind, std::int64_t node, std::int64_t index) {
    return boost::add_vertex(Device{std::move(name), kind, node, index}, graph_);
  }

  void link(Vertex from, Vertex to, BytesPerSecond capacity, Seconds latency) {
    const std::string& a = graph_[from].name;
    const std::string& b = graph_[to].name;
    boost::add_edge(from, to, Link{a + "->" + b, a, b, capacity, latency}, graph_);
  }

  void cable(Vertex a, Vertex b, BytesPerSecond each_way, Seconds latency) {
    link(a, b, each_way, latency);
    link(b, a, each_way, latency);
  }

  // Rail-optimised: leaf r of unit u joins NIC r of the unit's nodes. A spine exists only where
  // there is something to join: several leaves.
  void add_switches() {
    const NetworkSpec& network = cluster_.network;
    if (network.kind == NetworkKind::single_switch) {
      leaves_.push_back(device("leaf0", DeviceKind::leaf, -1, 0));
      return;
    }
    const std::int64_t units = (cluster_.nodes + network.nodes_per_unit - 1) / network.nodes_per_unit;
    const std::int64_t leaves = units * network.nics_per_node;
    for (std::int64_t leaf = 0; leaf < leaves; ++leaf)
      leaves_.push_back(device(fmt::format("leaf{}", leaf), DeviceKind::leaf, -1, leaf));
    if (leaves == 1) return;
    const Vertex spine = device("spine", DeviceKind::spine, -1, 0);
    for (std::int64_t leaf = 0; leaf < leaves; ++leaf) {
      const std::int64_t first = leaf / network.nics_per_node * network.nodes_per_unit;
      const auto nodes_below = static_cast<double>(std::min(network.nodes_per_unit, cluster_.nodes - first));
      cable(leaves_[static_cast<std::size_t>(leaf)], spine, network.nic_each_way * nodes_below / network.oversubscription,
            network.spine_latency);
    }
  }

  Vertex leaf_of(std::int64_t node, std::int64_t nic) const {
    if (cluster_.network.kind == NetworkKind::single_switch) return leaves_[0];
    const std::int64_t unit = node / cluster_.network.nodes_per_unit;
    return leaves_[static_cast<std::size_t>(unit * cluster_.network.nics_per_node + nic)];
  }

  // One PCIe switch per NIC (or per GPU without a network) joins GPUs, NIC and host, as on
  // HGX boards, where GPU-direct traffic does not pass the host.
  void add_node(std::int64_t node) {
    const Vertex host = device(Topology::host_name(node), DeviceKind::host, node, 0);
    Vertex nvswitch = host;
    if (cluster_.has_nvlink) nvswitch = device(fmt::format("n{}.nvswitch", node), DeviceKind::nvswitch, node, 0);
    const std::int64_t groups = cluster_.has_network ? cluster_.network.nics_per_node : cluster_.gpus_per_node;
    const std::int64_t gpus_each = cluster_.gpus_per_node / groups;
    for (std::int64_t group = 0; group < groups; ++group) {
      const Vertex pcie = device(fmt::format("n{}.pcie{}", node, group), DeviceKind::pcie_switch, node, group);
      // A root complex behind the switch: twice a switch hop.
      cable(pcie, host, cluster_.pcie.each_way, cluster_.pcie.latency * 2.0);
      if (cluster_.has_network) {
        const Vertex nic = device(fmt::format("n{}.nic{}", node, group), DeviceKind::nic, node, group);
        cable(pcie, nic, cluster_.pcie.each_way, cluster_.pcie.latency);
        cable(nic, leaf_of(node, group), cluster_.network.nic_each_way, cluster_.network.nic_latency);
      }
      for (std::int64_t i = 0; i < gpus_each; ++i) {
        const std::int64_t index = group * gpus_each + i;
        const Vertex gpu = device(Topology::gpu_name(node, index), DeviceKind::gpu, node, index);
        cable(gpu, pcie, cluster_.pcie.each_way, cluster_.pcie.latency);
        if (cluster_.has_nvlink) cable(gpu, nvswitch, cluster_.nvlink.each_way, cluster_.nvlink.latency);
      }
    }
  }

  const Cluster& cluster_;
  std::shared_ptr<Graph> owned_ = std::make_shared<Graph>();
  Graph& graph_ = *owned_;
  std::vector<Vertex> leaves_;
};

template <class Visit>
void each_edge(const Graph& graph, Visit visit) {
  for (Vertex vertex = 0; vertex < boost::num_vertices(graph); ++vertex)
    for (auto [edge, end] = boost::out_edges(vertex, graph); edge != end; ++edge) visit(*edge);
}

void check_links(const Graph& graph) {
  std::set<std::pair<Vertex, Vertex>> ways;
  each_edge(graph, [&](const Graph::edge_descriptor& edge) {
    const Link& link = graph[edge];
    if (!(link.capacity.value() > 0.0) || !is_finite(link.capacity)) {
      throw ConfigError("/fabric/links/" + link.name, fmt::format("a capacity of {} B/s", link.capacity.value()),
                        "a positive, finite capacity");
    }
    if (!(link.latency.value() >= 0.0) || !is_finite(link.latency)) {
      throw ConfigError("/fabric/links/" + link.name, fmt::format("a latency of {} s", link.latency.value()),
                        "a finite latency of at least 0");
    }
    ways.insert({boost::source(edge, graph), boost::target(edge, graph)});
  });
  for (const auto& [from, to] : ways) {
    if (ways.count({to, from}) != 0) continue;
    throw ConfigError("/fabric/links/" + graph[from].name + "->" + graph[to].name, "one direction only",
                      "a link each way between two devices");
  }
}

void check_devices(const Graph& graph) {
  std::set<std::string> names;
  for (auto [vertex, end] = boost::vertices(graph); vertex != end; ++vertex) {
    const std::string& name = graph[*vertex].name;
    if (!names.insert(name).second) throw ConfigError("/fabric/devices/" + name, "two devices of this name", "one");
    if (boost::out_degree(*vertex, graph) == 0)
      throw ConfigError("/fabric/devices/" + name, "a device without links", "at least one link");
  }
}

void check_connected(const Graph& graph) {
  if (boost::num_vertices(graph) == 0) throw ConfigError("/fabric", "no devices", "at least one");
  std::vector<int> component(boost::num_vertices(graph));
  const int parts = boost::strong_components(
      graph, boost::make_iterator_property_map(component.begin(), boost::get(boost::vertex_index, graph)));
  if (parts == 1) return;
  const auto other = std::find_if(component.begin(), component.end(), [&](int c) { return c != component[0]; });
  const auto vertex = static_cast<Vertex>(other - component.begin());
  throw ConfigError("/fabric", fmt::format("{} parts that cannot reach each other", parts),
                    fmt::format("a path from {} to {}", graph[0].name, graph[vertex].name));
}

std::shared_ptr<const Graph> checked(std::shared_ptr<const Graph> graph) {
  check_links(*graph);
  check_devices(*graph);
  check_connected(*graph);
  return graph;
}

}  // namespace

Topology::Topology(const Cluster& cluster) : graph_(checked(Wiring(cluster).build())) {}
Topology::Topology(std::shared_ptr<const Graph> graph) : graph_(checked(std::move(graph))) {}

std::vector<Device> Topology::devices() const {
  std::vector<Device> all;
  for (auto [vertex, end] = boost::vertices(*graph_); vertex != end; ++vertex) all.push_back((*graph_)[*vertex]);
  return all;
}

std::vector<Link> Topology::links() const {
  std::vector<Link> all;
  each_edge(*graph_, [&](const Graph::edge_descriptor& edge) { all.push_back((*graph_)[edge]); });
  return all;
}

std::string Topology::gpu_name(std::int64_t node, std::int64_t index) { return fmt::format("n{}.gpu{}", node, index); }
std::string Topology::host_name(std::int64_t node) { return fmt::format("n{}.host", node); }

BytesPerSecond Topology::cut(const std::vector<std::string>& inside) const {
  const std::set<std::string> names(inside.begin(), inside.end());
  BytesPerSecond total;
  each_edge(*graph_, [&](const Graph::edge_descriptor& edge) {
    const Link& link = (*graph_)[edge];
    if (names.count(link.from) != 0 && names.count(link.to) == 0) total += link.capacity;
  });
  return total;
}

}  // namespace brink::fabric
