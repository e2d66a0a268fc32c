// How many pieces the decode kernels cut a sequence's KV into: the pure rules, each as its library states it.
// Lengths are in KV blocks of the kernel unless a name says otherwise.
#pragma once

#include <cstdint>
#include <span>

#include "models/base/units.h"

namespace brink::plan {

/// What a launch with one split count for all its sequences looks at.
struct UniformSplitInput {
  std::int64_t tiles = 1;       // sequences x KV heads x query tiles of the longest query
  std::int64_t sm_count = 132;
  std::int64_t blocks = 1;      // KV blocks of the longest sequence
  std::int64_t query_tiles = 1; // of the longest query
  Bytes kv_head{0.0};           // K and V of one head of the longest sequence
  bool causal = true;
};

/// FlashAttention 2 (csrc/flash_attn/flash_api.cpp, num_splits_heuristic): two thread blocks an SM.
[[nodiscard]] std::int64_t fa2_splits(const UniformSplitInput& in);

/// FlashAttention 3 without per-sequence splits (hopper/heuristics.h, num_splits_heuristic).
[[nodiscard]] std::int64_t fa3_static_splits(const UniformSplitInput& in);

/// FlashAttention 3, per-sequence splits (hopper/flash_prepare_scheduler.cu): KV blocks one split holds when the
/// launch has `work` = sum over its sequences of query tiles x KV blocks. Arithmetic in float32, as there.
[[nodiscard]] std::int64_t fa3_blocks_per_split(std::int64_t work, std::int64_t kv_heads, std::int64_t sm_count);

/// ceil(blocks / blocks_per_split) within 1..cap.
[[nodiscard]] std::int64_t fa3_dynamic_splits(std::int64_t blocks, std::int64_t blocks_per_split, std::int64_t cap);

/// Sequences of a launch above which FlashAttention 3 splits none (one scheduling thread block holds 31 x 32).
inline constexpr std::int64_t fa3_dynamic_batch_max = 992;

/// FlashInfer's decode grid: `grid` thread blocks over all KV heads, chunks of at least 128 tokens.
struct FlashInferGrid {
  std::int64_t grid = 264;     // two thread blocks an SM
  std::int64_t kv_heads = 8;
  std::int64_t page_size = 16;  // tokens
};

/// Pages a chunk holds, or 0 where the batch is not split (flashinfer, attention/scheduler.cuh: binary search for
/// the smallest chunk of which the grid holds all). O(sequences x log pages).
[[nodiscard]] std::int64_t flashinfer_chunk_pages(std::span<const std::int64_t> pages, const FlashInferGrid& grid);

/// The same from sums, O(1): `pages` of `sequences` sequences, the longest of `longest` pages. Exact when all are
/// equally long; else a uniform remainder is taken for each sequence (half a chunk of rounding each), and the
/// result lies within flashinfer_chunk_bounds(), as the exact one does.
[[nodiscard]] std::int64_t flashinfer_chunk_pages_from_sums(std::int64_t sequences, std::int64_t pages,
                                                            std::int64_t longest, const FlashInferGrid& grid);

struct ChunkBounds {
  std::int64_t low = 0, high = 0;  // pages; both 0: not split
};

/// Every batch with these sums has its chunk within these bounds: pages/c <= sum ceil(pages_i/c) <=
/// (pages + sequences (c - 1))/c.
[[nodiscard]] ChunkBounds flashinfer_chunk_bounds(std::int64_t sequences, std::int64_t pages, std::int64_t longest,
                                                  const FlashInferGrid& grid);

[[nodiscard]] constexpr std::int64_t ceil_div(std::int64_t a, std::int64_t b) { return (a + b - 1) / b; }

}  // namespace brink::plan
