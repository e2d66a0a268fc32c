#include "models/fabric/cluster.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fmt/format.h>

#include "models/base/error.h"
#include "models/base/object_reader.h"
#include "models/fabric/graph_json.h"
#include "models/fabric/topology.h"

namespace brink::fabric {
namespace {

constexpr double gpus_per_node_max = 1024, nodes_max = 1e5, gb_per_s_max = 1e6, latency_us_max = 1e6;

BytesPerSecond bandwidth(ObjectReader& reader, const char* key) {
  Range range = Range::between(0, gb_per_s_max, "GB/s");
  range.min_open = true;
  return BytesPerSecond(1e9 * reader.number(key, range));
}

Seconds latency(ObjectReader& reader, const char* key) {
  return microseconds(reader.number(key, Range::between(0, latency_us_max, "us")));
}

void read_nvlink(ObjectReader& fabric_reader, Cluster& cluster) {
  ObjectReader reader = fabric_reader.object("nvlink");
  cluster.has_nvlink = true;
  cluster.nvlink.each_way = bandwidth(reader, "gb_per_s_each_way");
  cluster.nvlink.latency = latency(reader, "latency_us");
  cluster.nvlink.switches = reader.integer_or("switches", 1, Range::between(1, 1024));
  reader.string_or("source", "");
  reader.finish();
}

void read_pcie(ObjectReader& fabric_reader, Cluster& cluster) {
  ObjectReader reader = fabric_reader.object("pcie");
  cluster.pcie.each_way = bandwidth(reader, "gb_per_s_each_way");
  cluster.pcie.latency = latency(reader, "latency_us");
  reader.string_or("source", "");
  reader.finish();
}

// A leaf of k ports and oversubscription o has k o / (1 + o) of them down (Leiserson's fat tree
// built of equal switches: Al-Fares et al., SIGCOMM 2008, section 3, who have o = 1).
void read_fat_tree(ObjectReader& reader, const Cluster& cluster, NetworkSpec& network) {
  network.switch_ports = reader.integer_or("switch_ports", 64, Range::between(2, 4096));
  const auto ports = static_cast<double>(network.switch_ports);
  const double ratio = network.oversubscription;
  const auto even = static_cast<std::int64_t>(ports * ratio / (1.0 + ratio));
  network.leaf_down_ports = reader.integer_or("leaf_down_ports", std::max<std::int64_t>(even, 1), Range::between(1, ports - 1));
  const double up = static_cast<double>(network.leaf_down_ports) / ratio;
  if (static_cast<double>(network.leaf_down_ports) + up > ports) {
    throw reader.error("leaf_down_ports", std::to_string(network.leaf_down_ports),
                       fmt::format("at most {}: with {:g} ports up a leaf needs {:g} of its {} ports", even, up,
                                   static_cast<double>(network.leaf_down_ports) + up, network.switch_ports));
  }
  const auto leaves = static_cast<double>(network.fat_tree_leaves(cluster.nodes));
  const auto needed = std::max<std::int64_t>(1, static_cast<std::int64_t>(std::ceil(leaves * up / ports)));
  network.spines = reader.integer_or("spines", needed, Range::between(1, 4096));
  if (leaves > 1.0 && network.spines < needed) {
    throw reader.error("spines", std::to_string(network.spines),
                       fmt::format("at least {}: {:g} leaves of {:g} ports up on switches of {} ports", needed, leaves, up,
                                   network.switch_ports));
  }
  if (leaves > 1.0 && static_cast<double>(network.spines) > up) {
    throw reader.error("spines", std::to_string(network.spines),
                       fmt::format("at most {:g}, the ports up of a leaf: every leaf reaches every spine", std::floor(up)));
  }
}

NetworkKind kind_of(const std::string& name) {
  if (name == "fat_tree") return NetworkKind::fat_tree;
  return name == "single_switch" ? NetworkKind::single_switch : NetworkKind::rail_optimised;
}

void read_network(ObjectReader& fabric_reader, Cluster& cluster) {
  ObjectReader reader = fabric_reader.object("network");
  NetworkSpec& network = cluster.network;
  cluster.has_network = true;
  network.kind = kind_of(reader.choice_or("kind", {"rail_optimised", "fat_tree", "single_switch"}, "rail_optimised"));
  network.nics_per_node = reader.integer("nics_per_node", Range::between(1, gpus_per_node_max));
  network.nic_each_way = bandwidth(reader, "nic_gb_per_s_each_way");
  network.nic_latency = latency(reader, "nic_latency_us");
  network.spine_latency = microseconds(reader.number_or("spine_latency_us", 0.0, Range::between(0, latency_us_max, "us")));
  network.oversubscription = reader.number_or("oversubscription", 1.0, Range::between(1, 1000));
  if (network.kind == NetworkKind::fat_tree) read_fat_tree(reader, cluster, network);
  else network.nodes_per_unit = reader.integer_or("nodes_per_unit", 32, Range::between(1, nodes_max));
  reader.string_or("source", "");
  reader.finish();
  if (cluster.gpus_per_node % network.nics_per_node != 0) {
    throw reader.error("nics_per_node", std::to_string(network.nics_per_node),
                       fmt::format("a divisor of gpus_per_node ({}), so that every NIC serves as many GPUs",
                                   cluster.gpus_per_node));
  }
}

void read_hbm(ObjectReader& fabric_reader, Cluster& cluster) {
  ObjectReader reader = fabric_reader.object("hbm");
  cluster.hbm.bandwidth = bandwidth(reader, "gb_per_s");
  reader.string_or("source", "");
  reader.finish();
}

// Whether a drawn graph holds together is known here already, where its pointer is.
void check_graph(const ObjectReader& reader, const Cluster& cluster) {
  try {
    const Topology topology(cluster);
  } catch (const ConfigError& error) {
    throw reader.error("graph", error.got(), error.allowed());
  }
}

void read_fabric(ObjectReader& root, Cluster& cluster) {
  if (!root.has("fabric")) {
    throw root.error("fabric", "nothing",
                     "an object with pcie, nvlink and network, as in configs/clusters/nd_h100_v5_2node.json");
  }
  ObjectReader reader = root.object("fabric");
  if (reader.has("hbm")) read_hbm(reader, cluster);
  if (reader.has("graph")) {
    read_graph(reader.object("graph"), cluster);
    reader.finish();
    check_graph(reader, cluster);
    return;
  }
  if (reader.has("nvlink")) read_nvlink(reader, cluster);
  read_pcie(reader, cluster);
  if (reader.has("network")) read_network(reader, cluster);
  if (cluster.nodes > 1 && !cluster.has_network) {
    throw reader.error("network", "nothing",
                       fmt::format("an object with nics_per_node, nic_gb_per_s_each_way and nic_latency_us: {} nodes "
                                   "need a network between them",
                                   cluster.nodes));
  }
  reader.finish();
}

}  // namespace

Cluster read_cluster(const Json& json, const std::string& folder, const std::string& pointer) {
  ObjectReader reader(json, pointer);
  reader.integer_or("schema_version", 1, Range::between(1, 1));
  Cluster cluster;
  cluster.name = reader.string_or("name", "cluster");
  const std::filesystem::path gpu = reader.string("gpu");
  if (gpu.empty()) throw reader.error("gpu", "an empty string", "the path of a GPU file, such as configs/gpus/h100_sxm.json");
  cluster.gpu_path = (gpu.is_absolute() ? gpu : std::filesystem::path(folder) / gpu).lexically_normal().string();
  cluster.gpus_per_node = reader.integer("gpus_per_node", Range::between(1, gpus_per_node_max));
  cluster.nodes = reader.integer("nodes", Range::between(1, nodes_max));
  read_fabric(reader, cluster);
  reader.string_or("source", "");
  reader.finish();
  return cluster;
}

Cluster load_cluster(const std::string& path) {
  try {
    return read_cluster(load_json(path), std::filesystem::path(path).parent_path().string());
  } catch (const ConfigError& error) {
    throw error.in_file(path);
  }
}

}  // namespace brink::fabric
