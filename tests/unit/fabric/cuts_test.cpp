// Cuts against values worked out by hand.
#include "models/fabric/cuts.h"

#include <gtest/gtest.h>

#include "tests/support/config_error.h"

namespace brink::fabric {
namespace {

Cluster load(const char* name) { return load_cluster(std::string(BRINK_SOURCE_DIR) + "/configs/clusters/" + name + ".json"); }

double gb_per_s_bisection(const Cluster& cluster) { return bisection(Topology(cluster), cluster).value() / 1e9; }

Cut cut_of(const Cluster& cluster, std::int64_t ranks, PlacementPolicy policy = PlacementPolicy::packed) {
  const Topology topology(cluster);
  return narrowest_cut(topology, gpu_names(topology, place_ranks(cluster, 1, ranks, policy)[0]));
}

TEST(Bisection, OfANodeIsHalfItsNvLink) {
  EXPECT_DOUBLE_EQ(gb_per_s_bisection(load("hgx_h100_1node")), 4 * 450.0);
  EXPECT_DOUBLE_EQ(gb_per_s_bisection(load("nd_h100_v5_1node")), 4 * 450.0);
}

TEST(Bisection, OfNdH100V5IsTheNicsOfHalfTheNodes) {
  EXPECT_DOUBLE_EQ(gb_per_s_bisection(load("nd_h100_v5_2node")), 8 * 50.0);
  EXPECT_DOUBLE_EQ(gb_per_s_bisection(load("nd_h100_v5_4node")), 2 * 8 * 50.0);
}

TEST(Bisection, OfUnitsIsTheirSpineLinks) {
  Cluster cluster = load("nd_h100_v5_4node");
  cluster.network.nodes_per_unit = 2;
  EXPECT_DOUBLE_EQ(gb_per_s_bisection(cluster), 2 * 8 * 50.0);
  cluster.network.oversubscription = 4.0;  // 8 leaves of a unit, each 2 x 50 / 4 up
  EXPECT_DOUBLE_EQ(gb_per_s_bisection(cluster), 8 * 25.0);
}

TEST(Bisection, OfAnOversubscribedFatTree) {
  // 16 nodes, 4 leaves of 32 NICs, 2:1: two leaves on a side, 32 x 50 / 2 up each.
  Cluster cluster = load("nd_h100_v5_4node");
  cluster.nodes = 16;
  cluster.network.kind = NetworkKind::fat_tree;
  cluster.network.leaf_down_ports = 32;
  cluster.network.spines = 4;
  cluster.network.oversubscription = 2.0;
  EXPECT_DOUBLE_EQ(gb_per_s_bisection(cluster), 2 * 32 * 50.0 / 2);
  cluster.network.oversubscription = 1.0;
  EXPECT_DOUBLE_EQ(gb_per_s_bisection(cluster), 2 * 32 * 50.0);
}

TEST(Bisection, ANodeBetweenTwoHalvesCostsItsNics) {
  // Six nodes on leaves of two, 100 GB/s up a leaf: in halves of three one leaf has a node on each
  // side, whose NICs (400) have to be cut besides one other uplink.
  Cluster cluster = load("nd_h100_v5_4node");
  cluster.nodes = 6;
  cluster.network.kind = NetworkKind::fat_tree;
  cluster.network.leaf_down_ports = 16;
  cluster.network.spines = 1;
  cluster.network.oversubscription = 8.0;
  EXPECT_DOUBLE_EQ(gb_per_s_bisection(cluster), 400.0 + 100.0);
}

TEST(Bisection, EveryHalfIsTriedUpToTenNodes) {
  // Even nodes on one leaf, odd ones on the other: the first half against the last would be 50.
  Json json = parse_json(R"({"gpu": "x.json", "gpus_per_node": 1, "nodes": 4, "fabric": {"graph": {
    "devices": [{"name": "even", "kind": "leaf"}, {"name": "odd", "kind": "leaf"}],
    "links": [{"from": "even", "to": "odd", "gb_per_s": 10, "latency_us": 1}]}}})");
  for (const int node : {0, 1, 2, 3}) {
    const std::string n = std::to_string(node), leaf = node % 2 == 0 ? "even" : "odd";
    set_at_pointer(json, "/fabric/graph/devices/-", parse_json(R"({"name": "g)" + n + R"(", "kind": "gpu", "index": 0, "node": )" + n + "}"));
    set_at_pointer(json, "/fabric/graph/links/-", parse_json(R"({"from": "g)" + n + R"(", "to": ")" + leaf + R"(", "gb_per_s": 25, "latency_us": 1})"));
  }
  EXPECT_DOUBLE_EQ(gb_per_s_bisection(read_cluster(json, ".")), 10.0);
}

