#include "models/fabric/placement.h"

#include <fmt/format.h>

#include "models/base/error.h"

namespace brink::fabric {

std::vector<std::vector<GpuPlace>> place_ranks(const Cluster& cluster, std::int64_t replicas,
                                               std::int64_t ranks_per_replica) {
  const std::int64_t per_node = cluster.gpus_per_node;
  if (ranks_per_replica < 1 || ranks_per_replica > cluster.gpus()) {
    throw ConfigError("/engine/tensor_parallel_size", std::to_string(ranks_per_replica),
                      fmt::format("between 1 and the cluster's {} GPUs", cluster.gpus()));
  }
  // A replica that fits in a node never straddles two; a larger one takes whole nodes.
  const bool inside = ranks_per_replica <= per_node;
  const std::int64_t per_slot = inside ? per_node / ranks_per_replica : 1;
  const std::int64_t nodes_each = inside ? 1 : (ranks_per_replica + per_node - 1) / per_node;
  const std::int64_t room = cluster.nodes / nodes_each * per_slot;
  if (replicas < 1 || replicas > room) {
    throw ConfigError("/engine/data_parallel_size", std::to_string(replicas),
                      fmt::format("between 1 and {}: {} nodes of {} GPUs hold that many replicas of {} ranks", room,
                                  cluster.nodes, per_node, ranks_per_replica));
  }
  std::vector<std::vector<GpuPlace>> places;
  for (std::int64_t replica = 0; replica < replicas; ++replica) {
    const std::int64_t first_node = replica / per_slot * nodes_each;
    const std::int64_t first_gpu = replica % per_slot * ranks_per_replica;
    std::vector<GpuPlace> ranks;
    for (std::int64_t rank = 0; rank < ranks_per_replica; ++rank) {
      const std::int64_t gpu = inside ? first_gpu + rank : rank;
      ranks.push_back({first_node + gpu / per_node, gpu % per_node});
    }
    places.push_back(std::move(ranks));
  }
  return places;
}

}  // namespace brink::fabric
