#include "models/plan/nccl.h"

#include <array>

namespace brink::plan {

using fabric::Collective;
using fabric::CollectiveOp;

NcclChoice choose_nccl(CollectiveOp op, Bytes message, const fabric::RankLayout& layout, const fabric::NcclSetting& setting,
                       const NcclLimits& limits) {
  constexpr std::array algorithms = {NcclAlgorithm::tree, NcclAlgorithm::ring, NcclAlgorithm::nvls, NcclAlgorithm::nvls_tree};
  constexpr std::array protocols = {NcclProtocol::ll, NcclProtocol::ll128, NcclProtocol::simple};
  NcclChoice best;
  bool found = false;
  for (const NcclAlgorithm algorithm : algorithms) {
    for (const NcclProtocol protocol : protocols) {
      if (limits.algorithm.value_or(algorithm) != algorithm || limits.protocol.value_or(protocol) != protocol) continue;
      const auto tuning = fabric::nccl_tuning(Collective{op, algorithm, layout, message}, protocol, setting);
      if (!tuning) continue;
      const Seconds estimate = tuning->time(message);
      if (found && best.estimate <= estimate) continue;
      best = {algorithm, protocol, estimate, 0};
      found = true;
    }
  }
  if (found) return best;
  if (limits.algorithm || limits.protocol) return choose_nccl(op, message, layout, setting);
  return {NcclAlgorithm::direct, NcclProtocol::simple, Seconds(0.0), 0};
}

NcclChoice nccl_one_channel_tree(Bytes message, const fabric::RankLayout& layout, const fabric::NcclSetting& setting) {
  constexpr double channel_bytes_per_s = 30e9, tree_share = 0.92 / 2.0;
  const Collective collective{CollectiveOp::all_reduce, NcclAlgorithm::tree, layout, message};
  const auto tuning = fabric::nccl_tuning(collective, NcclProtocol::simple, setting);
  if (!tuning) return {};
  // No correction by size: it stands for pieces cut over many channels.
  const Seconds estimate = tuning->alpha + message / BytesPerSecond(channel_bytes_per_s * tree_share);
  return {NcclAlgorithm::tree, NcclProtocol::simple, estimate, 1};
}

std::string tactic_name(const NcclChoice& choice) { return fabric::name(choice.algorithm) + "/" + fabric::name(choice.protocol); }

}  // namespace brink::plan
