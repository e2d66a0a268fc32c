#include "models/fabric/placement.h"

#include <algorithm>

#include <fmt/format.h>

#include "models/base/error.h"

namespace brink::fabric {
namespace {

// Replicas come in blocks of `nodes` nodes, `slots` replicas a block, each with `each` GPUs of
// every node of its block.
struct Blocks {
  std::int64_t nodes = 1, each = 1, slots = 1;
};

Blocks blocks_of(const Cluster& cluster, std::int64_t ranks, PlacementPolicy policy) {
  const std::int64_t per_node = cluster.gpus_per_node;
  if (policy == PlacementPolicy::packed) {
    if (ranks <= per_node) return {1, ranks, per_node / ranks};
    return {(ranks + per_node - 1) / per_node, per_node, 1};
  }
  const std::int64_t nodes = std::min(cluster.nodes, ranks);
  const std::int64_t each = (ranks + nodes - 1) / nodes;
  return {nodes, each, per_node / each};
}

GpuPlace place_of(const Blocks& blocks, std::int64_t replica, std::int64_t rank, PlacementPolicy policy) {
  const std::int64_t first_node = replica / blocks.slots * blocks.nodes;
  std::int64_t slot = replica % blocks.slots;
  if (policy != PlacementPolicy::spread)
    return {first_node + rank / blocks.each, slot * blocks.each + rank % blocks.each};
  const std::int64_t node = rank % blocks.nodes;
  slot = (slot + node) % blocks.slots;
  return {first_node + node, slot * blocks.each + rank / blocks.nodes};
}

}  // namespace

const std::vector<std::string>& placement_policy_names() {
  static const std::vector<std::string> names = {"packed", "rail_aligned", "spread"};
  return names;
}

const std::string& policy_name(PlacementPolicy policy) { return placement_policy_names()[static_cast<std::size_t>(policy)]; }

PlacementPolicy placement_policy(const std::string& name) {
  const auto& names = placement_policy_names();
  return static_cast<PlacementPolicy>(std::find(names.begin(), names.end(), name) - names.begin());
}

std::vector<std::vector<GpuPlace>> place_ranks(const Cluster& cluster, std::int64_t replicas,
                                               std::int64_t ranks_per_replica, PlacementPolicy policy) {
  if (ranks_per_replica < 1 || ranks_per_replica > cluster.gpus()) {
    throw ConfigError("/engine/tensor_parallel_size", std::to_string(ranks_per_replica),
                      fmt::format("between 1 and the cluster's {} GPUs", cluster.gpus()));
  }
  const Blocks blocks = blocks_of(cluster, ranks_per_replica, policy);
  const std::int64_t room = cluster.nodes / blocks.nodes * blocks.slots;
  if (replicas < 1 || replicas > room) {
    const std::string how = policy == PlacementPolicy::packed ? "" : ", placed " + policy_name(policy);
    throw ConfigError("/engine/data_parallel_size", std::to_string(replicas),
                      fmt::format("between 1 and {}: {} nodes of {} GPUs hold that many replicas of {} ranks{}", room,
                                  cluster.nodes, cluster.gpus_per_node, ranks_per_replica, how));
  }
  std::vector<std::vector<GpuPlace>> places;
  for (std::int64_t replica = 0; replica < replicas; ++replica) {
    std::vector<GpuPlace> ranks;
    for (std::int64_t rank = 0; rank < ranks_per_replica; ++rank) ranks.push_back(place_of(blocks, replica, rank, policy));
    places.push_back(std::move(ranks));
  }
  return places;
}

}  // namespace brink::fabric
