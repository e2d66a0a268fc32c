// Role: fills a step. Sees one const snapshot of a replica and returns what to run as data;
// the mechanism (sim/serving) applies it and keeps the books.
#pragma once

#include <cstdint>
#include <vector>

namespace brink::policy {

/// The head of a replica's waiting queue, read one request at a time.
class IWaitingQueue {
 public:
  virtual ~IWaitingQueue() = default;
  [[nodiscard]] virtual std::int64_t size() const = 0;
  /// Tokens to prefill of the i-th waiting request (its prompt, or for a preempted one its
  /// prompt and what it had generated), less those whose KV is cached.
  [[nodiscard]] virtual std::int64_t tokens(std::int64_t i) const = 0;
  /// Its leading tokens whose KV is cached, in full blocks.
  [[nodiscard]] virtual std::int64_t cached(std::int64_t /*i*/) const { return 0; }
};

/// A replica when a step is formed. Decoding sequences are already in: each has one token
/// and its KV block in the counts below.
struct BatchView {
  std::int64_t token_budget = 0;     // max_num_batched_tokens, not yet reduced
  std::int64_t seats = 0;            // max_num_seqs
  std::int64_t running = 0;          // sequences holding a seat
  std::int64_t decode_sequences = 0; // of them, those that decode one token this step
  std::int64_t partial_tokens = 0;   // prompt tokens left of the running one whose prefill is cut, or 0
  std::int64_t partial_context = 0;  // its tokens already in the KV cache
  std::int64_t free_blocks = 0;
  std::int64_t block_size = 16;
  bool chunked_prefill = true;
  bool preempted = false;            // this step had to preempt: KV is short
  const IWaitingQueue* waiting = nullptr;
};

struct BatchDecision {
  std::int64_t partial_chunk = 0;          // tokens for the cut prefill
  std::vector<std::int64_t> admit_chunks;  // tokens for waiting requests 0, 1, ... in turn
};

class IBatcher {
 public:
  virtual ~IBatcher() = default;
  /// Fills `decision` (cleared by the caller). Must respect budget, seats and free blocks;
  /// the mechanism checks.
  virtual void plan(const BatchView& view, BatchDecision& decision) const = 0;
};

}  // namespace brink::policy
