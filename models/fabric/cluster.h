// What a cluster is made of: one GPU type, identical nodes, a fabric
// inside and between them.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "models/base/json.h"
#include "models/base/units.h"

namespace brink::fabric {

struct GraphSpec;

/// A GPU's memory as a link that its own kernels, copies out and copies in share.
struct HbmSpec {
  BytesPerSecond bandwidth{0.0};  // reads and writes together; zero: no memories in the graph
};

/// GPUs of a node joined by NVLink through the node's switch complex.
struct NvLinkSpec {
  BytesPerSecond each_way{0.0};   // one GPU, one direction, all its links together
  Seconds latency{0.0};           // GPU to switch; a GPU-to-GPU route pays it twice
  std::int64_t switches = 0;      // chips; traffic stripes over all of them
};

struct PcieSpec {
  BytesPerSecond each_way{0.0};   // GPU to its PCIe switch, and switch to NIC or host
  Seconds latency{0.0};
};

/// rail_optimised: NIC i of every node of a scalable unit meets in leaf i, leaves meet in a
/// spine. fat_tree: NICs fill leaf after leaf in the order of their nodes, every leaf has a cable
/// bundle to every spine. single_switch: every NIC on one non-blocking switch.
enum class NetworkKind { rail_optimised, fat_tree, single_switch };

struct NetworkSpec {
  NetworkKind kind = NetworkKind::rail_optimised;
  std::int64_t nics_per_node = 0;
  BytesPerSecond nic_each_way{0.0};
  Seconds nic_latency{0.0};       // NIC to leaf, send or receive side
  Seconds spine_latency{0.0};     // leaf to spine
  std::int64_t nodes_per_unit = 32;
  double oversubscription = 1.0;  // leaf down capacity / leaf up capacity
  // Of a fat tree only:
  std::int64_t switch_ports = 64;     // of a leaf or a spine
  std::int64_t leaf_down_ports = 0;   // NICs on a leaf
  std::int64_t spines = 1;

  /// Leaves of a fat tree of so many nodes.
  [[nodiscard]] std::int64_t fat_tree_leaves(std::int64_t nodes) const {
    return (nodes * nics_per_node + leaf_down_ports - 1) / leaf_down_ports;
  }
};

struct Cluster {
  std::string name;
  std::string gpu_path;           // resolved against the cluster file; gpu::load_gpu reads it
  std::int64_t gpus_per_node = 0;
  std::int64_t nodes = 0;
  bool has_nvlink = false;
  NvLinkSpec nvlink;
  PcieSpec pcie;
  bool has_network = false;       // always true for nodes > 1
  NetworkSpec network;
  HbmSpec hbm;                    // from the file's fabric.hbm, else set by who knows the GPU
  /// A free-form fabric in place of the above, which then describe it as far as they can.
  std::shared_ptr<const GraphSpec> graph;

  [[nodiscard]] std::int64_t gpus() const { return gpus_per_node * nodes; }
};

/// Reads configs/clusters/*.json (or a scenario's /cluster path). Throws ConfigError.
[[nodiscard]] Cluster load_cluster(const std::string& path);

/// Reads an inline cluster object; `folder` resolves its relative "gpu" path and `pointer`
/// prefixes error pointers (a scenario passes "/cluster").
[[nodiscard]] Cluster read_cluster(const Json& json, const std::string& folder, const std::string& pointer = "");

}  // namespace brink::fabric
