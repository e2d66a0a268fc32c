#pragma once
// Paged grouped-query decode attention, split over the context.
//
// One block of four warps reads one split of one KV head of one sequence and serves all query heads that share the
// head (at most 16: the rows of one tensor-core tile). A warp takes every fourth KV block of 16 tokens and keeps an
// online softmax (Milakov & Gimelshein 2018) in registers; the block merges its warps, and combine_splits merges the
// splits, both in ascending order, so that the result depends on the split boundaries alone.
//
// Loads go from global memory straight into tensor-core fragments, 16 bytes a lane: the order of the contracted
// dimension and of the output columns is free as long as both operands agree on it, so each lane takes the eight
// adjacent values it loads as "its" columns.
#include "kernels/attention/decode_params.h"
#include "kernels/device/language.cuh"

namespace brink::kernels {

/// What one warp holds of the tile: rows lane/4 and lane/4 + 8 (query heads), 16 output columns of each 64.
template <int D>
struct WarpState {
  float max[2];
  float sum[2];
  float out[D / 8][4];
};

template <int D>
__device__ __forceinline__ void load_queries(const DecodeParams& p, int row, int kv_head, int group,
                                             std::uint32_t (&q)[D / 16][4]) {
  const int lane = static_cast<int>(threadIdx.x % 32);
  const int g = lane / 4;
  const int t = lane % 4;
  const std::uint16_t* base = p.q + row * p.q_stride + static_cast<std::int64_t>(kv_head) * group * D;
  for (int c = 0; c < D / 32; ++c) {
    const uint4 zero = {0, 0, 0, 0};
    const uint4 low = g < group ? *reinterpret_cast<const uint4*>(base + g * D + 32 * c + 8 * t) : zero;
    const uint4 high = g + 8 < group ? *reinterpret_cast<const uint4*>(base + (g + 8) * D + 32 * c + 8 * t) : zero;
    q[2 * c][0] = low.x;
    q[2 * c][1] = high.x;
    q[2 * c][2] = low.y;
    q[2 * c][3] = high.y;
    q[2 * c + 1][0] = low.z;
    q[2 * c + 1][1] = high.z;
    q[2 * c + 1][2] = low.w;
    q[2 * c + 1][3] = high.w;
  }
}

/// Folds one KV block of `valid` tokens (>= 1; more than 16 counts as 16) into the warp's state. Tokens past
/// `valid` are never read: their slots hold whatever was there before.
template <int D>
__device__ __forceinline__ void fold_block(const std::uint16_t* k, const std::uint16_t* v, int valid,
                                           float scale_log2, const std::uint32_t (&q)[D / 16][4],
                                           WarpState<D>& state) {
  const int lane = static_cast<int>(threadIdx.x % 32);
  const int g = lane / 4;
  const int t = lane % 4;
  const uint4 zero = {0, 0, 0, 0};
  uint4 keys[2][D / 32];
  uint4 values[4][D / 64];
BRINK_UNROLL
  for (int n = 0; n < 2; ++n) {
    const int token = 8 * n + g;
BRINK_UNROLL
    for (int c = 0; c < D / 32; ++c) {
      keys[n][c] = token < valid ? *reinterpret_cast<const uint4*>(k + token * D + 32 * c + 8 * t) : zero;
    }
  }
BRINK_UNROLL
  for (int i = 0; i < 4; ++i) {
    const int token = 2 * t + i % 2 + 8 * (i / 2);
BRINK_UNROLL
    for (int c = 0; c < D / 64; ++c) {
      values[i][c] = token < valid ? *reinterpret_cast<const uint4*>(v + token * D + 64 * c + 8 * g) : zero;
    }
  }

  float score[2][4] = {};
BRINK_UNROLL
  for (int n = 0; n < 2; ++n) {
BRINK_UNROLL
    for (int c = 0; c < D / 32; ++c) {
      const std::uint32_t first[2] = {keys[n][c].x, keys[n][c].y};
      const std::uint32_t second[2] = {keys[n][c].z, keys[n][c].w};
      mma_m16n8k16(score[n], q[2 * c], first);
      mma_m16n8k16(score[n], q[2 * c + 1], second);
    }
  }
BRINK_UNROLL
  for (int h = 0; h < 2; ++h) {  // rows g and g + 8
    float top = -INFINITY;
BRINK_UNROLL
    for (int n = 0; n < 2; ++n) {
BRINK_UNROLL
      for (int j = 0; j < 2; ++j) {
        float& s = score[n][2 * h + j];
        s = 8 * n + 2 * t + j < valid ? s * scale_log2 : -INFINITY;
        top = fmaxf(top, s);
      }
    }
    top = fmaxf(top, __shfl_xor_sync(full_warp, top, 1));
    top = fmaxf(top, __shfl_xor_sync(full_warp, top, 2));
    top = fmaxf(top, state.max[h]);
    const float shrink = exp2f(state.max[h] - top);  // 0 at the first block: max starts at -infinity
    state.max[h] = top;
    state.sum[h] *= shrink;
BRINK_UNROLL
    for (int n = 0; n < 2; ++n) {
BRINK_UNROLL
      for (int j = 0; j < 2; ++j) {
        float& s = score[n][2 * h + j];
        s = exp2f(s - top);
        state.sum[h] += s;
      }
    }
BRINK_UNROLL
    for (int n = 0; n < D / 8; ++n) {
      state.out[n][2 * h] *= shrink;
      state.out[n][2 * h + 1] *= shrink;
    }
  }
  const std::uint32_t weights[4] = {pack_bf16(score[0][0], score[0][1]), pack_bf16(score[0][2], score[0][3]),
                                    pack_bf16(score[1][0], score[1][1]), pack_bf16(score[1][2], score[1][3])};
BRINK_UNROLL
  for (int c = 0; c < D / 64; ++c) {
BRINK_UNROLL
    for (int w = 0; w < 4; ++w) {  // columns 2w and 2w + 1 of the lane's eight
      std::uint32_t word[4];
BRINK_UNROLL
      for (int i = 0; i < 4; ++i) {
        const uint4& four = values[i][c];
        word[i] = w == 0 ? four.x : w == 1 ? four.y : w == 2 ? four.z : four.w;
      }
      const std::uint32_t even[2] = {__byte_perm(word[0], word[1], 0x5410), __byte_perm(word[2], word[3], 0x5410)};
      const std::uint32_t odd[2] = {__byte_perm(word[0], word[1], 0x7632), __byte_perm(word[2], word[3], 0x7632)};
      mma_m16n8k16(state.out[8 * c + 2 * w], weights, even);
      mma_m16n8k16(state.out[8 * c + 2 * w + 1], weights, odd);
    }
  }
}

/// exp2(a - b) where both may be -infinity, meaning "nothing was read": then 0.
__device__ __forceinline__ float relative_weight(float a, float b) { return a == -INFINITY ? 0.0f : exp2f(a - b); }

/// Grid (splits, heads_kv, batch), decode_threads threads.
template <int D>
__global__ void __launch_bounds__(decode_threads) decode_attention(const DecodeParams p) {
  static_assert(D == 64 || D == 128, "a lane owns 16 columns of each 64");
  __shared__ float warp_max[decode_warps][group_max];
  __shared__ float warp_sum[decode_warps][group_max];
  __shared__ float warp_out[decode_warps][group_max][D];

  const int split = static_cast<int>(blockIdx.x);
  const int kv_head = static_cast<int>(blockIdx.y);
  const int row = static_cast<int>(blockIdx.z);
  const int group = p.heads_q / p.heads_kv;
  const int warp = static_cast<int>(threadIdx.x / 32);
  const int lane = static_cast<int>(threadIdx.x % 32);
  const int context = p.contexts[row];
  const SplitRange range = split_range(context, p.splits, split);
  const std::int32_t* table = p.block_tables + static_cast<std::int64_t>(row) * p.table_stride;

  std::uint32_t q[D / 16][4];
  load_queries<D>(p, row, kv_head, group, q);
  WarpState<D> state;
  for (int h = 0; h < 2; ++h) {
    state.max[h] = -INFINITY;
    state.sum[h] = 0.0f;
  }
  for (int n = 0; n < D / 8; ++n) {
    for (int i = 0; i < 4; ++i) state.out[n][i] = 0.0f;
  }

  int next = range.begin + warp < range.end ? table[range.begin + warp] : 0;
  for (int b = range.begin + warp; b < range.end; b += decode_warps) {
    const int block = next;
    if (b + decode_warps < range.end) next = table[b + decode_warps];  // hides the table's latency
    const std::int64_t at = (static_cast<std::int64_t>(block) * p.heads_kv + kv_head) * (kv_block_tokens * D);
    fold_block<D>(p.k_cache + at, p.v_cache + at, context - b * kv_block_tokens, p.scale_log2, q, state);
  }

  const int g = lane / 4;
  const int t = lane % 4;
BRINK_UNROLL
  for (int h = 0; h < 2; ++h) {
    float sum = state.sum[h];
    sum += __shfl_xor_sync(full_warp, sum, 1);
    sum += __shfl_xor_sync(full_warp, sum, 2);
    const int head = g + 8 * h;
    if (t == 0) {
      warp_max[warp][head] = state.max[h];
      warp_sum[warp][head] = sum;
    }
BRINK_UNROLL
    for (int n = 0; n < D / 8; ++n) {
      // Tile n = 8c + j holds column 64c + 8m + j at its column m; the lane holds m = 2t and 2t + 1.
      float* to = &warp_out[warp][head][64 * (n / 8) + 16 * t + n % 8];
      to[0] = state.out[n][2 * h];
      to[8] = state.out[n][2 * h + 1];
    }
  }
  __syncthreads();

  for (int i = static_cast<int>(threadIdx.x); i < group * D; i += decode_threads) {
    const int head = i / D;
    const int d = i % D;
    float top = -INFINITY;
    for (int w = 0; w < decode_warps; ++w) top = fmaxf(top, warp_max[w][head]);
    float sum = 0.0f;
    float out = 0.0f;
    for (int w = 0; w < decode_warps; ++w) {
      const float weight = relative_weight(warp_max[w][head], top);
      sum += weight * warp_sum[w][head];
      out += weight * warp_out[w][head][d];
    }
    const std::int64_t query = static_cast<std::int64_t>(row) * p.heads_q + kv_head * group + head;
    if (p.splits == 1) {
      p.out[query * D + d] = to_bf16(sum == 0.0f ? 0.0f : out / sum);
    } else {
      p.partial_out[(query * p.splits + split) * D + d] = out;
      if (d == 0) {
        p.partial_max[query * p.splits + split] = top;
        p.partial_sum[query * p.splits + split] = sum;
      }
    }
  }
}

/// Grid (heads_q, batch), D threads: out = sum_s w_s O_s / sum_s w_s l_s, s ascending.
template <int D>
__global__ void __launch_bounds__(D) combine_splits(const DecodeParams p) {
  const int d = static_cast<int>(threadIdx.x);
  const std::int64_t query = static_cast<std::int64_t>(blockIdx.y) * p.heads_q + blockIdx.x;
  const float* tops = p.partial_max + query * p.splits;
  const float* sums = p.partial_sum + query * p.splits;
  const float* outs = p.partial_out + query * p.splits * D;
  float top = -INFINITY;
  for (int s = 0; s < p.splits; ++s) top = fmaxf(top, tops[s]);
  float sum = 0.0f;
  float out = 0.0f;
  for (int s = 0; s < p.splits; ++s) {
    const float weight = relative_weight(tops[s], top);
    sum += weight * sums[s];
    out += weight * outs[s * D + d];
  }
  p.out[query * D + d] = to_bf16(sum == 0.0f ? 0.0f : out / sum);
}

}  // namespace brink::kernels
