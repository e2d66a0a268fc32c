// How decode attention cuts the KV of each sequence into splits, which fixes both its time and its order of
// summation. A step is described by sums; the split count of one sequence follows from its own block count.
#pragma once

#include <cstdint>
#include <vector>

#include "models/base/units.h"
#include "models/plan/tactic.h"

namespace brink::plan {

enum class AttentionBackend : std::uint8_t { fa2, fa3_static, fa3_dynamic, flashinfer };
[[nodiscard]] const char* name(AttentionBackend backend);

/// Rates that tell how much slower a forced split count is. Defaults: fits of published H100 SXM decode kernels
/// with head dimension 128 (NVIDIA AIConfigurator database, vLLM 0.24), where one SM alone streams 35..90 GB/s.
struct AttentionTiming {
  BytesPerSecond hbm_rate{3.19e12};
  BytesPerSecond sm_rate{50e9};       // one thread block's stream of KV
  Seconds launch = microseconds(10.4);
  Seconds combine = microseconds(1.3);  // joining the splits
};

struct AttentionHardware {
  std::int64_t sm_count = 132;
  std::int64_t q_heads = 32, kv_heads = 8, head_dim = 128;  // of one rank
  std::int64_t page_size = 16;                              // tokens
  std::int64_t kv_element_bytes = 2;
  AttentionTiming timing;
};

/// Prefill chunks in the same launch: FlashAttention 3 shares its SMs with them, so they change decode's splits.
struct AttentionPrefill {
  std::int64_t sequences = 0;
  std::int64_t work = 0;           // sum of attention_work() over the chunks
  std::int64_t longest_query = 0;  // new tokens of the longest chunk
};

/// The decoding sequences of a step.
struct AttentionBatch {
  std::int64_t sequences = 0;
  std::int64_t context = 0;       // their KV tokens
  std::int64_t blocks = 0;        // sum over them of ceil(KV tokens / 128)
  std::int64_t longest = 0;       // KV tokens of the longest; an upper bound is enough for static rules
  bool full_graph = true;         // runs inside a full CUDA graph (caps the dynamic split count)
  std::int64_t pages = 0;         // sum of ceil(KV tokens / page size); 0: taken as half a page a sequence
  AttentionPrefill prefill = {};
};

/// The rule of one step, by which the splits of any of its sequences follow: O(1) each.
struct AttentionPlan {
  AttentionBackend backend = AttentionBackend::fa3_dynamic;
  Choice choice;                  // of the kernel launch as a whole
  std::int64_t blocks_per_split = 0;  // dynamic rules: KV blocks a split holds; 0: uniform_splits holds for all
  std::int64_t uniform_splits = 1;
  std::int64_t cap = 1;           // most splits of one sequence
  std::int64_t chunk_tokens = 0;  // FlashInfer: tokens of a chunk; 0: none of a fixed size
  std::int64_t block_tokens = 128;  // KV block of the kernel
  bool ragged_shifts = false;       // hypothesis length_2047_changes_splits: every split holds one block more

  /// Splits of a sequence with `blocks` KV blocks of 128 tokens, as its library counts them.
  [[nodiscard]] std::int64_t splits(std::int64_t blocks) const;
  /// Tokens in each split but the last of a sequence with `blocks` KV blocks of 128 tokens: its boundaries lie at
  /// the multiples. Libraries round the split up to whole blocks, so a split count may leave empty splits behind.
  [[nodiscard]] std::int64_t split_tokens(std::int64_t blocks) const;
  /// Equal for two sequences of equal length exactly when their KV is cut at the same places by kernels of the
  /// same family. A FlashInfer chunk that ends inside the last block of 128 tokens counts from the block's start.
  [[nodiscard]] ReductionSig signature(std::int64_t blocks) const;

 private:
  [[nodiscard]] std::int64_t rule_splits(std::int64_t blocks) const;
};

struct AttentionOptions {
  AttentionBackend backend = AttentionBackend::fa3_dynamic;
  bool batch_invariant = false;   // one split always
  /// Hypothesis: where the longest length is off the multiple of 128, splits of all sequences hold a block more.
  bool length_2047_changes_splits = false;
};

/// Query tiles x KV blocks of one sequence in a launch: FlashAttention 3's measure of its work.
[[nodiscard]] std::int64_t attention_work(std::int64_t new_tokens, std::int64_t kv_tokens, const AttentionHardware& hardware);

/// Plans of one replica. Keeps the tactic ids and the last answers, so that a step is a few operations.
class AttentionPlanner {
 public:
  /// `names` outlives the planner.
  AttentionPlanner(const AttentionHardware& hardware, const AttentionOptions& options, TacticNames& names);

  /// O(1) in the batch. A batch without sequences gives the plan of an empty launch: one split.
  [[nodiscard]] AttentionPlan plan(const AttentionBatch& batch);
  /// The plan of a sequence of `context` tokens decoding alone.
  [[nodiscard]] AttentionPlan alone(std::int64_t context, bool full_graph = true);
  [[nodiscard]] const AttentionHardware& hardware() const { return hardware_; }

 private:
  void set_rule(AttentionPlan& plan, const AttentionBatch& batch);
  void set_choice(AttentionPlan& plan, const AttentionBatch& batch);
  std::int64_t uniform(AttentionBackend backend, std::int64_t sequences, std::int64_t longest, std::int64_t longest_query);
  TacticId tactic(std::int64_t splits);

  AttentionHardware hardware_;
  AttentionOptions options_;
  TacticNames& names_;
  std::vector<TacticId> ids_;  // by most splits of a launch, plus one; 0: not named yet
  struct {
    std::int64_t tiles = -1, blocks = -1, splits = 1;
  } last_;
  // What the launch's identity and waves follow from: unchanged for many steps of a steady batch.
  struct Launch {
    std::int64_t sequences = -1, mean_blocks = 0, longest_blocks = 0, blocks_per_split = 0, uniform_splits = 0, cap = 0, chunk_tokens = 0;
    bool ragged = false;
    bool operator==(const Launch&) const = default;
  };
  Launch launch_;
  Choice choice_;
};

[[nodiscard]] AttentionPlan plan_attention(const AttentionBatch& batch, const AttentionHardware& hardware,
                                           const AttentionOptions& options, TacticNames& names);

/// The plan of a sequence of `context` tokens decoding alone.
[[nodiscard]] AttentionPlan plan_attention_alone(std::int64_t context, const AttentionHardware& hardware,
                                                 const AttentionOptions& options, TacticNames& names);

/// The batch of a sequence of `context` tokens alone.
[[nodiscard]] AttentionBatch batch_of_one(std::int64_t context, const AttentionHardware& hardware);

}  // namespace brink::plan
