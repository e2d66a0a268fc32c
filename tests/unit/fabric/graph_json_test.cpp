// A fabric drawn by hand: what it becomes, and what is wrong with it, device by device.
#include "models/fabric/graph_json.h"

#include <gtest/gtest.h>

#include "models/fabric/topology.h"
#include "tests/support/config_error.h"

namespace brink::fabric {
namespace {

using test::BadField;
using test::expect_config_error;
using test::with_bad_field;

// Two nodes of one GPU each, a NIC a node, one switch.
Json drawn() {
  return parse_json(R"({"gpu": "x.json", "gpus_per_node": 1, "nodes": 2, "fabric": {"graph": {
    "devices": [
      {"name": "left", "kind": "gpu", "node": 0, "index": 0},
      {"name": "right", "kind": "gpu", "node": 1, "index": 0},
      {"name": "left nic", "kind": "nic", "node": 0},
      {"name": "right nic", "kind": "nic", "node": 1},
      {"name": "switch", "kind": "leaf"}],
    "links": [
      {"from": "left", "to": "left nic", "gb_per_s": 64, "latency_us": 0.5},
      {"from": "right", "to": "right nic", "gb_per_s": 64, "latency_us": 0.5},
      {"from": "left nic", "to": "switch", "gb_per_s": 50, "latency_us": 1},
      {"from": "switch", "to": "right nic", "gb_per_s": 25, "back_gb_per_s": 12.5, "latency_us": 2}]}}})");
}

TEST(DrawnGraph, LinksAreThereAndBack) {
  const Cluster cluster = read_cluster(drawn(), ".");
  const Topology topology(cluster);
  EXPECT_EQ(topology.gpu_name(1, 0), "right");
  const Route there = topology.route("left", "right");
  EXPECT_EQ(there.links.size(), 4u);
  EXPECT_NEAR(to_us(there.latency), 4.0, 1e-12);
  EXPECT_DOUBLE_EQ(there.bottleneck.value(), 25e9);
  EXPECT_DOUBLE_EQ(topology.route("right", "left").bottleneck.value(), 12.5e9);
}

TEST(DrawnGraph, DescribesItselfToClosedForms) {
  const Cluster cluster = read_cluster(drawn(), ".");
  EXPECT_FALSE(cluster.has_nvlink);
  EXPECT_TRUE(cluster.has_network);
  EXPECT_EQ(cluster.network.nics_per_node, 1);
  EXPECT_DOUBLE_EQ(cluster.network.nic_each_way.value(), 12.5e9);  // the narrowest
  EXPECT_DOUBLE_EQ(to_us(cluster.network.nic_latency), 2.0);       // the farthest
}

TEST(DrawnGraph, MemoriesAreAddedWhereTheBandwidthIsKnown) {
  Cluster cluster = read_cluster(drawn(), ".");
  EXPECT_FALSE(Topology(cluster).has_memories());
  expect_config_error([&] { (void)Topology(cluster).memory_name(0, 0); }, "/fabric/devices", "got no hbm 0 of node 0; one that the fabric has");
  cluster.hbm.bandwidth = BytesPerSecond(3e12);
  const Topology topology(cluster);
  const Route copy = topology.route(topology.memory_name(0, 0), topology.memory_name(1, 0));
  EXPECT_EQ(copy.links.size(), 6u);
  EXPECT_NEAR(to_us(copy.latency), 4.0, 1e-12);  // a memory adds none
  EXPECT_EQ(copy.links.front().resource(), "left=left.hbm");
  EXPECT_EQ(topology.route("left", "left.hbm").links[0].resource(), topology.route("left.hbm", "left").links[0].resource());
}

TEST(DrawnGraph, HalfDuplexSharesOneCapacity) {
  Json json = drawn();
  set_at_pointer(json, "/fabric/graph/links/0/duplex", "half");
  const Topology topology(read_cluster(json, "."));
  EXPECT_EQ(topology.route("left", "left nic").links[0].resource(), topology.route("left nic", "left").links[0].resource());
  EXPECT_NE(topology.route("right", "right nic").links[0].resource(), topology.route("right nic", "right").links[0].resource());
}

TEST(DrawnGraph, NvLinkIsSeen) {
  Json json = drawn();
  set_at_pointer(json, "/fabric/graph/devices/-", parse_json(R"({"name": "nv", "kind": "nvswitch", "node": 0, "chips": 4})"));
  set_at_pointer(json, "/fabric/graph/links/-", parse_json(R"({"from": "nv", "to": "left", "gb_per_s": 450, "latency_us": 0.3})"));
  const Cluster cluster = read_cluster(json, ".");
  EXPECT_TRUE(cluster.has_nvlink);
  EXPECT_DOUBLE_EQ(cluster.nvlink.each_way.value(), 450e9);
  EXPECT_EQ(cluster.nvlink.switches, 4);
}

