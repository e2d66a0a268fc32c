// Which GPU each rank of each replica runs on: packed, a replica never straddles a node
// unless it is larger than one.
#pragma once

#include <cstdint>
#include <vector>

#include "models/fabric/cluster.h"

namespace brink::fabric {

struct GpuPlace {
  std::int64_t node = 0;
  std::int64_t index = 0;
  auto operator<=>(const GpuPlace&) const = default;
};

/// places[replica][rank]. A replica that fits in one node is put in the first node with room.
/// Throws ConfigError at /engine/tensor_parallel_size or /engine/data_parallel_size.
[[nodiscard]] std::vector<std::vector<GpuPlace>> place_ranks(const Cluster& cluster, std::int64_t replicas,
                                                             std::int64_t ranks_per_replica);

}  // namespace brink::fabric
