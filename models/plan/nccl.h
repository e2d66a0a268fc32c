// NCCL's own choice of algorithm and protocol for a collective: the least latency + bytes / bandwidth of its tuning model
// (models/fabric/nccl_tuning.h), or what NCCL_ALGO and NCCL_PROTO ask for.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "models/base/units.h"
#include "models/fabric/collective.h"
#include "models/fabric/nccl_tuning.h"

namespace brink::plan {

using NcclAlgorithm = fabric::CollectiveAlgorithm;
using NcclProtocol = fabric::CollectiveProtocol;

struct NcclChoice {
  NcclAlgorithm algorithm = NcclAlgorithm::ring;
  NcclProtocol protocol = NcclProtocol::ll;
  Seconds estimate{0.0};  // NCCL's own estimate, not a measured time
  std::int64_t channels = 0;  // 0: as many as NCCL takes
};

/// What NCCL_ALGO and NCCL_PROTO restrict its choice to.
struct NcclLimits {
  std::optional<NcclAlgorithm> algorithm;
  std::optional<NcclProtocol> protocol;
};

/// All-reduce, all-gather and reduce-scatter. All-to-all and send/recv have no choice: direct, Simple, no estimate.
/// A limit that leaves nothing is ignored, as NCCL ignores an algorithm that cannot run (it warns and takes another).
[[nodiscard]] NcclChoice choose_nccl(fabric::CollectiveOp op, Bytes message, const fabric::RankLayout& layout,
                                     const fabric::NcclSetting& setting, const NcclLimits& limits = {});

[[nodiscard]] inline NcclChoice choose_nccl_all_reduce(Bytes message, const fabric::RankLayout& layout, const fabric::NcclSetting& setting) {
  return choose_nccl(fabric::CollectiveOp::all_reduce, message, layout, setting);
}

/// The tree with the Simple protocol on one channel, which batch-invariant engines pin (vLLM, batch_invariant.py:
/// NCCL_ALGO, NCCL_PROTO, NCCL_MAX_NCHANNELS): one channel's 30 GB/s, of which a tree gets 0.92 / 2
/// (NCCL 2.30, src/graph/tuning.cc).
[[nodiscard]] NcclChoice nccl_one_channel_tree(Bytes message, const fabric::RankLayout& layout, const fabric::NcclSetting& setting);

/// "Ring/LL", "NVLSTree/Simple" ...
[[nodiscard]] std::string tactic_name(const NcclChoice& choice);

}  // namespace brink::plan