TEST(Bisection, OneGpuHasNone) {
  Cluster cluster = load("hgx_h100_1node");
  cluster.gpus_per_node = 1;
  EXPECT_DOUBLE_EQ(gb_per_s_bisection(cluster), 0.0);
}

TEST(NarrowestCut, InsideANodeIsOneGpusNvLink) {
  for (const std::int64_t ranks : {2, 4, 8}) {
    const Cut cut = cut_of(load("nd_h100_v5_2node"), ranks);
    EXPECT_DOUBLE_EQ(cut.capacity.value(), 450e9) << ranks;
    EXPECT_EQ(cut.smaller_side.size(), 1u);
  }
}

TEST(NarrowestCut, OfTp16IsTheNicsOfANode) {
  const Cut cut = cut_of(load("nd_h100_v5_2node"), 16);
  EXPECT_DOUBLE_EQ(cut.capacity.value(), 8 * 50e9);
  EXPECT_EQ(cut.smaller_side.size(), 8u);
}

TEST(NarrowestCut, OfRanksAlignedOnARail) {
  // TP4 on one rail of four nodes: a GPU reaches the others by its NIC alone.
  EXPECT_DOUBLE_EQ(cut_of(load("nd_h100_v5_4node"), 4, PlacementPolicy::rail_aligned).capacity.value(), 50e9);
  // TP8 on two rails of four nodes: a node's two GPUs have two NICs between them.
  EXPECT_DOUBLE_EQ(cut_of(load("nd_h100_v5_4node"), 8, PlacementPolicy::rail_aligned).capacity.value(), 2 * 50e9);
}

TEST(NarrowestCut, SpreadRanksMeetInThinUplinks) {
  Cluster cluster = load("nd_h100_v5_4node");
  cluster.network.oversubscription = 8.0;  // 4 x 50 / 8 = 25 GB/s up a leaf
  EXPECT_DOUBLE_EQ(cut_of(cluster, 4, PlacementPolicy::spread).capacity.value(), 25e9);
  EXPECT_DOUBLE_EQ(cut_of(cluster, 4, PlacementPolicy::rail_aligned).capacity.value(), 50e9);
}

TEST(NarrowestCut, WithoutNvLinkItIsPcie) {
  Cluster cluster = load("nd_h100_v5_2node");
  cluster.has_nvlink = false;
  EXPECT_DOUBLE_EQ(cut_of(cluster, 8).capacity.value(), 64e9);
}

TEST(NarrowestCut, OneRankHasNone) { EXPECT_DOUBLE_EQ(cut_of(load("hgx_h100_1node"), 1).capacity.value(), 0.0); }

TEST(NarrowestCut, CountsTheNarrowerWay) {
  const Cluster cluster = read_cluster(parse_json(R"({"gpu": "x.json", "gpus_per_node": 2, "nodes": 1, "fabric": {"graph": {
    "devices": [{"name": "a", "kind": "gpu", "node": 0, "index": 0}, {"name": "b", "kind": "gpu", "node": 0, "index": 1}],
    "links": [{"from": "a", "to": "b", "gb_per_s": 20, "back_gb_per_s": 5, "latency_us": 0}]}}})"), ".");
  EXPECT_DOUBLE_EQ(cut_of(cluster, 2).capacity.value(), 5e9);
  EXPECT_DOUBLE_EQ(gb_per_s_bisection(cluster), 5.0);
}

TEST(CheckRoutes, NamesTheRanksThatCannotTalk) {
  const Cluster cluster = read_cluster(parse_json(R"({"gpu": "x.json", "gpus_per_node": 1, "nodes": 3, "fabric": {"graph": {
    "devices": [{"name": "a", "kind": "gpu", "node": 0, "index": 0}, {"name": "b", "kind": "gpu", "node": 1, "index": 0},
                {"name": "c", "kind": "gpu", "node": 2, "index": 0}],
    "links": [{"from": "a", "to": "b", "gb_per_s": 1, "latency_us": 0}, {"from": "b", "to": "c", "gb_per_s": 1, "latency_us": 0}]}}})"), ".");
  const Topology topology(cluster);
  EXPECT_NO_THROW(check_routes(topology, {{{0, 0}, {1, 0}}, {{1, 0}, {2, 0}}}));
  test::expect_config_error([&] { check_routes(topology, place_ranks(cluster, 1, 3)); }, "/fabric",
                            "got no path from a to c; a connected fabric, in which no device of a third node has to relay");
}

}  // namespace
}  // namespace brink::fabric
