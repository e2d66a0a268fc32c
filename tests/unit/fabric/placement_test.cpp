#include "models/fabric/placement.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "tests/support/config_error.h"

namespace brink::fabric {
namespace {

using test::expect_config_error;

Cluster cluster_of(std::int64_t nodes, std::int64_t gpus_per_node) {
  Cluster cluster;
  cluster.nodes = nodes;
  cluster.gpus_per_node = gpus_per_node;
  return cluster;
}

TEST(PlaceRanks, PacksReplicasIntoNodes) {
  const auto places = place_ranks(cluster_of(2, 8), 3, 4);
  EXPECT_EQ(places[0][3], (GpuPlace{0, 3}));
  EXPECT_EQ(places[1][0], (GpuPlace{0, 4}));
  EXPECT_EQ(places[2][0], (GpuPlace{1, 0}));
}

TEST(PlaceRanks, AReplicaThatFitsNeverStraddlesNodes) {
  const auto places = place_ranks(cluster_of(2, 8), 4, 3);  // two of three ranks a node, two GPUs idle
  for (const auto& replica : places)
    for (const GpuPlace& place : replica) EXPECT_EQ(place.node, replica[0].node);
  EXPECT_EQ(places[2][0], (GpuPlace{1, 0}));
}

TEST(PlaceRanks, ALargerReplicaTakesWholeNodes) {
  const auto places = place_ranks(cluster_of(4, 8), 2, 16);
  EXPECT_EQ(places[0][15], (GpuPlace{1, 7}));
  EXPECT_EQ(places[1][0], (GpuPlace{2, 0}));
}

TEST(PlaceRanks, NoGpuIsUsedTwice) {
  for (std::int64_t ranks = 1; ranks <= 32; ++ranks) {
    const std::int64_t room = ranks <= 8 ? 4 * (8 / ranks) : 4 / ((ranks + 7) / 8);
    std::set<GpuPlace> used;
    for (const auto& replica : place_ranks(cluster_of(4, 8), room, ranks))
      for (const GpuPlace& place : replica) EXPECT_TRUE(used.insert(place).second);
    EXPECT_EQ(static_cast<std::int64_t>(used.size()), room * ranks);
    EXPECT_THROW((void)place_ranks(cluster_of(4, 8), room + 1, ranks), ConfigError);
  }
}

TEST(PlaceRanks, RailAlignedRanksShareOneGpuNumber) {
  const auto places = place_ranks(cluster_of(4, 8), 8, 4, PlacementPolicy::rail_aligned);
  for (std::int64_t replica = 0; replica < 8; ++replica)
    for (std::int64_t rank = 0; rank < 4; ++rank) EXPECT_EQ(places[static_cast<std::size_t>(replica)][static_cast<std::size_t>(rank)], (GpuPlace{rank, replica}));
}

TEST(PlaceRanks, RailAlignedTp16OfTwoNodesIsWholeNodes) {
  EXPECT_EQ(place_ranks(cluster_of(2, 8), 1, 16, PlacementPolicy::rail_aligned), place_ranks(cluster_of(2, 8), 1, 16));
  // TP8 on two nodes: four GPU numbers, the same on both.
  const auto places = place_ranks(cluster_of(2, 8), 2, 8, PlacementPolicy::rail_aligned);
  EXPECT_EQ(places[1], (std::vector<GpuPlace>{{0, 4}, {0, 5}, {0, 6}, {0, 7}, {1, 4}, {1, 5}, {1, 6}, {1, 7}}));
}

TEST(PlaceRanks, SpreadRanksShareNeitherNodeNorRail) {
  const auto places = place_ranks(cluster_of(4, 8), 8, 4, PlacementPolicy::spread);
  for (const auto& replica : places) {
    std::set<std::int64_t> nodes, rails;
    for (const GpuPlace& place : replica) nodes.insert(place.node), rails.insert(place.index);
    EXPECT_EQ(nodes.size(), 4u);
    EXPECT_EQ(rails.size(), 4u);
  }
  EXPECT_EQ(places[7], (std::vector<GpuPlace>{{0, 7}, {1, 0}, {2, 1}, {3, 2}}));
}

TEST(PlaceRanks, EveryPolicyUsesNoGpuTwiceAndFillsWhatFits) {
  for (const PlacementPolicy policy : {PlacementPolicy::rail_aligned, PlacementPolicy::spread}) {
    for (std::int64_t nodes = 1; nodes <= 5; ++nodes) {
      for (std::int64_t ranks = 1; ranks <= nodes * 8; ++ranks) {
        const std::int64_t span = std::min(nodes, ranks), each = (ranks + span - 1) / span;
        const std::int64_t room = nodes / span * (8 / each);
        std::set<GpuPlace> used;
        for (const auto& replica : place_ranks(cluster_of(nodes, 8), room, ranks, policy)) {
          for (const GpuPlace& place : replica) {
            EXPECT_TRUE(used.insert(place).second);
            EXPECT_TRUE(place.node >= 0 && place.node < nodes && place.index >= 0 && place.index < 8);
          }
        }
        EXPECT_EQ(static_cast<std::int64_t>(used.size()), room * ranks);
        EXPECT_THROW((void)place_ranks(cluster_of(nodes, 8), room + 1, ranks, policy), ConfigError);
      }
    }
  }
}

TEST(PlaceRanks, OnOneNodeAllPoliciesAreTheSame) {
  for (const std::int64_t ranks : {1, 2, 3, 4, 8}) {
    const auto packed = place_ranks(cluster_of(1, 8), 8 / ranks, ranks);
    EXPECT_EQ(place_ranks(cluster_of(1, 8), 8 / ranks, ranks, PlacementPolicy::rail_aligned), packed);
    EXPECT_EQ(place_ranks(cluster_of(1, 8), 8 / ranks, ranks, PlacementPolicy::spread), packed);
  }
}

TEST(PlaceRanks, PoliciesHaveNames) {
  for (const std::string& name : placement_policy_names()) EXPECT_EQ(policy_name(placement_policy(name)), name);
}

TEST(PlaceRanks, Refusals) {
  expect_config_error([] { (void)place_ranks(cluster_of(4, 8), 9, 4, PlacementPolicy::spread); }, "/engine/data_parallel_size",
                      "got 9; between 1 and 8: 4 nodes of 8 GPUs hold that many replicas of 4 ranks, placed spread");
  expect_config_error([] { (void)place_ranks(cluster_of(1, 8), 1, 16); }, "/engine/tensor_parallel_size",
                      "got 16; between 1 and the cluster's 8 GPUs");
  expect_config_error([] { (void)place_ranks(cluster_of(2, 8), 5, 4); }, "/engine/data_parallel_size",
                      "got 5; between 1 and 4: 2 nodes of 8 GPUs hold that many replicas of 4 ranks");
}

}  // namespace
}  // namespace brink::fabric
