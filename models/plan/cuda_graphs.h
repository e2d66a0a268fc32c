// CUDA-graph batch sizes: a decode batch runs as the next captured size.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

namespace brink::plan {

/// Captured sizes for an engine that allows `max_num_seqs` sequences: 1, 2, 4, then 8..248 in
/// steps of 8, then 256.. in steps of 16 up to min(2*max_num_seqs, 512) (vLLM V1,
/// config/vllm.py _set_cudagraph_sizes).
[[nodiscard]] std::vector<std::int64_t> cuda_graph_sizes(std::int64_t max_num_seqs);

/// The largest captured size for that engine.
[[nodiscard]] std::int64_t cuda_graph_max(std::int64_t max_num_seqs);

/// Tokens a batch of `tokens` runs as under graphs captured up to `max` (cuda_graph_max), or
/// nothing when it is larger and runs without a full graph. O(1).
[[nodiscard]] std::optional<std::int64_t> padded_tokens(std::int64_t tokens, std::int64_t max);

}  // namespace brink::plan
