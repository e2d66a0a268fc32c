// Which all-reduce an engine runs for a message inside one node, as a function of the padded
// message size. One-shot sums in fixed rank order; vLLM's two-shot partitions by size and starts
// each part at its owner, so its summation order depends on the batch (vllm pull 57042).
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "models/base/units.h"
#include "models/plan/nccl.h"
#include "models/plan/tactic.h"

namespace brink::plan {

enum class AllReduceTactic { none, one_shot, two_shot, multimem, nccl };

struct AllReduceSetting {
  std::int64_t world = 1;          // tensor-parallel ranks, all in one node
  bool fully_connected = true;     // every pair of ranks over NVLink
  bool symmetric_memory = false;   // torch symmetric memory on sm90: lower custom limits, multimem above
};

/// vLLM's choice. `message` is padded tokens * bytes a token. World 1 needs none.
[[nodiscard]] AllReduceTactic choose_all_reduce(Bytes message, const AllReduceSetting& setting);

/// TensorRT-LLM's choice (thresholds of its 0.1x releases, quoted): two ranks one-shot below 16 MB; up to four
/// below 1 MB, then two-shot below 8 MB; more below 500 kB, then two-shot below 8 MB; else NCCL.
[[nodiscard]] AllReduceTactic choose_trtllm_all_reduce(Bytes message, const AllReduceSetting& setting);

[[nodiscard]] const char* tactic_name(AllReduceTactic tactic);

/// vLLM turned torch symmetric memory on by default in 0.11 (vllm pull 24111).
[[nodiscard]] bool symmetric_memory_by_default(std::int64_t vllm_major, std::int64_t vllm_minor);

enum class AllReduceEngine { vllm, trtllm };

struct NcclVersion {
  std::int64_t major = 2, minor = 27;
};

struct AllReduceOptions {
  AllReduceSetting setting;
  AllReduceEngine engine = AllReduceEngine::vllm;
  NcclVersion nccl;
  bool nvls = true;              // the node's switches reduce (NVLink SHARP)
  bool nvls_buffers = true;      // their multicast buffers could be allocated
  bool batch_invariant = false;
  bool rank_order_two_shot = false;      // two-shot sums in rank order (vllm pull 57042): no order of its own
  bool collectives_keep_order = false;   // hypothesis: no collective changes the order of a sum
};

/// Whose measured curve the choice's `relative_time` multiplies.
enum class AllReduceTable { none, custom, nccl };

struct AllReducePlan {
  AllReduceTactic tactic = AllReduceTactic::none;
  std::optional<NcclChoice> nccl;  // algorithm and protocol, where NCCL runs
  AllReduceTable table = AllReduceTable::none;
  Choice choice;
};

/// Names are "custom_one_shot", "trtllm_two_shot", "multimem", "nccl/Ring/LL" ...
/// Batch-invariant: NCCL's tree, Simple protocol, one channel, for every size (vLLM, batch_invariant.py), or with
/// `rank_order_two_shot` the custom kernels within their limit, whose order is then one.
[[nodiscard]] AllReducePlan plan_all_reduce(Bytes message, const AllReduceOptions& options, TacticNames& names);

/// The order in which NCCL adds up: by algorithm, and by protocol and size where those place chunks.
[[nodiscard]] ReductionSig nccl_order(const NcclChoice& choice, Bytes message);
/// The one order of the hypothesis `collectives_keep_order`.
[[nodiscard]] ReductionSig kept_order();

/// NCCL 2.27 and 2.28 go on without multicast buffers they cannot allocate; 2.29 stops with an error (nccl issue
/// 2077). Throws ConfigError at `pointer` where the engine would not start.
void require_nvls_buffers(const AllReduceOptions& options, const std::string& pointer);

}  // namespace brink::plan
