// What one tensor-parallel rank holds: head counts, widths, weight and KV bytes.
#pragma once

#include <cstdint>
#include <vector>

#include "models/base/units.h"
#include "models/transformer/model.h"

namespace brink::transformer {

/// vLLM pads the vocabulary to a multiple of 64 before it is cut over the ranks
/// (vllm/model_executor/layers/vocab_parallel_embedding.py, DEFAULT_VOCAB_PADDING_SIZE).
inline constexpr std::int64_t vocab_padding = 64;

struct RankShape {
  std::int64_t tensor_parallel = 1;
  std::int64_t q_heads = 0;
  std::int64_t kv_heads = 0;      // at least 1: KV heads are replicated when tp > kv_heads
  std::int64_t intermediate = 0;
  std::int64_t vocab = 0;         // padded share
};

/// Degrees (1, 2, 3 ... up to `max`) that divide the heads, the KV heads (or are a multiple of
/// them), the MLP width and the padded vocabulary.
[[nodiscard]] std::vector<std::int64_t> allowed_tensor_parallel(const Model& model, std::int64_t max);

/// Throws ConfigError at /engine/tensor_parallel_size when the model cannot be cut `tp` ways,
/// naming the nearest degrees that work.
[[nodiscard]] RankShape rank_shape(const Model& model, std::int64_t tp);

/// Weights on one rank, replicated and padded parts included.
[[nodiscard]] Bytes weight_bytes_per_rank(const Model& model, std::int64_t tp);

/// Keys and values of one token over all layers on one rank; `kv_element_bytes` is 2 (auto,
/// float16, bfloat16) or 1 (fp8).
[[nodiscard]] Bytes kv_bytes_per_token_per_rank(const Model& model, std::int64_t tp, std::int64_t kv_element_bytes);

}  // namespace brink::transformer
