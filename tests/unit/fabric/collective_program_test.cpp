// Phases of every algorithm: what crosses which rank's ports, and how long that takes by hand.
#include "models/fabric/collective_program.h"

#include <map>
#include <stdexcept>
#include <string>

#include <gtest/gtest.h>

#include "models/fabric/collective_time.h"
#include "models/fabric/nccl_tuning.h"

namespace brink::fabric {
namespace {

using enum CollectiveAlgorithm;
constexpr HopAlphas alphas{Seconds(6e-6), Seconds(1e-6), Seconds(4e-6)};
constexpr double n = 64e6;

CollectiveProgram program(CollectiveOp op, CollectiveAlgorithm algorithm, const RankLayout& layout, double bytes = n) {
  return make_program({op, algorithm, layout, Bytes(bytes)}, alphas);
}

/// Bytes that each rank sends, and receives.
std::pair<std::map<int, double>, std::map<int, double>> ports(const CollectiveProgram& made) {
  std::pair<std::map<int, double>, std::map<int, double>> sums;
  for (const Phase& phase : made.phases)
    for (const Transfer& transfer : phase.transfers) {
      sums.first[transfer.from] += transfer.size.value();
      sums.second[transfer.to] += transfer.size.value();
    }
  return sums;
}

void expect_each(const CollectiveProgram& made, double bytes) {
  const auto [out, in] = ports(made);
  ASSERT_EQ(static_cast<std::int64_t>(out.size()), made.ranks);
  for (const auto& [rank, sum] : out) EXPECT_NEAR(sum / bytes, 1.0, 1e-12) << rank;
  for (const auto& [rank, sum] : in) EXPECT_NEAR(sum / bytes, 1.0, 1e-12) << rank;
}

TEST(CollectiveProgram, EveryRankSendsWhatTheAlgorithmSays) {
  expect_each(program(CollectiveOp::all_reduce, ring, {1, 8}), 2.0 * n * 7 / 8);
  expect_each(program(CollectiveOp::all_reduce, ring, {2, 8}), 2.0 * n * 15 / 16);
  expect_each(program(CollectiveOp::all_gather, ring, {2, 4}), n * 7 / 8);
  expect_each(program(CollectiveOp::all_reduce, tree, {1, 8}), 2.0 * n * 7 / 8);
  expect_each(program(CollectiveOp::all_reduce, tree, {2, 8}), 2.0 * n * 7 / 8 + n / 8);
  expect_each(program(CollectiveOp::all_reduce, one_shot, {1, 4}), 3.0 * n);
  expect_each(program(CollectiveOp::all_reduce, two_shot, {1, 8}), 2.0 * n * 7 / 8);
  expect_each(program(CollectiveOp::all_reduce, nvls, {1, 8}), n * 9 / 8);
  expect_each(program(CollectiveOp::all_to_all, direct, {1, 8}), n * 7 / 8);
  expect_each(program(CollectiveOp::all_reduce, hierarchical, {2, 8}), 2.0 * n * 7 / 8 + n / 8);
}

TEST(CollectiveProgram, PhasesAndTheirAlphas) {
  EXPECT_EQ(program(CollectiveOp::all_reduce, ring, {2, 8}).phases.size(), 30u);
  EXPECT_NEAR(to_us(program(CollectiveOp::all_reduce, ring, {2, 8}).alpha()), 6 + 28 * 1 + 2 * 4, 1e-9);
  EXPECT_NEAR(to_us(program(CollectiveOp::all_gather, ring, {4, 8}).alpha()), 6 + 28 * 1 + 3 * 4, 1e-9);
  EXPECT_NEAR(to_us(program(CollectiveOp::all_reduce, tree, {4, 8}).alpha()), 6 + 14 * 1 + 4 * 4, 1e-9);
  EXPECT_NEAR(to_us(program(CollectiveOp::all_reduce, nvls_tree, {2, 8}).alpha()), 6 + 1 + 2 * 4, 1e-9);
  EXPECT_NEAR(to_us(program(CollectiveOp::all_reduce, hierarchical, {4, 8}).alpha()), 6 + 2 * 1 + 2 * 4, 1e-9);
  EXPECT_NEAR(to_us(program(CollectiveOp::all_reduce, hierarchical, {3, 8}).alpha()), 6 + 2 * 1 + 4 * 4, 1e-9) << "no power of two: a ring";
}

// With NCCL's hop latencies the phases' alphas are NCCL's own latency.
TEST(CollectiveProgram, NcclLatenciesAreTheSumOfTheHops) {
  for (const RankLayout layout : {RankLayout{1, 4}, RankLayout{1, 8}, RankLayout{2, 8}, RankLayout{4, 8}, RankLayout{4, 1}})
    for (const auto algorithm : {ring, tree, nvls, nvls_tree})
      for (const auto protocol : {CollectiveProtocol::ll, CollectiveProtocol::ll128, CollectiveProtocol::simple}) {
        const Collective collective{CollectiveOp::all_reduce, algorithm, layout, Bytes(1e6)};
        const auto tuning = nccl_tuning(collective, protocol, {}, true);
        if (!tuning) continue;
        EXPECT_NEAR(to_us(make_program(collective, nccl_hops(algorithm, protocol, layout, {})).alpha()), to_us(tuning->alpha), 1e-9)
            << name(algorithm) << name(protocol) << layout.nodes;
      }
}

// Known answers (us, GB/s): NCCL 2.30's tuning computed for these graphs, printed to 0.1.
TEST(NcclTuning, LatenciesAndBandwidths) {
  struct Row {
    RankLayout layout;
    CollectiveAlgorithm algorithm;
    CollectiveProtocol protocol;
    double us, gb_per_s;
  };
  using enum CollectiveProtocol;
  const Row rows[] = {{{1, 8}, tree, ll, 15.2, 43.6},   {{1, 8}, tree, ll128, 31.5, 128.8}, {{1, 8}, ring, ll, 15.0, 80.6},
                      {{1, 8}, ring, ll128, 40.6, 189.3}, {{1, 8}, ring, simple, 56.0, 205.7}, {{1, 8}, nvls, simple, 25.0, 272.0},
                      {{1, 4}, ring, ll, 10.2, 94.0},   {{1, 4}, ring, ll128, 25.4, 220.8}, {{1, 4}, nvls, simple, 25.0, 160.0},
                      {{2, 8}, tree, ll, 25.2, 19.5},   {{2, 8}, tree, ll128, 48.5, 155.2}, {{2, 8}, ring, ll, 40.0, 20.8},
                      {{2, 8}, ring, ll128, 75.2, 176.6}, {{2, 8}, ring, simple, 131.6, 192.0}, {{2, 8}, nvls_tree, simple, 66.8, 246.2}};
  for (const Row& row : rows) {
    const auto found = nccl_tuning({CollectiveOp::all_reduce, row.algorithm, row.layout, Bytes(64.0)}, row.protocol, {}, true);
    ASSERT_TRUE(found);
    EXPECT_NEAR(to_us(found->alpha), row.us, 0.051) << name(row.algorithm) << name(row.protocol);
    EXPECT_NEAR(found->rate.value() / 1e9, row.gb_per_s, 0.06) << name(row.algorithm) << name(row.protocol);
  }
  NcclSetting off;
  off.nvls = false;
  EXPECT_FALSE(nccl_tuning({CollectiveOp::all_reduce, nvls, {1, 8}, Bytes(64.0)}, simple, off));
  EXPECT_FALSE(nccl_tuning({CollectiveOp::all_reduce, tree, {1, 1}, Bytes(64.0)}, simple, {}));
}

TEST(CollectiveTime, OfARingByHand) {
  const Cluster cluster = load_cluster(std::string(BRINK_SOURCE_DIR) + "/configs/clusters/nd_h100_v5_2node.json");
  const Topology topology(cluster);
  std::vector<GpuPlace> all;
  for (std::int64_t node = 0; node < 2; ++node)
    for (std::int64_t gpu = 0; gpu < 8; ++gpu) all.push_back({node, gpu});
  GroupPaths paths(topology, all);
  // A phase puts n / 16 / 8 on every NIC and n / 16 * 7 / 8 on NVLink: at 50 and 450 GB/s the NIC is the slower.
  const CollectiveTime time = closed_form(program(CollectiveOp::all_reduce, ring, {2, 8}), paths);
  EXPECT_NEAR(time.transfer.value(), 30.0 * n / 16.0 / 8.0 / 50e9, 1e-9);
  // Recursive doubling: n / 8 over each NIC.
  const CollectiveTime levels = closed_form(program(CollectiveOp::all_reduce, hierarchical, {2, 8}), paths);
  EXPECT_NEAR(levels.transfer.value(), 2.0 * n * 7.0 / 8.0 / 450e9 + n / 8.0 / 50e9, 1e-9);
  EXPECT_NEAR(closed_form(taking(program(CollectiveOp::all_reduce, tree, {2, 8}), paths, Seconds(1e-3)), paths).total().value(), 1e-3, 1e-12);
}

TEST(RankLayouts, ComeFromPlaces) {
  const std::vector<GpuPlace> dealt{{0, 0}, {1, 0}, {0, 1}, {1, 1}};
  EXPECT_EQ(layout_of(dealt), (RankLayout{2, 2}));
  EXPECT_EQ(by_node(dealt), (std::vector<GpuPlace>{{0, 0}, {0, 1}, {1, 0}, {1, 1}}));
}

TEST(CollectiveProgram, RefusesWhatAnAlgorithmCannotDo) {
  EXPECT_THROW((void)program(CollectiveOp::all_to_all, ring, {1, 8}), std::invalid_argument);
  EXPECT_THROW((void)program(CollectiveOp::all_reduce, nvls, {2, 8}), std::invalid_argument);
  EXPECT_THROW((void)program(CollectiveOp::all_reduce, ring, {1, 1}), std::invalid_argument);
  EXPECT_THROW((void)program(CollectiveOp::all_reduce, ring, {1, 8}, -1.0), std::invalid_argument);
}

}  // namespace
}  // namespace brink::fabric
