// How decode attention cuts the KV of each sequence into splits, which fixes both its time and its order of
// summation. A step is described by sums; the split count of one sequence follows from its own block count.
#pragma once

#include <cstdint>

#include "models/plan/tactic.h"

namespace brink::plan {

enum class AttentionBackend : std::uint8_t { fa2, fa3_static, fa3_dynamic, flashinfer };
[[nodiscard]] const char* name(AttentionBackend backend);

struct AttentionHardware {
  std::int64_t sm_count = 132;
  std::int64_t q_heads = 32, kv_heads = 8, head_dim = 128;  // of one rank
  std::int64_t page_size = 16;                              // tokens
};

/// The decoding sequences of a step.
struct AttentionBatch {
  std::int64_t sequences = 0;
  std::int64_t context = 0;       // their KV tokens
  std::int64_t blocks = 0;        // sum over them of ceil(KV tokens / 128)
  std::int64_t longest = 0;       // KV tokens of the longest; an upper bound is enough for static rules
  bool full_graph = true;         // runs inside a full CUDA graph (caps the dynamic split count)
};

/// The rule of one step, by which the splits of any of its sequences follow: O(1) each.
struct AttentionPlan {
  AttentionBackend backend = AttentionBackend::fa3_dynamic;
  Choice choice;                  // of the kernel launch as a whole
  std::int64_t blocks_per_split = 0;  // dynamic rules: KV blocks a split holds; 0: uniform_splits holds for all
  std::int64_t uniform_splits = 1;
  std::int64_t cap = 1;           // most splits of one sequence

  /// Splits of a sequence with `blocks` KV blocks of 128 tokens.
  [[nodiscard]] std::int64_t splits(std::int64_t blocks) const;
};

struct AttentionOptions {
  AttentionBackend backend = AttentionBackend::fa3_dynamic;
  bool batch_invariant = false;   // one split always
};

[[nodiscard]] AttentionPlan plan_attention(const AttentionBatch& batch, const AttentionHardware& hardware,
                                           const AttentionOptions& options, TacticNames& names);

/// The plan of a sequence of `context` tokens decoding alone.
[[nodiscard]] AttentionPlan plan_attention_alone(std::int64_t context, const AttentionHardware& hardware,
                                                 const AttentionOptions& options, TacticNames& names);

}  // namespace brink::plan
