#include "models/fabric/wiring.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include <fmt/format.h>

#include "models/fabric/graph_spec.h"

namespace brink::fabric {

const char* kind_name(DeviceKind kind) {
  switch (kind) {
    case DeviceKind::gpu: return "gpu";
    case DeviceKind::hbm: return "hbm";
    case DeviceKind::nvswitch: return "nvswitch";
    case DeviceKind::pcie_switch: return "pcie_switch";
    case DeviceKind::nic: return "nic";
    case DeviceKind::host: return "host";
    case DeviceKind::leaf: return "leaf";
    case DeviceKind::spine: return "spine";
  }
  return "device";
}

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

  std::shared_ptr<const Graph> draw(const GraphSpec& spec) {
    std::map<std::string, Vertex> vertices;
    std::set<std::pair<std::int64_t, std::int64_t>> memories;
    for (const Device& d : spec.devices) {
      vertices[d.name] = boost::add_vertex(d, graph_);
      if (d.kind == DeviceKind::hbm) memories.insert({d.node, d.index});
    }
    for (const Cable& c : spec.cables) {
      const Vertex from = vertices.at(c.from), to = vertices.at(c.to);
      if (c.half_duplex) half_duplex(from, to, c.there, c.latency);
      else link(from, to, c.there, c.latency), link(to, from, c.back, c.latency);
    }
    for (const Device& d : spec.devices)
      if (d.kind == DeviceKind::gpu && memories.count({d.node, d.index}) == 0) add_memory(vertices.at(d.name), d.name + ".hbm");
    return std::move(owned_);
  }

 private:
  Vertex device(std::string name, DeviceKind kind, std::int64_t node, std::int64_t index, std::int64_t chips = 1) {
    return boost::add_vertex(Device{std::move(name), kind, node, index, chips}, graph_);
  }

  void link(Vertex from, Vertex to, BytesPerSecond capacity, Seconds latency, const std::string& medium = {}) {
    const std::string& a = graph_[from].name;
    const std::string& b = graph_[to].name;
    boost::add_edge(from, to, Link{a + "->" + b, a, b, capacity, latency, medium}, graph_);
  }

  void cable(Vertex a, Vertex b, BytesPerSecond each_way, Seconds latency) {
    link(a, b, each_way, latency);
    link(b, a, each_way, latency);
  }

  void half_duplex(Vertex a, Vertex b, BytesPerSecond capacity, Seconds latency) {
    const std::string medium = graph_[a].name + "=" + graph_[b].name;
    link(a, b, capacity, latency, medium);
    link(b, a, capacity, latency, medium);
  }

  // Reads and writes share the memory's bandwidth. Latency 0: those of the other links come from
  // transfers between memories and hold it already.
  void add_memory(Vertex gpu, std::string name) {
    if (!(cluster_.hbm.bandwidth.value() > 0.0)) return;
    const Vertex memory = device(std::move(name), DeviceKind::hbm, graph_[gpu].node, graph_[gpu].index);
    half_duplex(gpu, memory, cluster_.hbm.bandwidth, Seconds(0.0));
  }

  void add_switches() {
    switch (cluster_.network.kind) {
      case NetworkKind::single_switch: leaves_.push_back(device("leaf0", DeviceKind::leaf, -1, 0)); break;
      case NetworkKind::rail_optimised: add_rails(); break;
      case NetworkKind::fat_tree: add_fat_tree(); break;
    }
  }

  void add_leaves(std::int64_t count) {
    for (std::int64_t leaf = 0; leaf < count; ++leaf)
      leaves_.push_back(device(fmt::format("leaf{}", leaf), DeviceKind::leaf, -1, leaf));
  }

  // Leaf r of unit u joins NIC r of the unit's nodes. A spine exists only where there is something
  // to join: several leaves.
  void add_rails() {
    const NetworkSpec& network = cluster_.network;
    const std::int64_t units = (cluster_.nodes + network.nodes_per_unit - 1) / network.nodes_per_unit;
    const std::int64_t leaves = units * network.nics_per_node;
    add_leaves(leaves);
    if (leaves == 1) return;
    const Vertex spine = device("spine", DeviceKind::spine, -1, 0);
    for (std::int64_t leaf = 0; leaf < leaves; ++leaf) {
      const std::int64_t first = leaf / network.nics_per_node * network.nodes_per_unit;
      const auto nodes_below = static_cast<double>(std::min(network.nodes_per_unit, cluster_.nodes - first));
      cable(leaves_[static_cast<std::size_t>(leaf)], spine, network.nic_each_way * nodes_below / network.oversubscription,
            network.spine_latency);
    }
  }

  // The ports up of a leaf are dealt evenly over the spines; those to one spine are one link.
  void add_fat_tree() {
    const NetworkSpec& network = cluster_.network;
    add_leaves(network.fat_tree_leaves(cluster_.nodes));
    if (leaves_.size() == 1) return;
    const BytesPerSecond up = network.nic_each_way * static_cast<double>(network.leaf_down_ports) / network.oversubscription /
                              static_cast<double>(network.spines);
    for (std::int64_t s = 0; s < network.spines; ++s) {
      const Vertex spine = device(fmt::format("spine{}", s), DeviceKind::spine, -1, s);
      for (const Vertex leaf : leaves_) cable(leaf, spine, up, network.spine_latency);
    }
  }

  Vertex leaf_of(std::int64_t node, std::int64_t nic) const {
    const NetworkSpec& network = cluster_.network;
    std::int64_t leaf = 0;
    if (network.kind == NetworkKind::rail_optimised) leaf = node / network.nodes_per_unit * network.nics_per_node + nic;
    if (network.kind == NetworkKind::fat_tree) leaf = (node * network.nics_per_node + nic) / network.leaf_down_ports;
    return leaves_[static_cast<std::size_t>(leaf)];
  }

  // One PCIe switch per NIC (or per GPU without a network) joins GPUs, NIC and host, as on
  // HGX boards, where GPU-direct traffic does not pass the host.
  void add_node(std::int64_t node) {
    const Vertex host = device(fmt::format("n{}.host", node), DeviceKind::host, node, 0);
    Vertex nvswitch = host;
    if (cluster_.has_nvlink)
      nvswitch = device(fmt::format("n{}.nvswitch", node), DeviceKind::nvswitch, node, 0, cluster_.nvlink.switches);
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
        const Vertex gpu = device(fmt::format("n{}.gpu{}", node, index), DeviceKind::gpu, node, index);
        cable(gpu, pcie, cluster_.pcie.each_way, cluster_.pcie.latency);
        if (cluster_.has_nvlink) cable(gpu, nvswitch, cluster_.nvlink.each_way, cluster_.nvlink.latency);
        add_memory(gpu, fmt::format("n{}.hbm{}", node, index));
      }
    }
  }

  const Cluster& cluster_;
  std::shared_ptr<Graph> owned_ = std::make_shared<Graph>();
  Graph& graph_ = *owned_;
  std::vector<Vertex> leaves_;
};

}  // namespace

std::shared_ptr<const Graph> wire(const Cluster& cluster) {
  Wiring wiring(cluster);
  return cluster.graph ? wiring.draw(*cluster.graph) : wiring.build();
}

}  // namespace brink::fabric
