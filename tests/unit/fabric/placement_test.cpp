#include "models/fabric/placement.h"

#include <gtest/gtest.h>

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

TEST(PlaceRanks, Refusals) {
  expect_config_error([] { (void)place_ranks(cluster_of(1, 8), 1, 16); }, "/engine/tensor_parallel_size",
                      "got 16; between 1 and the cluster's 8 GPUs");
  expect_config_error([] { (void)place_ranks(cluster_of(2, 8), 5, 4); }, "/engine/data_parallel_size",
                      "got 5; between 1 and 4: 2 nodes of 8 GPUs hold that many replicas of 4 ranks");
}

}  // namespace
}  // namespace brink::fabric
