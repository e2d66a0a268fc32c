#pragma once
// Everything of a transformer step that is neither a matrix product nor attention. Activations are bf16, arithmetic
// is fp32, every reduction has a fixed order.
#include "kernels/attention/split_plan.h"
#include "kernels/decode_step/row_results.h"
#include "kernels/device/language.cuh"

namespace brink::kernels {

/// out[token] = table[tokens[token]]. Grid tokens.
__global__ void embed_tokens(const std::uint16_t* table, const std::int32_t* tokens, std::uint16_t* out, int hidden) {
  const std::int64_t row = blockIdx.x;
  const std::int64_t from = static_cast<std::int64_t>(tokens[row]) * hidden;
  for (int i = static_cast<int>(threadIdx.x); i < hidden; i += static_cast<int>(blockDim.x)) {
    out[row * hidden + i] = table[from + i];
  }
}

/// residual[r] += delta[r] (delta may be null), out[row] = residual[r] / rms(residual[r]) * weight, where r is
/// rows[row], or row itself if rows is null. The sum is rounded to bf16 before it is squared, as it is stored.
/// Grid rows; whole warps, at most 1024 threads.
__global__ void add_rms_norm(std::uint16_t* residual, const std::uint16_t* delta, const std::uint16_t* weight,
                             std::uint16_t* out, const std::int32_t* rows, int hidden) {
  __shared__ float scratch[32];
  const std::int64_t row = blockIdx.x;
  const std::int64_t from = (rows != nullptr ? rows[row] : row) * hidden;
  float squares = 0.0f;
  for (int i = static_cast<int>(threadIdx.x); i < hidden; i += static_cast<int>(blockDim.x)) {
    float x = bf16_to_float(residual[from + i]);
    if (delta != nullptr) {
      const std::uint16_t sum = to_bf16(x + bf16_to_float(delta[from + i]));
      residual[from + i] = sum;
      x = bf16_to_float(sum);
    }
    squares += x * x;
  }
  const float mean = block_sum(squares, scratch) / static_cast<float>(hidden);
  const float inverse = 1.0f / sqrtf(mean + 1e-5f);
  for (int i = static_cast<int>(threadIdx.x); i < hidden; i += static_cast<int>(blockDim.x)) {
    const float x = bf16_to_float(residual[from + i]);
    out[row * hidden + i] = to_bf16(x * inverse * bf16_to_float(weight[i]));
  }
}

/// Rotates queries in place and writes rotated keys and plain values to the paged cache. A token's row of `qkv` holds
/// heads_q query heads, then heads_kv key heads, then heads_kv value heads. Pairs are (d, d + D/2) (the "NeoX" order).
/// rope[position][D/2] holds (cos, sin). Slots are block * 16 + offset; negative: padding, nothing is written.
/// Grid (tokens, heads_q + 2 heads_kv), D/2 threads.
__global__ void rope_and_store(std::uint16_t* qkv, const float2* rope, const std::int32_t* positions,
                               const std::int32_t* slots, std::uint16_t* k_cache, std::uint16_t* v_cache, int heads_q,
                               int heads_kv) {
  const std::int64_t token = blockIdx.x;
  const int head = static_cast<int>(blockIdx.y);
  const int half = static_cast<int>(blockDim.x);
  const int d = static_cast<int>(threadIdx.x);
  std::uint16_t* at = qkv + (token * (heads_q + 2 * heads_kv) + head) * (2 * half);
  const std::int32_t slot = slots[token];
  const bool value = head >= heads_q + heads_kv;
  std::uint16_t low = at[d];
  std::uint16_t high = at[d + half];
  if (!value) {
    const float2 turn = rope[static_cast<std::int64_t>(positions[token]) * half + d];
    const float x = bf16_to_float(low);
    const float y = bf16_to_float(high);
    low = to_bf16(x * turn.x - y * turn.y);
    high = to_bf16(y * turn.x + x * turn.y);
  }
  if (head < heads_q) {
    at[d] = low;
    at[d + half] = high;
    return;
  }
  if (slot < 0) return;
  const std::int64_t kv_head = value ? head - heads_q - heads_kv : head - heads_q;
  const std::int64_t block = slot / kv_block_tokens;
  const std::int64_t row = (block * heads_kv + kv_head) * kv_block_tokens + slot % kv_block_tokens;
  std::uint16_t* to = (value ? v_cache : k_cache) + row * (2 * half);
  to[d] = low;
  to[d + half] = high;
}

/// out[row][i] = silu(gate) * up with gate = in[row][i], up = in[row][width + i]. Grid (blocks over width, rows).
__global__ void silu_and_mul(const std::uint16_t* in, std::uint16_t* out, int width) {
  const std::int64_t row = blockIdx.y;
  const int i = static_cast<int>(blockIdx.x * blockDim.x + threadIdx.x);
  if (i >= width) return;
  const float gate = bf16_to_float(in[row * 2 * width + i]);
  const float up = bf16_to_float(in[row * 2 * width + width + i]);
  out[row * width + i] = to_bf16(gate / (1.0f + expf(-gate)) * up);
}

/// Whether (value, at) comes before (other, other_at): larger first, then the lower index.
__device__ __forceinline__ bool comes_first(float value, int at, float other, int other_at) {
  return value > other || (value == other && at < other_at);
}

/// Puts a candidate into a sorted pair.
__device__ __forceinline__ void offer(TopTwo& top, float value, int at) {
  if (comes_first(value, at, top.first, top.first_at)) {
    top.second = top.first;
    top.second_at = top.first_at;
    top.first = value;
    top.first_at = at;
  } else if (comes_first(value, at, top.second, top.second_at)) {
    top.second = value;
    top.second_at = at;
  }
}

/// The two largest logits of each row, ties to the lower index. Grid rows, 256 threads.
__global__ void __launch_bounds__(256) top_two(const float* logits, TopTwo* out, std::int32_t* tokens, int vocabulary) {
  __shared__ TopTwo warps[8];
  const std::int64_t row = blockIdx.x;
  TopTwo top = {-INFINITY, -INFINITY, 0x7fffffff, 0x7fffffff};
  for (int i = static_cast<int>(threadIdx.x); i < vocabulary; i += 256) offer(top, logits[row * vocabulary + i], i);
  for (int offset = 16; offset > 0; offset /= 2) {
    const float first = __shfl_xor_sync(full_warp, top.first, offset);
    const float second = __shfl_xor_sync(full_warp, top.second, offset);
    const int first_at = __shfl_xor_sync(full_warp, top.first_at, offset);
    const int second_at = __shfl_xor_sync(full_warp, top.second_at, offset);
    offer(top, first, first_at);
    offer(top, second, second_at);
  }
  if (threadIdx.x % 32 == 0) warps[threadIdx.x / 32] = top;
  __syncthreads();
  if (threadIdx.x != 0) return;
  for (int w = 1; w < 8; ++w) {
    offer(top, warps[w].first, warps[w].first_at);
    offer(top, warps[w].second, warps[w].second_at);
  }
  out[row] = top;
  tokens[row] = top.first_at;
}

/// How row r of `got` differs from row r of `want`. Grid rows, 256 threads; `out` starts as zeros.
__global__ void __launch_bounds__(256)
    compare_logits(const float* got, const float* want, RowDifference* out, int vocabulary) {
  const std::int64_t row = blockIdx.x;
  unsigned changed = 0;
  unsigned changed_bf16 = 0;
  unsigned delta_max = 0;
  for (int i = static_cast<int>(threadIdx.x); i < vocabulary; i += 256) {
    const float a = got[row * vocabulary + i];
    const float b = want[row * vocabulary + i];
    if (__float_as_uint(a) == __float_as_uint(b)) continue;
    ++changed;
    changed_bf16 += to_bf16(a) != to_bf16(b) ? 1u : 0u;
    const unsigned delta = __float_as_uint(fabsf(a - b));
    delta_max = delta > delta_max ? delta : delta_max;
  }
  atomicAdd(&out[row].changed, changed);
  atomicAdd(&out[row].changed_bf16, changed_bf16);
  atomicMax(&out[row].delta_max_bits, delta_max);
}

}  // namespace brink::kernels
