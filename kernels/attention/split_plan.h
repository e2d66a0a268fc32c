#pragma once

#include <cstdint>

#include "kernels/runner/hash.h"

namespace brink::kernels {

constexpr int kv_block_tokens = 16;
/// Splits begin at multiples of this many KV blocks: 128 tokens, the key block of FlashAttention at head size 128,
/// so that a chunk boundary moves only when a context crosses a multiple of 128 (Dao 2023, FlashAttention-2).
constexpr int split_granule_blocks = 8;
/// Partials are kept for this many splits at most (FlashAttention 3 under CUDA graphs: 32).
constexpr int splits_max = 32;

/// KV blocks [begin, end) of one split; empty if the context has fewer granules than splits.
struct SplitRange {
  int begin;
  int end;
};

BRINK_HOST_DEVICE inline int kv_blocks(int context) { return (context + kv_block_tokens - 1) / kv_block_tokens; }

/// The part of a context of `context` tokens that split `split` of `splits` reads: equal runs of whole granules.
BRINK_HOST_DEVICE inline SplitRange split_range(int context, int splits, int split) {
  const int blocks = kv_blocks(context);
  const int granules = (blocks + split_granule_blocks - 1) / split_granule_blocks;
  const int stride = (granules + splits - 1) / splits * split_granule_blocks;
  const int begin = split * stride < blocks ? split * stride : blocks;
  const int end = begin + stride < blocks ? begin + stride : blocks;
  return {begin, end};
}

/// Splits that give every SM two blocks of work at a padded batch, whatever the contexts: a CUDA graph fixes its
/// grid at capture, when contexts are unknown.
inline int splits_for_batch(int batch, int heads_kv, int sm_count) {
  const int work = batch * heads_kv;
  const int splits = (2 * sm_count + work - 1) / work;
  return splits < 1 ? 1 : splits > splits_max ? splits_max : splits;
}

}  // namespace brink::kernels
