// Attention times from the group `attention`, as rows of the fits.
#pragma once

#include <vector>

#include "calibrate/microkernel/results.h"
#include "calibrate/tables.h"

namespace brink::calibrate {

struct AttentionTimes {
  std::vector<AttentionRow> decode, prefill;
};

/// Decode: equal contexts on scattered blocks, with the split count that a CUDA graph fixes for its batch (every
/// SM gets two blocks of work); other split counts and layouts are comparisons, not the kernel that runs.
/// A launch that rotates through more KV than L2 holds finds it cold, one that repeats on less finds it warm;
/// what lies between is neither and left out. Throws TraceError for a point that cannot be used.
[[nodiscard]] AttentionTimes read_attention_times(const MicrokernelResults& results);

/// The split count of a captured decode launch: ceil(2 SMs / (batch x KV heads)), from 1 to 32.
[[nodiscard]] std::int64_t captured_splits(std::int64_t batch, std::int64_t kv_heads, std::int64_t sm_count);

}  // namespace brink::calibrate
