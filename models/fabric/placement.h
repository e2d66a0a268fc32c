// Which GPU each rank of each replica runs on.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "models/fabric/cluster.h"

namespace brink::fabric {

struct GpuPlace {
  std::int64_t node = 0;
  std::int64_t index = 0;
  auto operator<=>(const GpuPlace&) const = default;
};

/// packed: as few nodes as possible; a replica that fits in one never straddles two, a larger one
///   takes whole nodes.
/// rail_aligned: as many nodes as a replica has ranks (or the cluster nodes), as few GPU numbers as
///   possible, the same on each: what crosses nodes stays on a rail's leaf.
/// spread: as many nodes, ranks dealt to them in turn, and other GPU numbers on each where there
///   is room: no two ranks share a node's fate or a rail, and the spine carries what they say.
enum class PlacementPolicy { packed, rail_aligned, spread };

/// "packed", "rail_aligned", "spread": in this order.
[[nodiscard]] const std::vector<std::string>& placement_policy_names();
[[nodiscard]] const std::string& policy_name(PlacementPolicy policy);
/// `name` is one of placement_policy_names().
[[nodiscard]] PlacementPolicy placement_policy(const std::string& name);

/// places[replica][rank]; no GPU twice. On one node all policies are the same. Throws ConfigError
/// at /engine/tensor_parallel_size or /engine/data_parallel_size.
[[nodiscard]] std::vector<std::vector<GpuPlace>> place_ranks(const Cluster& cluster, std::int64_t replicas,
                                                             std::int64_t ranks_per_replica,
                                                             PlacementPolicy policy = PlacementPolicy::packed);

}  // namespace brink::fabric
