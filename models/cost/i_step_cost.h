// Role: how long one engine step takes, given what is in it. The replica asks once a step,
// so an answer must be O(1) in the batch.
#pragma once

#include <cstdint>
#include <span>

#include "models/base/units.h"
#include "models/cost/badge.h"

namespace brink::plan {
struct ExecutionPlan;
}

namespace brink::cost {

/// Prompt tokens of one request processed in one step.
struct PrefillChunk {
  std::int64_t tokens = 0;
  std::int64_t context = 0;  // its tokens already in the KV cache
  bool last = false;         // the prompt ends here: a token is sampled
};

/// What a step processes. Decoding sequences enter as sums.
struct StepShape {
  std::uint64_t step = 0;               // number of the step on its replica (keys its noise)
  std::int64_t decode_sequences = 0;
  std::int64_t decode_context = 0;      // KV tokens they read, the new ones included
  std::span<const PrefillChunk> chunks;
  std::int64_t decode_blocks = 0;       // attention blocks (128 tokens) of the decoding sequences
  std::int64_t decode_longest = 0;      // bound on the KV tokens of the longest of them
  double scatter = 1.0;                 // share of their neighbouring KV blocks that are not neighbours in memory
  std::int64_t shared_tokens = 0;       // prefix tokens, one copy, that several decoding sequences read
  std::int64_t sharers = 0;             // sequences a shared prefix, on average
  Bytes workspace{0.0};                 // scratch memory free for kernels; heeded by engines that look at it
};

/// Where the time of a step goes. The GPU is taken for compute + comm + sync + gap.
struct StepTime {
  Seconds compute;      // kernels of the slowest rank, communication apart
  Seconds comm;         // collectives with all ranks on time
  Seconds sync;         // waiting for the slowest rank
  Seconds gap;          // the GPU idle between this step and the next, whatever overlaps
  Seconds host_before;  // host work between the scheduling decision and the first kernel
  Seconds host_after;   // host work between the last kernel and the next scheduling decision
  std::int64_t padded_tokens = 0;
  Seconds clock_bound{-1.0};    // of compute, what follows the SM clock rather than memory; < 0: not known
  std::int64_t collectives = 0; // in which all ranks of the replica meet
  Badge badge = Badge::measured;
  const plan::ExecutionPlan* plan = nullptr;  // what ran, valid until the next call; null when plans are not followed

  [[nodiscard]] Seconds gpu() const { return compute + comm + sync + gap; }
};

class IStepCost {
 public:
  virtual ~IStepCost() = default;
  virtual StepTime step(const StepShape& shape) = 0;
};

}  // namespace brink::cost
