#include "models/fabric/nccl_tuning.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace brink::fabric {
namespace {

using enum CollectiveAlgorithm;

// Constants of NCCL 2.30, src/graph/tuning.cc, in us and GB/s; indexed by protocol (LL, LL128, Simple).
using ByProtocol = std::array<double, 3>;
struct Latencies {
  ByProtocol base, nvlink, network;
};
constexpr Latencies tree_us = {{6.8, 14.0, 8.4}, {0.6, 1.25, 4.0}, {5.0, 8.5, 14.0}};
constexpr Latencies ring_us = {{6.6, 14.0, 8.4}, {0.6, 1.9, 3.4}, {2.7, 4.0, 14.0}};
constexpr double nvls_us = 25.0, nvls_tree_hop_us = 20.9;
constexpr double post_us_intel = 1.0, post_us_amd = 2.0, posts_of_simple = 3.0;
constexpr double plateau = 1.4;  // of rings between nodes

// By one node, two, more. LL is limited by the GPU inside a node and by the host between nodes.
using ByNodes = std::array<double, 3>;
constexpr ByNodes ll_max_intel = {141.0, 39.0, 20.4}, ll_max_amd = {141.0, 22.5, 19.0};
constexpr ByNodes ring_ll128_channel = {36.7, 36.7, 36.7}, tree_ll128_channel = {36.7, 36.7, 29.0};
constexpr ByNodes tree_channel = {38.7, 41.4, 36.0}, nvls_tree_channel = {0.0, 57.7, 45.5};
constexpr double nvls_efficiency = 0.85, tree_efficiency = 0.92, ll128_efficiency = 0.92;

// What NCCL's search finds on H100 nodes with NVSwitch (src/graph/search.cc tries 60, 50, 40, 30 GB/s a channel).
constexpr double channels = 12.0, channel = 30.0;
constexpr double network_share = 45.0 / 50.0;      // of a NIC, all channels together
constexpr double nvls_network_share = 48.0 / 50.0;
constexpr double gb_per_s = 1e9;

// NCCL's treeCorrectionFactor: the tree reaches its bandwidth only at some sizes. Indexed by
// protocol and log2(bytes / 64).
constexpr std::array<std::array<double, 23>, 3> tree_correction = {{
    {1.0, 1.0, 1.0, 1.0, .9, .8, .7, .7, .7, .7, .6, .5, .4, .4, .5, .6, .7, .8, .9, 1.0, 1.0, 1.0, 1.0},
    {1.0, 1.0, 1.0, 1.0, 1.0, .9, .8, .8, .8, .7, .6, .6, .6, .6, .6, .6, .8, .9, .9, .9, .9, 1.0, 1.0},
    {.9, .9, .9, .9, .9, .9, .9, .8, .7, .6, .6, .5, .5, .5, .5, .6, .7, .8, .7, .7, .8, .9, .9},
}};

std::size_t index(CollectiveProtocol protocol) { return static_cast<std::size_t>(protocol); }
std::size_t by_nodes(const RankLayout& layout) { return static_cast<std::size_t>(std::min<std::int64_t>(layout.nodes, 3) - 1); }

double correction(CollectiveProtocol protocol, Bytes message) {
  const auto units = static_cast<std::int64_t>(message.value()) / 64;
  if (units < 1) return 1.0;
  const auto size = static_cast<std::size_t>(floor_log2(units));
  const auto& factors = tree_correction[index(protocol)];
  return size < factors.size() ? factors[size] : 1.0;
}

// GB/s that all channels of a ring or tree move past a GPU.
double graph_rate(const RankLayout& layout, const NcclSetting& setting) {
  const double inside = channels * channel;
  if (layout.nodes == 1) return inside;
  return std::min(inside, network_share * setting.network_per_gpu.value() / gb_per_s * static_cast<double>(layout.gpus_per_node));
}

double ring_rate(CollectiveProtocol protocol, const RankLayout& layout, const NcclSetting& setting) {
  const double rate = graph_rate(layout, setting);
  const std::size_t n = by_nodes(layout);
  switch (protocol) {
    case CollectiveProtocol::ll: return std::min((setting.amd_host ? ll_max_amd : ll_max_intel)[n], rate * 0.5);
    case CollectiveProtocol::ll128: return std::min(rate * ll128_efficiency, channels * ring_ll128_channel[n]);
    case CollectiveProtocol::simple: return rate;
  }
  return rate;
}

double tree_rate(CollectiveProtocol protocol, const RankLayout& layout, const NcclSetting& setting) {
  const std::size_t n = by_nodes(layout);
  const double rate = std::min(graph_rate(layout, setting) * tree_efficiency, channels * tree_channel[n]);
  switch (protocol) {
    case CollectiveProtocol::ll: return std::min(rate / 3.8, (setting.amd_host ? ll_max_amd : ll_max_intel)[n]);
    case CollectiveProtocol::ll128:
      return std::min(rate * (layout.nodes == 1 ? 7.0 / 9.0 : 120.0 / 128.0), channels * tree_ll128_channel[n]);
    case CollectiveProtocol::simple: return rate;
  }
  return rate;
}

// One channel a GPU; an all-reduce pipelines its two passes through the switch.
double nvls_rate(CollectiveOp op, const RankLayout& layout, const NcclSetting& setting) {
  const auto heads = static_cast<double>(layout.gpus_per_node);
  const double found = layout.gpus_per_node >= 8 ? 40.0 : 60.0;
  double each = found * nvls_efficiency * (heads - 1.0) / heads;
  each *= op == CollectiveOp::all_reduce ? 2.0 : (heads - 1.0) / heads;
  each = std::min(each, 60.0);
  if (layout.nodes > 1) {
    const double network = nvls_network_share * setting.network_per_gpu.value() / gb_per_s * (layout.nodes == 2 ? 2.0 : 1.0);
    each = std::min({each, network, nvls_tree_channel[by_nodes(layout)]});
  }
  return each * heads;
}

// Of the message, per GB/s that pass a GPU.
double algorithm_ratio(const Collective& collective) {
  const auto ranks = static_cast<double>(collective.layout.ranks());
  const bool reduces = collective.op == CollectiveOp::all_reduce;
  if (collective.algorithm == tree) return 0.5;
  if (collective.algorithm == ring || reduces) return ranks / ((reduces ? 2.0 : 1.0) * (ranks - 1.0));
  return 1.0;
}

bool tuned(CollectiveAlgorithm algorithm) { return algorithm == ring || algorithm == tree || algorithm == nvls || algorithm == nvls_tree; }

Seconds latency(const Collective& collective, const HopAlphas& hops) {
  const RankLayout& layout = collective.layout;
  const auto count = [](std::int64_t n) { return static_cast<double>(n); };
  const std::int64_t halves = collective.op == CollectiveOp::all_reduce ? 2 : 1;
  switch (collective.algorithm) {
    case ring: {
      const std::int64_t far = halves * (layout.nodes - 1), steps = halves * (layout.ranks() - 1);
      return hops.base + hops.intra * count(steps - far) + hops.inter * count(far);
    }
    case tree: return hops.base + hops.intra * count(2 * (layout.gpus_per_node - 1)) + hops.inter * count(2 * floor_log2(layout.nodes));
    default: return hops.base + hops.intra + (layout.nodes > 1 ? hops.inter * count(2 * floor_log2(layout.nodes)) : Seconds(0.0));
  }
}

double rate_of(const Collective& collective, CollectiveProtocol protocol, const NcclSetting& setting) {
  switch (collective.algorithm) {
    case ring: return ring_rate(protocol, collective.layout, setting);
    case tree: return tree_rate(protocol, collective.layout, setting) * correction(protocol, collective.message);
    default: return nvls_rate(collective.op, collective.layout, setting);
  }
}

bool runs(const Collective& collective, CollectiveProtocol protocol, const NcclSetting& setting) {
  if (!tuned(collective.algorithm) || !supports(collective.op, collective.algorithm, collective.layout)) return false;
  const bool switched = collective.algorithm == nvls || collective.algorithm == nvls_tree;
  return !switched || (setting.nvls && protocol == CollectiveProtocol::simple);
}

}  // namespace

