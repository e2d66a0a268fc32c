#include "models/cost/inter_node_cost.h"

#include <algorithm>
#include <cmath>
#include <stdexcept>

#include <fmt/format.h>

namespace brink::cost {

using fabric::Collective;
using fabric::CollectiveAlgorithm;
using fabric::CollectiveProtocol;
using fabric::HopAlphas;

namespace {

// Of a NIC's line rate: NCCL maintainers expect 46..48 GB/s of 50 (nccl-tests issue 290), DeepEP measures 43..47
// between nodes (DeepEP README); NCCL's own graphs on these nodes use 45.
constexpr double kNetworkEfficiency = 0.9;
// Words of data and flag, as NCCL's LL and NVRAR's fused flags send.
constexpr double kFlaggedWords = 2.0;
// Simple, tree, network: what stands for a hop where none was measured (NCCL 2.30, src/graph/tuning.cc).
constexpr double kSimpleHopUs = 14.0;
// LL, tree, network: a hop with flags in the data (same source).
constexpr double kFlaggedHopUs = 5.0;
// Below this an engine's kernel inside the node serves the shards' reduction (vLLM, custom_all_reduce.py).
constexpr Bytes kCustomLimit = mib(8);

}  // namespace

Seconds Collectives::network_hop() const {
  const PointToPoint* measured = profile_.point_to_point();
  return measured != nullptr ? measured->network_hop() : microseconds(kSimpleHopUs);
}

HopAlphas Collectives::hops(const CollectiveWork& work) const {
  const Collective& collective = work.collective;
  const bool far = collective.layout.nodes > 1;
  HopAlphas hops = fabric::nccl_hops(collective.algorithm, work.protocol, collective.layout, setting_);
  if (collective.algorithm == CollectiveAlgorithm::hierarchical) {
    hops.intra = inside({{collective.op, CollectiveAlgorithm::one_shot, {1, collective.layout.gpus_per_node}, Bytes(256.0)}, work.protocol, work.backend}).time / 2.0;
    hops.inter = microseconds(kFlaggedHopUs);
  } else if (collective.algorithm == CollectiveAlgorithm::direct || collective.algorithm == CollectiveAlgorithm::one_shot || collective.algorithm == CollectiveAlgorithm::two_shot) {
    const PointToPoint* measured = profile_.point_to_point();
    hops.intra = measured != nullptr ? measured->inside(Bytes(2048.0)).time : microseconds(8.4);
    hops.inter = measured != nullptr ? measured->between(Bytes(2048.0)).time : microseconds(8.4 + kSimpleHopUs);
  } else if (far && work.protocol == CollectiveProtocol::simple) {
    hops.inter = network_hop();
  }
  return hops;
}

Estimate Collectives::time(const CollectiveWork& work) const {
  const Collective& collective = work.collective;
  if (collective.message < Bytes(0.0)) throw std::invalid_argument("collective: no negative size");
  if (collective.layout.ranks() <= 1 || collective.message == Bytes(0.0)) return {};
  if (collective.op == CollectiveOp::send_recv) return send_recv(work);
  if (collective.layout.nodes == 1) return inside(work);
  if (collective.op == CollectiveOp::all_to_all) return all_to_all(work);
  if (collective.algorithm == CollectiveAlgorithm::hierarchical) return hierarchical(work);
  const auto tuning = fabric::nccl_tuning_with(collective, work.protocol, setting_, hops(work));
  if (!tuning) {
    throw std::invalid_argument(fmt::format("collective: no {} by {}/{} between nodes", name(collective.op), fabric::name(collective.algorithm),
                                            fabric::name(work.protocol)));
  }
  return {tuning->time(collective.message), Badge::extrapolated};
}

// The curve of the backend, else NCCL's own expectation scaled as its measured all-reduce stands to it.
Estimate Collectives::inside(const CollectiveWork& work) const {
  const Collective& collective = work.collective;
  const std::int64_t gpus = collective.layout.gpus_per_node;
  if (gpus <= 1) return {};
  if (profile_.has_collective(work.backend, collective.op)) return profile_.collective(work.backend, collective.op, gpus, collective.message);
  if (profile_.has_collective(CollectiveBackend::nccl, collective.op))
    return profile_.collective(CollectiveBackend::nccl, collective.op, gpus, collective.message);
  // All-to-all moves what all-gather does; half an all-reduce stands for either.
  const Estimate whole = profile_.collective(CollectiveBackend::nccl, CollectiveOp::all_reduce, gpus, collective.message);
  return {whole.time * (collective.op == CollectiveOp::all_reduce ? 1.0 : 0.5), Badge::hypothetical};
}

Estimate Collectives::send_recv(const CollectiveWork& work) const {
  const Collective& collective = work.collective;
  const bool far = collective.layout.nodes > 1;
  const PointToPoint* measured = profile_.point_to_point();
  if (measured != nullptr) return far ? measured->between(collective.message) : measured->inside(collective.message);
  const HopAlphas hop = hops(work);
  const BytesPerSecond rate = far ? setting_.network_per_gpu * kNetworkEfficiency : BytesPerSecond(360e9);
  return {(far ? hop.inter : hop.intra) + collective.message / rate, Badge::hypothetical};
}

// Grouped sends and receives: what stays in the node and what leaves it overlap; every GPU's NIC carries its share.
Estimate Collectives::all_to_all(const CollectiveWork& work) const {
  const Collective& collective = work.collective;
  const auto ranks = static_cast<double>(collective.layout.ranks()), gpus = static_cast<double>(collective.layout.gpus_per_node);
  const Bytes outside = collective.message * ((ranks - gpus) / ranks);
  const Seconds network = hops(work).inter + outside / (setting_.network_per_gpu * kNetworkEfficiency);
  CollectiveWork near = work;
  near.collective.layout.nodes = 1;
  near.collective.message = collective.message * (gpus / ranks);
  return {std::max(network, inside(near).time), Badge::hypothetical};
}

// Reduce-scatter, exchange of shards, all-gather. The two halves inside the node cost what the engine's all-reduce
// there does (two-shot is just those two), or NCCL's above its limit.
Estimate Collectives::hierarchical(const CollectiveWork& work) const {
  const Collective& collective = work.collective;
  const auto nodes = static_cast<double>(collective.layout.nodes), gpus = static_cast<double>(collective.layout.gpus_per_node);
  const bool reduces = collective.op == CollectiveOp::all_reduce;
  CollectiveWork near = work;
  near.collective.layout.nodes = 1;
  near.collective.op = CollectiveOp::all_reduce;
  near.backend = collective.message < kCustomLimit && profile_.has_collective(CollectiveBackend::custom_graph, CollectiveOp::all_reduce)
                     ? CollectiveBackend::custom_graph : CollectiveBackend::nccl;
  const Seconds node = inside(near).time * (reduces ? 1.0 : 0.5);
  const bool doubles = reduces && (collective.layout.nodes & (collective.layout.nodes - 1)) == 0;
  const double steps = doubles ? std::log2(nodes) : (reduces ? 2.0 : 1.0) * (nodes - 1.0);
  const Bytes shard = collective.message / (doubles ? gpus : gpus * nodes) * kFlaggedWords;
  const Seconds step = microseconds(kFlaggedHopUs) + shard / (setting_.network_per_gpu * kNetworkEfficiency);
  return {node + step * steps, Badge::hypothetical};
}

}  // namespace brink::cost
