#include "models/fabric/topology_json.h"

#include <gtest/gtest.h>

#include <cmath>
#include <set>
#include <tuple>

namespace brink::fabric {
namespace {

// In whole bytes a second and picoseconds: decimal text does not keep the last bit.
using Facts = std::tuple<std::string, long long, long long, std::string>;

std::set<Facts> links_of(const Topology& topology) {
  std::set<Facts> out;
  for (const Link& link : topology.links())
    out.insert({link.name, std::llround(link.capacity.value()), std::llround(link.latency.value() * 1e12), link.medium});
  return out;
}

TEST(TopologyJson, ReadsBackAsTheSameFabric) {
  for (const char* name : {"hgx_h100_1node", "nd_h100_v5_4node"}) {
    const std::string folder = std::string(BRINK_SOURCE_DIR) + "/configs/clusters";
    Json file = load_json(folder + "/" + name + ".json");
    Cluster cluster = read_cluster(file, folder);
    cluster.hbm.bandwidth = BytesPerSecond(3.18e12);
    const Topology built(cluster);
    Json fabric = Json::object();
    fabric.set("graph", topology_json(built));
    file.set("fabric", fabric);
    const Cluster drawn = read_cluster(file, folder);
    const Topology again(drawn);
    EXPECT_EQ(again.devices().size(), built.devices().size());
    EXPECT_EQ(links_of(again), links_of(built));
    EXPECT_EQ(again.gpu_name(0, 7), "n0.gpu7");
    // What closed forms ask of a cluster is the same, too.
    EXPECT_EQ(drawn.has_nvlink, cluster.has_nvlink);
    EXPECT_EQ(drawn.nvlink.switches, cluster.nvlink.switches);
    EXPECT_DOUBLE_EQ(drawn.nvlink.each_way.value(), cluster.nvlink.each_way.value());
    EXPECT_EQ(drawn.network.nics_per_node, cluster.network.nics_per_node);
    EXPECT_DOUBLE_EQ(drawn.network.nic_each_way.value(), cluster.network.nic_each_way.value());
    EXPECT_DOUBLE_EQ(drawn.pcie.each_way.value(), cluster.pcie.each_way.value());
  }
}

TEST(TopologyJson, OneEntryACable) {
  const Cluster cluster = load_cluster(std::string(BRINK_SOURCE_DIR) + "/configs/clusters/nd_h100_v5_2node.json");
  const Topology topology(cluster);
  const Json json = topology_json(topology);
  EXPECT_EQ(json.find("links")->items().size() * 2, topology.links().size());
  EXPECT_EQ(json.find("devices")->items().size(), topology.devices().size());
}

}  // namespace
}  // namespace brink::fabric
