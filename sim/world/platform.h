// The cluster as SimGrid sees it: GPUs are hosts with their sustained FLOP/s, every direction
// of every cable is a link (both directions of an HBM are one), and the pairs that will talk have a route. Latencies are kept
// here, apart from the links: SimGrid shares a link in inverse proportion to route latency
// (two flows with 1 us and 10 us would share 10:1), so its links carry latency 0.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "models/base/units.h"
#include "models/fabric/placement.h"
#include "models/fabric/topology.h"
#include "sim/world/simgrid_api.h"

namespace brink::world {

struct Platform {
  std::vector<simgrid_api::HostSpec> hosts;  // GPUs, node by node; memories and node hosts after them where they talk
  std::vector<simgrid_api::LinkSpec> links;
  std::vector<simgrid_api::RouteSpec> routes;
  std::map<std::pair<std::size_t, std::size_t>, Seconds> latencies;  // by (from host, to host)

  /// Sum of the link latencies on the way; throws Error for a pair without a route.
  [[nodiscard]] Seconds latency(std::size_t from, std::size_t to) const;
  /// Number of a link by its name in the topology (either way of an HBM's gives the same); throws Error for none.
  [[nodiscard]] std::size_t link(const std::string& name) const;

  std::map<std::string, std::size_t> link_index;  // by name in the topology
};

/// Who exchanges data with whom. Every ordered pair inside a group gets a route.
struct Traffic {
  /// Kernels of one replica's ranks: from GPU to GPU, no HBM on the way (collectives' measured costs hold it).
  std::vector<std::vector<fabric::GpuPlace>> ranks;
  /// Copies between GPUs' memories (KV transfer, replication, weights from a peer): they cross both HBMs. Each memory
  /// also gets a route to its own GPU and back, which kernels' own HBM traffic takes.
  std::vector<std::vector<fabric::GpuPlace>> memories;
  /// Nodes whose hosts exchange data with each other, and each with those memories above that are its node's
  /// (weights from storage, offload, background tenants).
  std::vector<std::int64_t> hosts;
};

/// `gpu_speed` is a GPU's sustained rate. Throws ConfigError when a pair has no path, or where the fabric has no
/// memories or hosts and the traffic names some.
[[nodiscard]] Platform make_platform(const fabric::Cluster& cluster, const fabric::Topology& topology,
                                     const Traffic& traffic, FlopsPerSecond gpu_speed);
/// Of ranks alone.
[[nodiscard]] Platform make_platform(const fabric::Cluster& cluster, const fabric::Topology& topology,
                                     const std::vector<std::vector<fabric::GpuPlace>>& groups,
                                     FlopsPerSecond gpu_speed);

/// Index in Platform::hosts of a GPU, of its memory, of a node's host.
[[nodiscard]] std::size_t host_index(const fabric::Cluster& cluster, const fabric::GpuPlace& place);
[[nodiscard]] std::size_t memory_index(const fabric::Cluster& cluster, const fabric::GpuPlace& place);
[[nodiscard]] std::size_t node_host_index(const fabric::Cluster& cluster, std::int64_t node);

}  // namespace brink::world
