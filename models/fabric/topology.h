// The cluster as a graph: devices are vertices, each direction of a cable is an edge with its
// own capacity. sim/world turns links into simulated resources one to one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <boost/graph/adjacency_list.hpp>

#include "models/base/units.h"
#include "models/fabric/cluster.h"

namespace brink::fabric {

enum class DeviceKind { gpu, nvswitch, pcie_switch, nic, host, leaf, spine };

struct Device {
  std::string name;               // "n0.gpu3", "n0.nvswitch", "leaf2", "spine"
  DeviceKind kind = DeviceKind::gpu;
  std::int64_t node = -1;         // -1: not inside a node
  std::int64_t index = 0;         // gpu, nic or rail number inside its node or unit
};

/// One direction of one cable.
struct Link {
  std::string name;               // "n0.gpu3->n0.nvswitch"
  std::string from, to;           // device names
  BytesPerSecond capacity{0.0};
  Seconds latency{0.0};
};

using Graph = boost::adjacency_list<boost::vecS, boost::vecS, boost::directedS, Device, Link>;

struct Route {
  std::vector<Link> links;        // in travel order; empty when source = destination
  Seconds latency{0.0};           // sum
  BytesPerSecond bottleneck{0.0}; // least capacity; zero for an empty route
};

class Topology {
 public:
  /// Builds and checks: connected, positive capacities, no device without both directions.
  explicit Topology(const Cluster& cluster);
  /// Checks a hand-built graph the same way (throws ConfigError at /fabric...).
  explicit Topology(std::shared_ptr<const Graph> graph);

  [[nodiscard]] const Graph& graph() const { return *graph_; }
  [[nodiscard]] std::vector<Device> devices() const;
  [[nodiscard]] std::vector<Link> links() const;
  /// Name of GPU `index` of `node`.
  [[nodiscard]] static std::string gpu_name(std::int64_t node, std::int64_t index);
  [[nodiscard]] static std::string host_name(std::int64_t node);

  /// The least-latency route (fewest links among equals). GPUs relay for others only inside
  /// their node (NCCL's PXN), never across. Throws ConfigError for an unknown device name.
  [[nodiscard]] Route route(const std::string& from, const std::string& to) const;

  /// Capacity that leaves the given devices towards all the others.
  [[nodiscard]] BytesPerSecond cut(const std::vector<std::string>& inside) const;

 private:
  std::shared_ptr<const Graph> graph_;  // immutable: copies of a topology share it
};

}  // namespace brink::fabric
