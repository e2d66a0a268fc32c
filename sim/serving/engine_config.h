// Settings of one replica's engine, as vLLM names them, and its host's timing rules.
#pragma once

#include <cstdint>

#include "models/base/units.h"

namespace brink::serving {

struct EngineConfig {
  std::int64_t max_num_seqs = 1024;
  std::int64_t max_num_batched_tokens = 8192;  // >= max_num_seqs, checked where the scenario is read
  std::int64_t max_model_len = 0;              // tokens, prompt and answer together
  std::int64_t block_size = 16;                // tokens a KV block
  std::int64_t kv_blocks = 0;
  bool chunked_prefill = true;
  /// The next step is formed while the current one runs (vLLM's async scheduling): host work
  /// overlaps with the GPU, and a newcomer joins one step later.
  bool async_scheduling = true;
  /// Prompts that were prefilled before are found in the KV cache (vLLM's prefix caching).
  bool prefix_caching = false;
  std::int64_t ranks = 1;                      // GPUs that run a step together
  Bytes kv_block;                              // one block on one rank, all layers
  Bytes workspace;                             // scratch memory of the stream
  /// The API server sends a batch's tokens one after another, first tokens last.
  Seconds stream_per_token;
};

}  // namespace brink::serving
