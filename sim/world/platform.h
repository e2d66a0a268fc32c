// The cluster as SimGrid sees it: GPUs are hosts with their sustained FLOP/s, every direction
// of every cable is a link, and the pairs that will talk have a route. Latencies are kept
// here, apart from the links: SimGrid shares a link in inverse proportion to route latency
// (two flows with 1 us and 10 us would share 10:1), so its links carry latency 0.
#pragma once

#include <cstddef>
#include <map>
#include <utility>
#include <vector>

#include "models/base/units.h"
#include "models/fabric/placement.h"
#include "models/fabric/topology.h"
#include "sim/world/simgrid_api.h"

namespace brink::world {

struct Platform {
  std::vector<simgrid_api::HostSpec> hosts;  // GPUs, node by node
  std::vector<simgrid_api::LinkSpec> links;
  std::vector<simgrid_api::RouteSpec> routes;
  std::map<std::pair<std::size_t, std::size_t>, Seconds> latencies;  // by (from host, to host)

  /// Sum of the link latencies on the way; throws Error for a pair without a route.
  [[nodiscard]] Seconds latency(std::size_t from, std::size_t to) const;
};

/// `gpu_speed` is a GPU's sustained rate. `groups`: the GPUs that exchange data with each other (the ranks of one replica); every
/// ordered pair inside a group gets a route. `gpu_speed` is a GPU's sustained FLOP/s.
[[nodiscard]] Platform make_platform(const fabric::Cluster& cluster, const fabric::Topology& topology,
                                     const std::vector<std::vector<fabric::GpuPlace>>& groups,
                                     FlopsPerSecond gpu_speed);

/// Index of a GPU in Platform::hosts.
[[nodiscard]] std::size_t host_index(const fabric::Cluster& cluster, const fabric::GpuPlace& place);

}  // namespace brink::world
