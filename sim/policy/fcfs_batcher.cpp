#include "sim/policy/fcfs_batcher.h"

#include <algorithm>

namespace brink::policy {

namespace {

std::int64_t blocks_for(std::int64_t tokens, std::int64_t block_size) {
  return (tokens + block_size - 1) / block_size;
}

}  // namespace

void FcfsBatcher::plan(const BatchView& view, BatchDecision& decision) const {
  std::int64_t budget = view.token_budget - view.decode_sequences;
  std::int64_t free = view.free_blocks;

  if (view.partial_tokens > 0) {
    decision.partial_chunk = std::min(view.partial_tokens, budget);
    budget -= decision.partial_chunk;
    free -= blocks_for(view.partial_context + decision.partial_chunk, view.block_size) -
            blocks_for(view.partial_context, view.block_size);
  }
  // A step that preempted has shown that KV is short: it admits nobody.
  if (view.preempted) return;

  std::int64_t running = view.running;
  for (std::int64_t i = 0; i < view.waiting->size() && budget > 0 && running < view.seats; ++i) {
    const std::int64_t tokens = view.waiting->tokens(i);
    if (!view.chunked_prefill && tokens > budget) return;
    const std::int64_t chunk = std::min(tokens, budget);
    const std::int64_t blocks = blocks_for(view.waiting->cached(i) + chunk, view.block_size);
    if (blocks > free) return;  // first come, first served: nobody overtakes
    decision.admit_chunks.push_back(chunk);
    budget -= chunk;
    free -= blocks;
    ++running;
  }
}

}  // namespace brink::policy
