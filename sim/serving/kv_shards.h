// Which GPU sends what part of a prompt's KV to which, between two tensor-parallel groups of any sizes.
#pragma once

#include <cstdint>
#include <vector>

namespace brink::serving {

/// KV heads that rank `from` of the sender owes rank `to` of the receiver.
struct KvShard {
  std::int64_t from = 0, to = 0;
  std::int64_t heads = 0;
  bool operator==(const KvShard&) const = default;
};

/// Rank r of R holds heads [r H/R, (r+1) H/R); with more ranks than heads, head floor(r H/R), R/H ranks a copy
/// (vLLM, model_executor/layers/linear.py, QKVParallelLinear). Every receiving rank gets each of its heads once;
/// copies at the sender take turns. Ordered by (to, from). Heads divide over the ranks or the ranks over the heads
/// on both sides (asserted).
[[nodiscard]] std::vector<KvShard> kv_shards(std::int64_t kv_heads, std::int64_t from_ranks, std::int64_t to_ranks);

}  // namespace brink::serving
