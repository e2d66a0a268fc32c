// NCCL's own choice of algorithm and protocol for an all-reduce: the least
// latency + bytes / bandwidth of its tuning model (NCCL 2.30, src/graph/tuning.cc), with the
// tree's size-dependent bandwidth correction.
#pragma once

#include <cstdint>
#include <string>

#include "models/base/units.h"

namespace brink::plan {

enum class NcclAlgorithm { ring, tree, nvls, nvls_tree };
enum class NcclProtocol { ll, ll128, simple };

/// The fabrics whose tuning constants are known: H100 nodes with NVSwitch.
enum class NcclFabric { node_of_8, node_of_8_without_nvls, node_of_4, two_nodes_of_8 };

struct NcclChoice {
  NcclAlgorithm algorithm = NcclAlgorithm::ring;
  NcclProtocol protocol = NcclProtocol::ll;
  Seconds estimate{0.0};  // NCCL's own estimate, not a measured time
  std::int64_t channels = 0;  // 0: as many as NCCL takes
};

[[nodiscard]] NcclChoice choose_nccl_all_reduce(Bytes message, NcclFabric fabric);

/// The tree with the Simple protocol on one channel, which batch-invariant engines pin (vLLM, batch_invariant.py:
/// NCCL_ALGO, NCCL_PROTO, NCCL_MAX_NCHANNELS): one channel's 30 GB/s, of which a tree gets 0.92 / 2
/// (NCCL 2.30, src/graph/tuning.cc).
[[nodiscard]] NcclChoice nccl_one_channel_tree(Bytes message, NcclFabric fabric);

/// "Ring/LL", "NVLSTree/Simple" ...
[[nodiscard]] std::string tactic_name(const NcclChoice& choice);

}  // namespace brink::plan
