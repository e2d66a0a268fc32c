#include "models/plan/nccl.h"

#include <array>
#include <bit>
#include <span>

namespace brink::plan {
namespace {

// One row of NCCL's tuning result: latency and algorithm bandwidth of an all-reduce.
struct Row {
  NcclAlgorithm algorithm;
  NcclProtocol protocol;
  double latency_us;
  double gb_per_s;
};

using enum NcclAlgorithm;
using enum NcclProtocol;

// Computed with the formulas of NCCL 2.30 src/graph/tuning.cc for H100 graphs: NVLink rings of
// 30 GB/s channels, NVLS on the third-generation NVSwitch, two nodes on 400 Gb/s NICs.
constexpr std::array node_of_8 = {
    Row{tree, ll, 15.2, 43.6},  Row{tree, ll128, 31.5, 128.8}, Row{tree, simple, 64.4, 165.6}, Row{ring, ll, 15.0, 80.6},
    Row{ring, ll128, 40.6, 189.3}, Row{ring, simple, 56.0, 205.7}, Row{nvls, simple, 25.0, 272.0}};
constexpr std::array node_of_4 = {
    Row{tree, ll, 10.4, 43.6},  Row{tree, ll128, 21.5, 128.8}, Row{tree, simple, 32.4, 165.6}, Row{ring, ll, 10.2, 94.0},
    Row{ring, ll128, 25.4, 220.8}, Row{ring, simple, 28.8, 240.0}, Row{nvls, simple, 25.0, 160.0}};
constexpr std::array two_nodes_of_8 = {
    Row{tree, ll, 25.2, 19.5},  Row{tree, ll128, 48.5, 155.2}, Row{tree, simple, 92.4, 165.6}, Row{ring, ll, 40.0, 20.8},
    Row{ring, ll128, 75.2, 176.6}, Row{ring, simple, 131.6, 192.0}, Row{nvls_tree, simple, 66.8, 246.2}};

// NCCL's treeCorrectionFactor: the tree reaches its bandwidth only at some sizes. Indexed by
// protocol and log2(bytes / 64).
constexpr std::array<std::array<double, 23>, 3> tree_correction = {{
    {1.0, 1.0, 1.0, 1.0, .9, .8, .7, .7, .7, .7, .6, .5, .4, .4, .5, .6, .7, .8, .9, 1.0, 1.0, 1.0, 1.0},
    {1.0, 1.0, 1.0, 1.0, 1.0, .9, .8, .8, .8, .7, .6, .6, .6, .6, .6, .6, .8, .9, .9, .9, .9, 1.0, 1.0},
    {.9, .9, .9, .9, .9, .9, .9, .8, .7, .6, .6, .5, .5, .5, .5, .6, .7, .8, .7, .7, .8, .9, .9},
}};

std::span<const Row> rows_of(NcclFabric fabric) {
  if (fabric == NcclFabric::node_of_4) return node_of_4;
  if (fabric == NcclFabric::two_nodes_of_8) return two_nodes_of_8;
  return node_of_8;
}

double bandwidth_factor(const Row& row, double bytes) {
  const auto units = static_cast<std::uint64_t>(bytes) >> 6;
  if (row.algorithm != tree || units == 0) return 1.0;
  const auto log_size = static_cast<std::size_t>(std::bit_width(units) - 1);
  const auto& factors = tree_correction[static_cast<std::size_t>(row.protocol)];
  return log_size < factors.size() ? factors[log_size] : 1.0;
}

}  // namespace

NcclChoice choose_nccl_all_reduce(Bytes message, NcclFabric fabric) {
  NcclChoice best;
  bool first = true;
  for (const Row& row : rows_of(fabric)) {
    if (fabric == NcclFabric::node_of_8_without_nvls && row.algorithm == nvls) continue;
    const double rate = row.gb_per_s * bandwidth_factor(row, message.value());
    const Seconds estimate = microseconds(row.latency_us + message.value() / (1000.0 * rate));
    if (!first && best.estimate <= estimate) continue;
    best = {row.algorithm, row.protocol, estimate, 0};
    first = false;
  }
  return best;
}

NcclChoice nccl_one_channel_tree(Bytes message, NcclFabric fabric) {
  constexpr double channel_gb_per_s = 30.0, tree_share = 0.92 / 2.0;
  for (const Row& row : rows_of(fabric)) {
    if (row.algorithm != tree || row.protocol != simple) continue;
    // No correction by size: it stands for pieces cut over many channels.
    const double rate = channel_gb_per_s * tree_share;
    return {tree, simple, microseconds(row.latency_us + message.value() / (1000.0 * rate)), 1};
  }
  return {};
}

std::string tactic_name(const NcclChoice& choice) {
  constexpr std::array algorithms = {"Ring", "Tree", "NVLS", "NVLSTree"};
  constexpr std::array protocols = {"LL", "LL128", "Simple"};
  return std::string(algorithms[static_cast<std::size_t>(choice.algorithm)]) + "/" +
         protocols[static_cast<std::size_t>(choice.protocol)];
}

}  // namespace brink::plan
