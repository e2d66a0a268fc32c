// Follows how far the requests of one replica drift: which steps ran another reduction order than the request
// alone on an idle system would have, and what that makes of its tokens. Listens only.
#pragma once

#include <cstdint>

#include "models/plan/attention_plan.h"
#include "sim/serving/slot.h"

namespace brink::serving {

/// The orders of summation of one batch, as drift needs them.
struct BatchSignature {
  std::uint64_t batch = 0;            // its number on the replica
  plan::ReductionSig tokens = 0;      // of all operators on tokens: GEMMs, norms, all-reduces, precision paths
  bool repeatable = true;             // every operator is
  const plan::AttentionPlan* attention = nullptr;  // of the decoding sequences; null: none decode
};

/// What drift did to one request.
struct DriftOutcome {
  double from_idle = 0.0;        // P(its completion differs from that of the same request alone and idle)
  double pairwise = 0.0;         // P(two executions under this load differ)
  double first_flip = -1.0;      // expected output token of the first flip, given one; < 0: no hazard
  std::int64_t exposed_tokens = 0;  // output tokens whose logits may differ
};

class IDriftTracker {
 public:
  virtual ~IDriftTracker() = default;
  /// A chunk of `tokens` prompt tokens after `context` of them runs in `batch`.
  virtual void on_chunk(Slot slot, std::int64_t context, std::int64_t tokens, const BatchSignature& batch) = 0;
  /// The sequence decodes from the next batch on, with `tokens` KV tokens after batch `number`.
  virtual void on_decode_start(Slot slot, std::uint64_t number, std::int64_t tokens) = 0;
  /// All decoding sequences take part in the batch. O(1) but for sequences whose group changes.
  virtual void on_batch(const BatchSignature& batch) = 0;
  /// Preempted: the KV it will recompute belongs to another lineage.
  virtual void on_preempted(Slot slot, std::uint64_t last_batch) = 0;
  /// It has all its tokens; `output_tokens` of them. Forgets the slot.
  virtual DriftOutcome on_finished(Slot slot, std::uint64_t last_batch, std::int64_t output_tokens) = 0;
};

}  // namespace brink::serving
