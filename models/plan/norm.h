// RMSNorm's thread block, which fixes the order of the sum of squares of a row.
#pragma once

#include <cstdint>

#include "models/plan/tactic.h"

namespace brink::plan {

/// Threads that sum one row: min(hidden, 1024) in launches below 256 tokens, min(hidden, 256) from there on (vLLM,
/// csrc/layernorm_kernels.cu; vllm issue 48271). Batch-invariant engines keep the small-launch block (vllm 48391).
[[nodiscard]] std::int64_t norm_threads(std::int64_t tokens, std::int64_t hidden, bool batch_invariant);

/// `tokens` counts padded tokens. The block changes no time worth stating: the kernel streams.
[[nodiscard]] Choice choose_norm(std::int64_t tokens, std::int64_t hidden, bool batch_invariant, TacticNames& names);

}  // namespace brink::plan
