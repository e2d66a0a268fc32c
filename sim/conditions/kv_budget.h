// How background consumers of KV blocks share memory with decoding: not at all, or within a budget.
#pragma once

#include <cstdint>
#include <vector>

#include "sim/serving/i_kv_consumer.h"

namespace brink::conditions {

/// What one consumer may pin. With coordination the memory left to decoding, as the regime sees it (free blocks
/// less everything that consumers pin), stays above a share of the pool: consumers wait, send less at a time or
/// skip instead. Without, nobody asks.
class KvBudget {
 public:
  /// The default: no coordination.
  KvBudget() = default;
  /// `share` of the pool is left to decoding. `all`: every consumer of the replica; outlives the budget.
  KvBudget(double share, const std::vector<const serving::IKvConsumer*>& all)
      : coordinated_(true), share_(share), all_(&all) {}

  [[nodiscard]] bool coordinated() const { return coordinated_; }
  /// Blocks that may be pinned in addition; <= 0: none.
  [[nodiscard]] std::int64_t room(const serving::KvView& view) const;

 private:
  bool coordinated_ = false;
  double share_ = 0.0;
  const std::vector<const serving::IKvConsumer*>* all_ = nullptr;
};

}  // namespace brink::conditions
