// Which all-reduce vLLM runs for a message inside one node, as a function of the padded
// message size. One-shot sums in fixed rank order; two-shot partitions by size, so its
// summation order depends on the batch (vllm PR 50505).
#pragma once

#include <cstdint>

#include "models/base/units.h"

namespace brink::plan {

enum class AllReduceTactic { none, one_shot, two_shot, multimem, nccl };

struct AllReduceSetting {
  std::int64_t world = 1;          // tensor-parallel ranks, all in one node
  bool fully_connected = true;     // every pair of ranks over NVLink
  bool symmetric_memory = false;   // torch symmetric memory on sm90: lower custom limits, multimem above
};

/// `message` is padded tokens * bytes a token. World 1 needs none.
[[nodiscard]] AllReduceTactic choose_all_reduce(Bytes message, const AllReduceSetting& setting);

[[nodiscard]] const char* tactic_name(AllReduceTactic tactic);

}  // namespace brink::plan