HopAlphas nccl_hops(CollectiveAlgorithm algorithm, CollectiveProtocol protocol, const RankLayout& layout, const NcclSetting& setting) {
  const std::size_t p = index(protocol);
  HopAlphas hops;
  if (algorithm == nvls || algorithm == nvls_tree) {
    hops.intra = microseconds(nvls_us);
    hops.inter = microseconds(nvls_tree_hop_us);
  } else if (algorithm == ring || algorithm == tree) {
    const Latencies& table = algorithm == ring ? ring_us : tree_us;
    double near = table.nvlink[p];
    if (algorithm == ring && layout.nodes > 1) {
      const double post = setting.amd_host ? post_us_amd : post_us_intel;
      near = std::max(near, post * (protocol == CollectiveProtocol::simple ? posts_of_simple : 1.0));
    }
    // With one GPU a node nothing hides the network: NCCL takes the tree's latency.
    const Latencies& far = layout.gpus_per_node == 1 ? tree_us : table;
    hops = {microseconds(table.base[p]), microseconds(near), microseconds(far.network[p])};
  }
  return hops;
}

std::optional<AlphaBeta> nccl_tuning_with(const Collective& collective, CollectiveProtocol protocol, const NcclSetting& setting,
                                          const HopAlphas& hops) {
  if (!runs(collective, protocol, setting)) return std::nullopt;
  const double rate = rate_of(collective, protocol, setting) * algorithm_ratio(collective);
  return AlphaBeta{latency(collective, hops), BytesPerSecond(rate * gb_per_s)};
}

std::optional<AlphaBeta> nccl_tuning(const Collective& collective, CollectiveProtocol protocol, const NcclSetting& setting, bool as_it_runs) {
  auto found = nccl_tuning_with(collective, protocol, setting, nccl_hops(collective.algorithm, protocol, collective.layout, setting));
  const bool flat = found && !as_it_runs && collective.algorithm == ring && protocol == CollectiveProtocol::simple &&
                    collective.layout.nodes > 1 && collective.op == CollectiveOp::all_reduce;
  const double each = collective.message.value() / (channels * static_cast<double>(collective.layout.ranks()));
  if (flat && each >= 64.0) found->alpha *= plateau;
  return found;
}

}  // namespace brink::fabric
