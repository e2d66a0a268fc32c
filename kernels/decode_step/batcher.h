#pragma once

#include <cstdint>
#include <deque>
#include <vector>

#include "kernels/decode_step/trace.h"

namespace brink::kernels {

struct BatchLimits {
  int tokens_max = 2048;  ///< of one step
  int seats_max = 256;    ///< running requests
  int kv_blocks = 8192;   ///< of 16 tokens
  int context_max = 4096 + 512;
};

/// Tokens [first, first + count) of one request, computed in one step.
struct StepEntry {
  int request;
  int first;
  int count;
  bool samples;  ///< the last of these tokens is the last one known: its logits give the next token
};

/// Decodes (one token each) first, then prefill chunks, as they lie in the step's batch.
struct StepPlan {
  std::vector<StepEntry> decodes;
  std::vector<StepEntry> prefills;
  int tokens() const;
  std::int64_t context_sum() const;  ///< over decodes, the token of this step included
};

/// Continuous batching as vLLM V1 does it: running requests first, a decode token or a prefill chunk each, then
/// waiting ones first come first served while tokens, seats and KV blocks last; preemption frees the last running
/// request's blocks and puts it back at the head of the queue, to be computed again from its first token; a step that
/// preempted admits nobody.
class Batcher {
 public:
  /// Throws std::invalid_argument if some request alone exceeds the limits.
  Batcher(const BatchLimits& limits, const std::vector<TraceRequest>& trace);

  void arrive(int request);
  bool idle() const { return running_.empty() && waiting_.empty(); }
  /// The next step; empty only if idle.
  StepPlan plan();
  /// Takes note that the step ran. Returns the requests that finished.
  std::vector<int> finish(const StepPlan& step);

  /// KV blocks of a request in order; they hold its tokens from the first on.
  const std::vector<int>& blocks(int request) const { return state(request).blocks; }
  int generated(int request) const { return state(request).generated; }
  int preemptions() const { return preemptions_; }
  int free_blocks() const { return static_cast<int>(free_.size()); }
  int running() const { return static_cast<int>(running_.size()); }

 private:
  struct State {
    int prompt = 0;
    int output = 0;
    int generated = 0;
    int computed = 0;
    std::vector<int> blocks;
    int known() const { return prompt + generated; }
  };
  State& state(int request) { return states_[static_cast<std::size_t>(request)]; }
  const State& state(int request) const { return states_[static_cast<std::size_t>(request)]; }
  bool allocate(State& state, int tokens);
  void release(State& state);
  void preempt_last();
  void add(StepPlan& step, int request, int count);

  BatchLimits limits_;
  std::vector<State> states_;
  std::vector<int> running_;
  std::deque<int> waiting_;
  std::vector<int> free_;
  int preemptions_ = 0;
};

}  // namespace brink::kernels
