// How much can flow between parts of a cluster, by max-flow = min-cut.
#pragma once

#include <string>
#include <vector>

#include "models/fabric/cluster.h"
#include "models/fabric/placement.h"
#include "models/fabric/topology.h"

namespace brink::fabric {

struct Cut {
  BytesPerSecond capacity{0.0};          // one way, the lesser of the two ways
  std::vector<std::string> smaller_side; // GPUs on the side with fewer of them, in the order given
};

/// The narrowest cut of a group of GPUs: the least capacity, one way, over all splits of the group
/// in two. Only links on the group's own least-latency routes count, so that PCIe beside NVLink
/// widens nothing. Needs two GPUs or more; throws ConfigError when two of them have no route.
[[nodiscard]] Cut narrowest_cut(const Topology& topology, const std::vector<std::string>& gpus);

/// Bisection bandwidth: the least capacity, one way, between two halves of the nodes (of the GPUs
/// when there is one node). Exact for up to 10 of them, all halves being tried; above, the halves
/// are the first and the last, which is the narrowest split of the built-in fabrics (leaves and
/// units fill in the order of the nodes) and an upper bound for a drawn one. Zero for one GPU.
[[nodiscard]] BytesPerSecond bisection(const Topology& topology, const Cluster& cluster);

/// Throws ConfigError at /fabric unless every GPU of every group has a route to every other of it.
void check_routes(const Topology& topology, const std::vector<std::vector<GpuPlace>>& groups);

/// Names of the GPUs of a group.
[[nodiscard]] std::vector<std::string> gpu_names(const Topology& topology, const std::vector<GpuPlace>& places);

}  // namespace brink::fabric