TEST(DrawnGraph, AThirdNodeDoesNotRelay) {
  // A chain of three nodes: the graph is connected, and yet the outer GPUs cannot talk.
  const Json json = parse_json(R"({"gpu": "x.json", "gpus_per_node": 1, "nodes": 3, "fabric": {"graph": {
    "devices": [{"name": "a", "kind": "gpu", "node": 0, "index": 0}, {"name": "b", "kind": "gpu", "node": 1, "index": 0},
                {"name": "c", "kind": "gpu", "node": 2, "index": 0}],
    "links": [{"from": "a", "to": "b", "gb_per_s": 1, "latency_us": 0}, {"from": "b", "to": "c", "gb_per_s": 1, "latency_us": 0}]}}})");
  const Topology topology(read_cluster(json, "."));
  EXPECT_EQ(topology.route("a", "b").links.size(), 1u);
  expect_config_error([&] { (void)topology.route("a", "c"); }, "/fabric",
                      "got no path from a to c; a connected fabric, in which no device of a third node has to relay");
}

class BadGraph : public testing::TestWithParam<BadField> {};

TEST_P(BadGraph, SaysWhereAndWhat) {
  const BadField& bad = GetParam();
  Json json = drawn();
  if (!bad.value.empty()) set_at_pointer(json, bad.field, parse_json(bad.value));
  else json = with_bad_field(json, bad);
  expect_config_error([&] { (void)read_cluster(json, "."); }, bad.pointer, bad.message);
}

const std::string devices = "/fabric/graph/devices", links = "/fabric/graph/links";

INSTANTIATE_TEST_SUITE_P(
    Fields, BadGraph,
    testing::Values(
        BadField{"/fabric/graph", "[]", "/fabric/graph", "got an empty array; allowed: an object"},
        BadField{"/fabric/pcie", "{}", "/fabric/pcie", "got an unknown field; allowed: hbm, graph"},
        BadField{"/fabric/graph/nodes", "2", "/fabric/graph/nodes", "got an unknown field; allowed: devices, links, source"},
        BadField{devices, "[]", links + "/0/from", "got 'left'; the name of one of the devices"},
        BadField{devices, "{}", devices, "got an empty object; allowed: an array"},
        BadField{devices + "/0/name", "\"\"", devices + "/0/name", "got an empty string; a name, such as n0.gpu0"},
        BadField{devices + "/1/name", "\"left\"", devices + "/1/name", "got 'left' a second time; a name of its own"},
        BadField{devices + "/0/kind", "\"gpus\"", devices + "/0/kind",
                 "got the string \"gpus\"; did you mean 'gpu'? allowed: gpu, hbm, nvswitch, pcie_switch, nic, host, leaf, spine"},
        BadField{devices + "/0/node", "2", devices + "/0/node", "got the integer 2; allowed: an integer >= 0 and <= 1"},
        BadField{devices + "/0/index", "1", devices + "/0/index", "got the integer 1; allowed: an integer >= 0 and <= 0"},
        BadField{devices + "/1/node", "0", devices + "/1/index", "got gpu 0 of node 0 a second time; every number once in a node"},
        BadField{devices + "/1/kind", "\"nic\"", devices, "got no GPU 0 of node 1; a gpu for each of 2 nodes and 1 GPUs a node"},
        BadField{devices + "/4/node", "0", devices + "/4/node", "got an unknown field; allowed: name, kind, index, chips"},
        BadField{devices + "/-", R"({"name": "spare", "kind": "spine"})", devices + "/5",
                 "got 'spare', which no link names; a device that at least one link joins to the others"},
        BadField{devices + "/0/chips", "0", devices + "/0/chips", "got the integer 0; allowed: an integer >= 1 and <= 1024"},
        BadField{links + "/0/from", "\"lefd\"", links + "/0/from", "got 'lefd'; did you mean 'left'?"},
        BadField{links + "/0/to", "\"left\"", links + "/0/to", "got 'left' again; another device than from"},
        BadField{links + "/1", R"({"from": "left nic", "to": "left", "gb_per_s": 1, "latency_us": 1})", links + "/1/to",
                 "got a second link between 'left nic' and 'left'; one link a pair, with the capacity of all its cables, each way"},
        BadField{links + "/0/gb_per_s", "0", links + "/0/gb_per_s", "got the integer 0; allowed: a number > 0 and <= 1e+06 (GB/s)"},
        BadField{links + "/0/back_gb_per_s", "-1", links + "/0/back_gb_per_s", "got the integer -1; allowed: a number > 0 and <= 1e+06 (GB/s)"},
        BadField{links + "/3/duplex", "\"half\"", links + "/3/back_gb_per_s",
                 "got a rate of its own; nothing beside \"duplex\": \"half\", which shares gb_per_s"},
        BadField{links + "/0/latency_us", "-1", links + "/0/latency_us", "got the integer -1; allowed: a number >= 0 and <= 1e+06 (us)"},
        BadField{links + "/0/gbps", "8", links + "/0/gbps",
                 "got an unknown field; allowed: from, to, gb_per_s, latency_us, duplex, back_gb_per_s"},
        BadField{links, R"([{"from": "left", "to": "left nic", "gb_per_s": 1, "latency_us": 0},
                            {"from": "right", "to": "right nic", "gb_per_s": 1, "latency_us": 0},
                            {"from": "right", "to": "switch", "gb_per_s": 1, "latency_us": 0}])",
                 "/fabric/graph", "got 2 parts that cannot reach each other; a path from left to right"}));

}  // namespace
}  // namespace brink::fabric
