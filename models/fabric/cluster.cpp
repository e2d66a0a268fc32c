#include "models/fabric/cluster.h"

#include <filesystem>
#include <fmt/format.h>

#include "models/base/error.h"
#include "models/base/object_reader.h"

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

void read_nvlink(ObjectReader fabric_reader, Cluster& cluster) {
  ObjectReader reader = fabric_reader.object("nvlink");
  cluster.has_nvlink = true;
  cluster.nvlink.each_way = bandwidth(reader, "gb_per_s_each_way");
  cluster.nvlink.latency = latency(reader, "latency_us");
  cluster.nvlink.switches = reader.integer_or("switches", 1, Range::between(1, 1024));
  reader.string_or("source", "");
  reader.finish();
}

void read_pcie(ObjectReader fabric_reader, Cluster& cluster) {
  ObjectReader reader = fabric_reader.object("pcie");
  cluster.pcie.each_way = bandwidth(reader, "gb_per_s_each_way");
  cluster.pcie.latency = latency(reader, "latency_us");
  reader.string_or("source", "");
  reader.finish();
}

void read_network(ObjectReader fabric_reader, Cluster& cluster) {
  ObjectReader reader = fabric_reader.object("network");
  NetworkSpec& network = cluster.network;
  cluster.has_network = true;
  network.kind = reader.choice_or("kind", {"rail_optimised", "single_switch"}, "rail_optimised") == "single_switch"
                     ? NetworkKind::single_switch
                     : NetworkKind::rail_optimised;
  network.nics_per_node = reader.integer("nics_per_node", Range::between(1, gpus_per_node_max));
  network.nic_each_way = bandwidth(reader, "nic_gb_per_s_each_way");
  network.nic_latency = latency(reader, "nic_latency_us");
  network.spine_latency = microseconds(reader.number_or("spine_latency_us", 0.0, Range::between(0, latency_us_max, "us")));
  network.nodes_per_unit = reader.integer_or("nodes_per_unit", 32, Range::between(1, nodes_max));
  network.oversubscription = reader.number_or("oversubscription", 1.0, Range::between(1, 1000));
  reader.string_or("source", "");
  reader.finish();
  if (cluster.gpus_per_node % network.nics_per_node != 0) {
    throw reader.error("nics_per_node", std::to_string(network.nics_per_node),
                       fmt::format("a divisor of gpus_per_node ({}), so that every NIC serves as many GPUs",
                                   cluster.gpus_per_node));
  }
}

void read_fabric(ObjectReader& root, Cluster& cluster) {
  if (!root.has("fabric")) {
    throw root.error("fabric", "nothing",
                     "an object with pcie, nvlink and network, as in configs/clusters/nd_h100_v5_2node.json");
  }
  ObjectReader reader = root.object("fabric");
  if (reader.has("nvlink")) read_nvlink(reader, cluster);
  read_pcie(reader, cluster);
  if (reader.has("network")) read_network(reader, cluster);
  if (cluster.nodes > 1 && !cluster.has_network) {
    throw reader.error("network", "nothing",
                       fmt::format("an object with nics_per_node, nic_gb_per_s_each_way and nic_latency_us: {} nodes "
                                   "need a network between them",
                                   cluster.nodes));
  }
  reader.ignore("nvlink");
  reader.ignore("pcie");
  reader.ignore("network");
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
