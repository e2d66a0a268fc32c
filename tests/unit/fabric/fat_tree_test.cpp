// Leaf and spine switches: ports, oversubscription, which spine a pair takes.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>

#include "models/fabric/routes.h"
#include "models/fabric/topology.h"
#include "tests/support/config_error.h"

namespace brink::fabric {
namespace {

using test::BadField;
using test::expect_config_error;
using test::with_bad_field;

Json fat_tree(const std::string& more, int nodes = 16) {
  return parse_json(R"({"gpu": "x.json", "gpus_per_node": 8, "nodes": )" + std::to_string(nodes) + R"(, "fabric": {
    "nvlink": {"gb_per_s_each_way": 450, "latency_us": 0.3}, "pcie": {"gb_per_s_each_way": 64, "latency_us": 0.25},
    "network": {"kind": "fat_tree", "nics_per_node": 8, "nic_gb_per_s_each_way": 50, "nic_latency_us": 0.85, "spine_latency_us": 0.25)" +
                    more + "}}}");
}

Cluster cluster(const std::string& more = "", int nodes = 16) { return read_cluster(fat_tree(more, nodes), "."); }

std::int64_t count(const Topology& topology, DeviceKind kind) {
  const auto devices = topology.devices();
  return std::count_if(devices.begin(), devices.end(), [&](const Device& d) { return d.kind == kind; });
}

double capacity(const Topology& topology, const std::string& link) {
  for (const Link& l : topology.links())
    if (l.name == link) return l.capacity.value();
  return 0.0;
}

TEST(FatTree, AnEvenTreeOfSwitchesOf64Ports) {
  // 16 nodes x 8 NICs: 128 NICs on leaves of 32 down and 32 up: 4 leaves, 128 ports up, 2 spines.
  const Topology topology(cluster());
  EXPECT_EQ(count(topology, DeviceKind::leaf), 4);
  EXPECT_EQ(count(topology, DeviceKind::spine), 2);
  EXPECT_DOUBLE_EQ(capacity(topology, "leaf0->spine0"), 16 * 50e9);
  EXPECT_DOUBLE_EQ(capacity(topology, "leaf3->spine1"), 16 * 50e9);
}

TEST(FatTree, TwoToOneHasTwoPortsDownForOneUp) {
  // 64 x 2/3 = 42 down: 128 NICs on 4 leaves, 21 up each, 84 up in all: 2 spines.
  const Cluster made = cluster(R"(, "oversubscription": 2)");
  EXPECT_EQ(made.network.leaf_down_ports, 42);
  EXPECT_EQ(made.network.spines, 2);
  EXPECT_DOUBLE_EQ(capacity(Topology(made), "leaf0->spine0"), 10.5 * 50e9);
  const Topology given(cluster(R"(, "oversubscription": 2, "leaf_down_ports": 32, "spines": 4)"));
  EXPECT_EQ(count(given, DeviceKind::leaf), 4);
  EXPECT_DOUBLE_EQ(capacity(given, "leaf0->spine0"), 4 * 50e9);
}

TEST(FatTree, NodesFillLeafAfterLeaf) {
  const Topology topology(cluster());  // four nodes a leaf
  EXPECT_EQ(topology.route("n0.gpu0", "n3.gpu7").links.size(), 6u);
  EXPECT_NEAR(to_us(topology.route("n0.gpu0", "n3.gpu7").latency), 2.7, 1e-9);
  EXPECT_EQ(topology.route("n0.gpu0", "n4.gpu0").links.size(), 8u);  // over a spine
  EXPECT_NEAR(to_us(topology.route("n0.gpu0", "n4.gpu0").latency), 3.2, 1e-9);
}

TEST(FatTree, OneLeafNeedsNoSpine) {
  const Topology topology(cluster("", 4));
  EXPECT_EQ(count(topology, DeviceKind::leaf), 1);
  EXPECT_EQ(count(topology, DeviceKind::spine), 0);
}

std::string spine_of(const Route& route) {
  for (const Link& link : route.links)
    if (link.to.rfind("spine", 0) == 0) return link.to;
  return {};
}

TEST(FatTree, APairKeepsItsSpineAndPairsSpreadOverAll) {
  const Topology topology(cluster(R"(, "leaf_down_ports": 32, "spines": 4)"));
  std::map<std::string, int> taken;
  for (int a = 0; a < 64; ++a) {
    for (int b = 64; b < 128; ++b) {
      const std::string from = topology.gpu_name(a / 8, a % 8), to = topology.gpu_name(b / 8, b % 8);
      const std::string spine = spine_of(topology.route(from, to));
      EXPECT_EQ(spine, spine_of(Topology(topology).route(from, to)));
      ++taken[spine];
    }
  }
  // 4096 pairs over 4 spines, 1024 each: a fair draw stays within 4.5 standard deviations of 28
  // (false failure 3e-5); the pairs are fixed, so this passes always or never.
  EXPECT_EQ(taken.size(), 4u);
  for (const auto& [spine, pairs] : taken) EXPECT_NEAR(pairs, 1024, 125) << spine;
}

TEST(FatTree, AllSpinesAreOnEqualRoutes) {
  const Topology topology(cluster(R"(, "leaf_down_ports": 32, "spines": 4)"));
  std::set<std::string> spines;
  RoutesFrom routes(topology, "n0.gpu0");
  routes.each_link_to("n15.gpu0", [&](const auto& edge) {
    const std::string& to = topology.graph()[edge].to;
    if (to.rfind("spine", 0) == 0) spines.insert(to);
  });
  EXPECT_EQ(spines.size(), 4u);
}

TEST(FatTree, BadPorts) {
  const Json good = fat_tree("");
  const BadField cases[] = {
      {"/fabric/network/switch_ports", "1", "/fabric/network/switch_ports", "got the integer 1; allowed: an integer >= 2 and <= 4096"},
      {"/fabric/network/leaf_down_ports", "64", "/fabric/network/leaf_down_ports", "got the integer 64; allowed: an integer >= 1 and <= 63"},
      {"/fabric/network/leaf_down_ports", "40", "/fabric/network/leaf_down_ports",
       "got 40; at most 32: with 40 ports up a leaf needs 80 of its 64 ports"},
      {"/fabric/network/spines", "1", "/fabric/network/spines", "got 1; at least 2: 4 leaves of 32 ports up on switches of 64 ports"},
      {"/fabric/network/spines", "33", "/fabric/network/spines", "got 33; at most 32, the ports up of a leaf: every leaf reaches every spine"},
      {"/fabric/network/nodes_per_unit", "4", "/fabric/network/nodes_per_unit",
       "got an unknown field; allowed: kind, nics_per_node, nic_gb_per_s_each_way, nic_latency_us, spine_latency_us, "
       "oversubscription, switch_ports, leaf_down_ports, spines, source"},
  };
  for (const BadField& bad : cases)
    expect_config_error([&] { (void)read_cluster(with_bad_field(good, bad), "."); }, bad.pointer, bad.message);
}

}  // namespace
}  // namespace brink::fabric
