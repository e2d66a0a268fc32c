#pragma once
// Prefill attention between its two matrix products: causal softmax of a score matrix, and the moves between the
// token-major layout of the projections and the head-major one of the batched products.
#include "kernels/attention/split_plan.h"
#include "kernels/device/language.cuh"

namespace brink::kernels {

/// Softmax of each row's visible keys. Rows of `scores` and `weights` are `pitch` elements apart and hold `keys`.
/// Grid (queries, heads), 256 threads: row head * queries + query sees keys 0 .. prefix + query. `weights` gets bf16
/// probabilities, 0 for keys not seen.
__global__ void __launch_bounds__(256)
    causal_softmax(const float* scores, std::uint16_t* weights, int keys, int pitch, int prefix, float scale_log2) {
  __shared__ float scratch[32];
  const std::int64_t row = static_cast<std::int64_t>(blockIdx.y) * gridDim.x + blockIdx.x;
  const float* from = scores + row * pitch;
  std::uint16_t* to = weights + row * pitch;
  const int seen = prefix + static_cast<int>(blockIdx.x) + 1;
  float top = -INFINITY;
  for (int i = static_cast<int>(threadIdx.x); i < seen; i += 256) top = fmaxf(top, from[i]);
  top = block_max(top, scratch);
  float sum = 0.0f;
  for (int i = static_cast<int>(threadIdx.x); i < seen; i += 256) sum += exp2f((from[i] - top) * scale_log2);
  sum = block_sum(sum, scratch);
  const float inverse = 1.0f / sum;
  for (int i = static_cast<int>(threadIdx.x); i < keys; i += 256) {
    to[i] = to_bf16(i < seen ? exp2f((from[i] - top) * scale_log2) * inverse : 0.0f);
  }
}

/// to[head][token][D] = from[token * stride + head * D + d]. Grid (tokens, heads), D threads.
__global__ void heads_first(const std::uint16_t* from, std::uint16_t* to, std::int64_t stride) {
  const std::int64_t token = blockIdx.x;
  const std::int64_t head = blockIdx.y;
  const std::int64_t size = blockDim.x;
  to[(head * gridDim.x + token) * size + threadIdx.x] = from[token * stride + head * size + threadIdx.x];
}

/// to[token * stride + head * D + d] = from[head][token][D]. Grid (tokens, heads), D threads.
__global__ void tokens_first(const std::uint16_t* from, std::uint16_t* to, std::int64_t stride) {
  const std::int64_t token = blockIdx.x;
  const std::int64_t head = blockIdx.y;
  const std::int64_t size = blockDim.x;
  to[token * stride + head * size + threadIdx.x] = from[(head * gridDim.x + token) * size + threadIdx.x];
}

/// to[kv head][token][D] = token's slot in a paged cache [blocks][heads_kv][16][D]. Grid (tokens, heads_kv), D threads.
__global__ void gather_paged(const std::uint16_t* cache, const std::int32_t* table, std::uint16_t* to) {
  const int token = static_cast<int>(blockIdx.x);
  const std::int64_t head = blockIdx.y;
  const std::int64_t size = blockDim.x;
  const std::int64_t block = table[token / kv_block_tokens];
  const std::int64_t slot = (block * gridDim.y + head) * kv_block_tokens + token % kv_block_tokens;
  to[(head * gridDim.x + token) * size + threadIdx.x] = cache[slot * size + threadIdx.x];
}

}  // namespace brink::kernels
