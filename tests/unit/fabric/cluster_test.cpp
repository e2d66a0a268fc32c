#include "models/fabric/cluster.h"

#include <gtest/gtest.h>

#include "tests/support/config_error.h"

namespace brink::fabric {
namespace {

using test::BadField;
using test::expect_config_error;
using test::with_bad_field;

std::string path_of(const char* name) { return std::string(BRINK_SOURCE_DIR) + "/configs/clusters/" + name + ".json"; }

TEST(Cluster, ShippedFilesLoad) {
  struct Expected { const char* name; std::int64_t gpus; bool network; };
  for (const auto& [name, gpus, network] : {Expected{"hgx_h100_1node", 8, false}, Expected{"nd_h100_v5_1node", 8, true},
                                            Expected{"nd_h100_v5_2node", 16, true}, Expected{"nd_h100_v5_4node", 32, true}}) {
    const Cluster cluster = load_cluster(path_of(name));
    EXPECT_EQ(cluster.name, name);
    EXPECT_EQ(cluster.gpus(), gpus);
    EXPECT_EQ(cluster.has_network, network);
    EXPECT_EQ(cluster.gpu_path, std::string(BRINK_SOURCE_DIR) + "/configs/gpus/h100_sxm.json");
    EXPECT_DOUBLE_EQ(cluster.nvlink.each_way.value(), 450e9);
  }
}

TEST(Cluster, InlineObjectResolvesAgainstTheScenarioFolder) {
  const Json inline_cluster = parse_json(R"({"gpu": "gpus/x.json", "gpus_per_node": 2, "nodes": 1,
    "fabric": {"pcie": {"gb_per_s_each_way": 32, "latency_us": 1}}})");
  const Cluster cluster = read_cluster(inline_cluster, "/scenarios", "/cluster");
  EXPECT_EQ(cluster.gpu_path, "/scenarios/gpus/x.json");
  EXPECT_FALSE(cluster.has_nvlink);
  expect_config_error([&] { (void)read_cluster(with_bad_field(inline_cluster, {"/nodes", "0", "", ""}), "/", "/cluster"); },
                      "/cluster/nodes", "got the integer 0; allowed: an integer >= 1 and <= 1e+05");
}

class BadCluster : public testing::TestWithParam<BadField> {};

TEST_P(BadCluster, SaysWhereAndWhat) {
  const BadField& bad = GetParam();
  const Json json = with_bad_field(load_json(path_of("nd_h100_v5_2node")), bad);
  expect_config_error([&] { (void)read_cluster(json, "."); }, bad.pointer, bad.message);
}

INSTANTIATE_TEST_SUITE_P(
    Fields, BadCluster,
    testing::Values(
        BadField{"/gpu", "", "/gpu", "got nothing; required: a string"},
        BadField{"/gpu", "\"\"", "/gpu", "got an empty string; the path of a GPU file, such as configs/gpus/h100_sxm.json"},
        BadField{"/gpu", "{}", "/gpu", "got an empty object; allowed: a string"},
        BadField{"/gpus_per_node", "0", "/gpus_per_node", "got the integer 0; allowed: an integer >= 1 and <= 1024"},
        BadField{"/gpus_per_node", "6", "/fabric/network/nics_per_node",
                 "got 8; a divisor of gpus_per_node (6), so that every NIC serves as many GPUs"},
        BadField{"/nodes", "200000", "/nodes", "got the integer 200000; allowed: an integer >= 1 and <= 1e+05"},
        BadField{"/node", "2", "/node", "got an unknown field; did you mean 'nodes'? allowed: schema_version, name, gpu, gpus_per_node, nodes, "
                 "fabric, source"},
        BadField{"/schema_version", "9", "/schema_version", "got the integer 9; allowed: an integer >= 1 and <= 1"},
        BadField{"/fabric", "", "/fabric",
                 "got nothing; an object with pcie, nvlink and network, as in configs/clusters/nd_h100_v5_2node.json"},
        BadField{"/fabric/network", "", "/fabric/network",
                 "got nothing; an object with nics_per_node, nic_gb_per_s_each_way and nic_latency_us: 2 nodes need a "
                 "network between them"},
        BadField{"/fabric/pcie", "", "/fabric/pcie", "got nothing; required: an object"},
        BadField{"/fabric/pcie/latency_us", "-1", "/fabric/pcie/latency_us",
                 "got the integer -1; allowed: a number >= 0 and <= 1e+06 (us)"},
        BadField{"/fabric/nvlink/gb_per_s_each_way", "0", "/fabric/nvlink/gb_per_s_each_way",
                 "got the integer 0; allowed: a number > 0 and <= 1e+06 (GB/s)"},
        BadField{"/fabric/nvlink/switches", "0", "/fabric/nvlink/switches",
                 "got the integer 0; allowed: an integer >= 1 and <= 1024"},
        BadField{"/fabric/nvlink/bandwidth", "900", "/fabric/nvlink/bandwidth", "got an unknown field; allowed: gb_per_s_each_way, latency_us, switches, source"},
        BadField{"/fabric/nvlnk", "{}", "/fabric/nvlnk",
                 "got an unknown field; did you mean 'nvlink'? allowed: hbm, graph, nvlink, pcie, network"},
        BadField{"/fabric/network/kind", "\"dragonfly\"", "/fabric/network/kind",
                 "got the string \"dragonfly\"; allowed: rail_optimised, fat_tree, single_switch"},
        BadField{"/fabric/network/spines", "2", "/fabric/network/spines",
                 "got an unknown field; allowed: kind, nics_per_node, nic_gb_per_s_each_way, nic_latency_us, "
                 "spine_latency_us, oversubscription, nodes_per_unit, source"},
        BadField{"/fabric/hbm", "{}", "/fabric/hbm/gb_per_s", "got nothing; required: a number"},
        BadField{"/fabric/hbm", "{\"gb_per_s\": 0}", "/fabric/hbm/gb_per_s", "got the integer 0; allowed: a number > 0 and <= 1e+06 (GB/s)"},
        BadField{"/fabric/network/oversubscription", "0.5", "/fabric/network/oversubscription",
                 "got the number 0.5; allowed: a number >= 1 and <= 1000"},
        BadField{"/fabric/network/nodes_per_unit", "0", "/fabric/network/nodes_per_unit",
                 "got the integer 0; allowed: an integer >= 1 and <= 1e+05"},
        BadField{"/fabric/network/nic_latency_us", "\"1us\"", "/fabric/network/nic_latency_us",
                 "got the string \"1us\"; allowed: a number >= 0 and <= 1e+06 (us)"}));

}  // namespace
}  // namespace brink::fabric
