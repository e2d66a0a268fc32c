// Which GPUs a condition acts on.
#pragma once

#include <cstdint>

#include "models/base/ids.h"

namespace brink::conditions {

struct Target {
  static constexpr std::int64_t all = -1;

  std::int64_t replica = all;
  std::int64_t rank = all;

  [[nodiscard]] bool covers(ReplicaId id) const {
    return replica == all || static_cast<std::uint64_t>(replica) == id.value;
  }
  [[nodiscard]] bool covers_rank(std::int64_t r) const { return rank == all || rank == r; }
  /// Some GPU belongs to both.
  [[nodiscard]] bool meets(const Target& other) const {
    const bool replicas = replica == all || other.replica == all || replica == other.replica;
    return replicas && (rank == all || other.rank == all || rank == other.rank);
  }
};

}  // namespace brink::conditions
