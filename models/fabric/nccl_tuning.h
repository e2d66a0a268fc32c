// NCCL's tuning model for H100 nodes: latency and bandwidth of every algorithm and protocol, from the hop latencies and
// bandwidth limits of NCCL 2.30 (src/graph/tuning.cc) and the channels its search finds on these nodes.
#pragma once

#include <optional>

#include "models/base/units.h"
#include "models/fabric/collective.h"
#include "models/fabric/collective_program.h"

namespace brink::fabric {

/// What the model knows of the machine besides the layout.
struct NcclSetting {
  bool nvls = true;                   // the node's switches reduce (NVLink SHARP) and its buffers could be allocated
  bool amd_host = false;              // posting to the network costs more, LL between nodes carries more
  BytesPerSecond network_per_gpu{50e9};  // each way: a 400 Gb/s NIC a GPU
  bool operator==(const NcclSetting&) const = default;
};

/// time = alpha + bytes / rate.
struct AlphaBeta {
  Seconds alpha{0.0};
  BytesPerSecond rate{0.0};

  [[nodiscard]] Seconds time(Bytes message) const { return alpha + message / rate; }
};

/// Base and hop latencies (baseLatencies, hwLatencies of NVLink and network). A hop of a ring between nodes costs at
/// least the posting of its message. Zero hops for what NCCL does not tune (direct, one-shot, ...).
[[nodiscard]] HopAlphas nccl_hops(CollectiveAlgorithm algorithm, CollectiveProtocol protocol, const RankLayout& layout, const NcclSetting& setting);

/// What NCCL expects; std::nullopt where it would not run the combination. Bandwidths assume what its search finds on
/// these nodes: 12 NVLink channels of 30 GB/s, 45 of each NIC's 50 GB/s, NVLS channels of 40 GB/s (eight GPUs) or 60 GB/s.
/// Includes the tree's correction by size and, with `as_it_runs` false, the plateau that NCCL adds to rings when it chooses.
[[nodiscard]] std::optional<AlphaBeta> nccl_tuning(const Collective& collective, CollectiveProtocol protocol, const NcclSetting& setting,
                                                   bool as_it_runs = false);

/// The same with other hop latencies (a measured network), for algorithms that have hops.
[[nodiscard]] std::optional<AlphaBeta> nccl_tuning_with(const Collective& collective, CollectiveProtocol protocol, const NcclSetting& setting,
                                                        const HopAlphas& hops);

}  // namespace brink::fabric
