#include "models/fabric/topology.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "tests/support/config_error.h"

namespace brink::fabric {
namespace {

using test::expect_config_error;

Cluster load(const char* name) { return load_cluster(std::string(BRINK_SOURCE_DIR) + "/configs/clusters/" + name + ".json"); }

std::int64_t count(const Topology& topology, DeviceKind kind) {
  const auto devices = topology.devices();
  return std::count_if(devices.begin(), devices.end(), [&](const Device& d) { return d.kind == kind; });
}

TEST(Topology, DevicesOfTwoNdH100V5Nodes) {
  const Topology topology(load("nd_h100_v5_2node"));
  EXPECT_EQ(count(topology, DeviceKind::gpu), 16);
  EXPECT_EQ(count(topology, DeviceKind::nic), 16);
  EXPECT_EQ(count(topology, DeviceKind::nvswitch), 2);
  EXPECT_EQ(count(topology, DeviceKind::leaf), 8);
  EXPECT_EQ(count(topology, DeviceKind::spine), 1);
  // A node: 8 x (gpu-nvswitch, gpu-pcie, pcie-host, pcie-nic, nic-leaf); 8 leaf-spine; each twice.
  EXPECT_EQ(topology.links().size(), 2u * (2 * 8 * 5 + 8));
}

TEST(Topology, InsideANodeNvLinkIsTheRoute) {
  const Topology topology(load("hgx_h100_1node"));
  const Route route = topology.route("n0.gpu0", "n0.gpu7");
  ASSERT_EQ(route.links.size(), 2u);
  EXPECT_EQ(route.links[0].name, "n0.gpu0->n0.nvswitch");
  EXPECT_EQ(route.links[1].name, "n0.nvswitch->n0.gpu7");
  EXPECT_DOUBLE_EQ(to_us(route.latency), 0.6);
  EXPECT_DOUBLE_EQ(route.bottleneck.value(), 450e9);
}

TEST(Topology, NvLinkComesBeforeACommonPcieSwitch) {
  // Two GPUs on one PCIe switch: 0.5 us at 64 GB/s that way, 0.6 us at 450 GB/s over NVLink.
  Cluster cluster = load("nd_h100_v5_2node");
  cluster.network.nics_per_node = 4;
  cluster.hbm.bandwidth = BytesPerSecond(3e12);
  const Topology topology(cluster);
  EXPECT_EQ(topology.route("n0.gpu0", "n0.gpu1").links[0].to, "n0.nvswitch");
  EXPECT_EQ(topology.route("n0.hbm0", "n0.hbm1").links[1].to, "n0.nvswitch");
  EXPECT_EQ(topology.route("n0.gpu0", "n0.nic0").links.size(), 2u);
  EXPECT_EQ(topology.route("n0.gpu0", "n1.gpu1").links.size(), 6u);
  cluster.has_nvlink = false;
  EXPECT_EQ(Topology(cluster).route("n0.gpu0", "n0.gpu1").links[0].to, "n0.pcie0");
}

TEST(Topology, AcrossNodesOneRailIsSixLinksAndTheNicIsTheBottleneck) {
  const Topology topology(load("nd_h100_v5_2node"));
  const Route route = topology.route("n0.gpu3", "n1.gpu3");
  ASSERT_EQ(route.links.size(), 6u);
  EXPECT_EQ(route.links[2].to, "leaf3");
  EXPECT_NEAR(to_us(route.latency), 2.7, 1e-9);
  EXPECT_DOUBLE_EQ(route.bottleneck.value(), 50e9);
}

TEST(Topology, AnotherRailTakesTheShorterOfSpineAndNvLink) {
  Cluster cluster = load("nd_h100_v5_2node");
  EXPECT_NEAR(to_us(Topology(cluster).route("n0.gpu0", "n1.gpu5").latency), 3.2, 1e-9);  // spine: 2 x 0.25
  cluster.network.spine_latency = microseconds(5);
  const Route relayed = Topology(cluster).route("n0.gpu0", "n1.gpu5");
  EXPECT_NEAR(to_us(relayed.latency), 3.3, 1e-9);  // a neighbour on the right rail: 2 x 0.3
}

TEST(Topology, RoutesAreAsLongBackAsThere) {
  const Topology topology(load("nd_h100_v5_4node"));
  for (const char* other : {"n0.gpu1", "n1.gpu0", "n2.gpu7", "n3.host", "n3.nic4"}) {
    EXPECT_NEAR(topology.route("n0.gpu0", other).latency.value(), topology.route(other, "n0.gpu0").latency.value(), 1e-15);
    EXPECT_DOUBLE_EQ(topology.route("n0.gpu0", other).bottleneck.value(), topology.route(other, "n0.gpu0").bottleneck.value());
  }
  EXPECT_TRUE(topology.route("n0.gpu0", "n0.gpu0").links.empty());
}

TEST(Topology, CutOfANodeIsItsNics) {
  const Topology topology(load("nd_h100_v5_2node"));
  std::vector<std::string> inside;
  for (const Device& device : topology.devices())
    if (device.node == 0) inside.push_back(device.name);
  EXPECT_DOUBLE_EQ(topology.cut(inside).value(), 8 * 50e9);
}

TEST(Topology, OversubscriptionThinsTheSpine) {
  Cluster cluster = load("nd_h100_v5_4node");
  const auto up = [](const Cluster& c) {
    for (const Link& link : Topology(c).links())
      if (link.name == "leaf0->spine") return link.capacity.value();
    return 0.0;
  };
  EXPECT_DOUBLE_EQ(up(cluster), 4 * 50e9);
  cluster.network.oversubscription = 2.0;
  EXPECT_DOUBLE_EQ(up(cluster), 2 * 50e9);
}

TEST(Topology, EveryGpuHasItsMemoryWhereTheBandwidthIsKnown) {
  Cluster cluster = load("nd_h100_v5_2node");
  cluster.hbm.bandwidth = BytesPerSecond(3.18e12);
  const Topology topology(cluster);
  EXPECT_EQ(count(topology, DeviceKind::hbm), 16);
  EXPECT_EQ(topology.links().size(), 2u * (2 * 8 * 6 + 8));
  // A copy from memory to memory reads one HBM and writes the other; both have more than NVLink.
  const Route copy = topology.route(topology.memory_name(0, 0), topology.memory_name(0, 1));
  ASSERT_EQ(copy.links.size(), 4u);
  EXPECT_DOUBLE_EQ(copy.bottleneck.value(), 450e9);
  EXPECT_DOUBLE_EQ(to_us(copy.latency), 0.6);
  // Reads and writes draw on one medium.
  EXPECT_EQ(topology.route("n0.hbm3", "n0.gpu3").links[0].resource(), "n0.gpu3=n0.hbm3");
  EXPECT_EQ(topology.route("n0.gpu3", "n0.hbm3").links[0].resource(), "n0.gpu3=n0.hbm3");
}

TEST(Topology, SwitchChipsAreOneDevice) {
  for (const Device& device : Topology(load("hgx_h100_1node")).devices())
    EXPECT_EQ(device.chips, device.kind == DeviceKind::nvswitch ? 4 : 1) << device.name;
}

TEST(Topology, UnitsHaveTheirOwnLeaves) {
  Cluster cluster = load("nd_h100_v5_4node");
  cluster.network.nodes_per_unit = 3;
  const Topology topology(cluster);
  EXPECT_EQ(count(topology, DeviceKind::leaf), 16);
  EXPECT_EQ(topology.route("n0.gpu0", "n3.gpu0").links.size(), 8u);  // through the spine
}

TEST(Topology, SingleSwitchAndNoNvLink) {
  Cluster cluster = load("nd_h100_v5_2node");
  cluster.network.kind = NetworkKind::single_switch;
  cluster.has_nvlink = false;
  const Topology topology(cluster);
  EXPECT_EQ(count(topology, DeviceKind::leaf), 1);
  EXPECT_EQ(count(topology, DeviceKind::spine), 0);
  EXPECT_EQ(topology.route("n0.gpu0", "n0.gpu1").links.size(), 4u);  // over the host
  EXPECT_EQ(topology.route("n0.gpu0", "n1.gpu1").links.size(), 6u);
}

TEST(Topology, UnknownDeviceNamesTheNearest) {
  const Topology topology(load("hgx_h100_1node"));
  expect_config_error([&] { (void)topology.route("n0.gpu8", "n0.gpu1"); }, "/fabric/devices",
                      "got 'n0.gpu8'; did you mean 'n0.gpu0'?");
}

// --- hand-built graphs ---------------------------------------------------------------

std::shared_ptr<Graph> pair_of_devices() {
  auto graph = std::make_shared<Graph>();
  boost::add_vertex(Device{"a", DeviceKind::gpu, 0, 0}, *graph);
  boost::add_vertex(Device{"b", DeviceKind::gpu, 0, 1}, *graph);
  return graph;
}

void join(Graph& graph, std::size_t from, std::size_t to, double capacity = 1e9, double latency = 1e-6) {
  boost::add_edge(from, to, Link{graph[from].name + "->" + graph[to].name, graph[from].name, graph[to].name,
                                 BytesPerSecond(capacity), Seconds(latency)}, graph);
}

TEST(HandBuiltTopology, RefusesWhatCannotWork) {
  const auto refused = [](std::shared_ptr<Graph> graph, const std::string& pointer, const std::string& message) {
    expect_config_error([&] { Topology topology(graph); }, pointer, message);
  };
  refused(std::make_shared<Graph>(), "/fabric", "got no devices; at least one");
  refused(pair_of_devices(), "/fabric/devices/a", "got a device without links; at least one link");

  auto one_way = pair_of_devices();
  join(*one_way, 0, 1);
  refused(one_way, "/fabric/links/a->b", "got one direction only; a link each way between two devices");

  auto no_capacity = pair_of_devices();
  join(*no_capacity, 0, 1, 0.0);
  join(*no_capacity, 1, 0);
  refused(no_capacity, "/fabric/links/a->b", "got a capacity of 0 B/s; a positive, finite capacity");

  auto back_in_time = pair_of_devices();
  join(*back_in_time, 0, 1, 1e9, -1.0);
  join(*back_in_time, 1, 0);
  refused(back_in_time, "/fabric/links/a->b", "got a latency of -1 s; a finite latency of at least 0");

  auto islands = pair_of_devices();
  boost::add_vertex(Device{"c", DeviceKind::gpu, 1, 0}, *islands);
  boost::add_vertex(Device{"d", DeviceKind::gpu, 1, 1}, *islands);
  for (const auto& [from, to] : {std::pair<std::size_t, std::size_t>{0, 1}, {1, 0}, {2, 3}, {3, 2}}) join(*islands, from, to);
  refused(islands, "/fabric", "got 2 parts that cannot reach each other; a path from a to c");

  auto twice = pair_of_devices();
  join(*twice, 0, 1);
  join(*twice, 0, 1);
  refused(twice, "/fabric/links/a->b", "got two links between the same devices; one, with the capacity of both");

  auto twins = pair_of_devices();
  (*twins)[1].name = "a";
  join(*twins, 0, 1);
  join(*twins, 1, 0);
  refused(twins, "/fabric/devices/a", "got two devices of this name; one");
}

}  // namespace
}  // namespace brink::fabric
