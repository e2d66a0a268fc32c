// brink-sim inspect of a cluster file.
#include <gtest/gtest.h>

#include "models/base/json.h"
#include "sim/app/inspect_fabric.h"
#include "tests/support/engine_process.h"

namespace brink::test {
namespace {

const std::string clusters = std::string(BRINK_SOURCE_DIR) + "/configs/clusters/";

Json facts_of(const std::string& arguments) {
  const CommandResult done = run_command("inspect " + clusters + arguments + " --json");
  EXPECT_EQ(done.status, 0) << done.text;
  return parse_json(done.text);
}

TEST(InspectCluster, BisectionAndCutsOfNdH100V5) {
  const Json facts = facts_of("nd_h100_v5_2node.json");
  EXPECT_DOUBLE_EQ(at_pointer(facts, "/fabric/bisection_gb_per_s")->as_double(), 400.0);
  EXPECT_DOUBLE_EQ(at_pointer(facts, "/fabric/between_nodes/gb_per_s")->as_double(), 50.0);
  bool tp16 = false;
  for (const Json& row : facts.find("tensor_parallel_groups")->items()) {
    if (row.find("tensor_parallel_size")->as_integer() != 16) continue;
    tp16 = true;
    EXPECT_EQ(row.find("nodes")->as_integer(), 2);
    EXPECT_DOUBLE_EQ(row.find("narrowest_cut_gb_per_s")->as_double(), 400.0);
  }
  EXPECT_TRUE(tp16);
  EXPECT_EQ(facts.find("topology"), nullptr);
}

TEST(InspectCluster, SettingsApply) {
  EXPECT_DOUBLE_EQ(at_pointer(facts_of("nd_h100_v5_4node.json --set /nodes=8"), "/fabric/bisection_gb_per_s")->as_double(), 1600.0);
  EXPECT_DOUBLE_EQ(at_pointer(facts_of("nd_h100_v5_4node.json --set /fabric/network/nic_gb_per_s_each_way=25"), "/fabric/bisection_gb_per_s")->as_double(), 400.0);
}

TEST(InspectCluster, TopologyOnRequest) {
  const Json facts = facts_of("hgx_h100_1node.json --topology");
  EXPECT_EQ(at_pointer(facts, "/topology/devices")->items().size(), 26U);
  EXPECT_EQ(at_pointer(facts, "/topology/links")->items().size(), 32U);
}

TEST(InspectCluster, Text) {
  const CommandResult text = run_command("inspect " + clusters + "fat_tree_16node_2to1.json");
  EXPECT_EQ(text.status, 0);
  EXPECT_NE(text.text.find("bisection 1600 GB/s"), std::string::npos) << text.text;
  EXPECT_NE(text.text.find("leaf - spine"), std::string::npos);
}

TEST(InspectCluster, ErrorsNameFileAndField) {
  const CommandResult bad = run_command("inspect " + clusters + "drawn_2node.json --set /fabric/graph/links/0/to=nowhere");
  EXPECT_EQ(bad.status, 2);
  EXPECT_NE(bad.text.find("drawn_2node.json: /fabric/graph/links/0/to: got 'nowhere'"), std::string::npos) << bad.text;
}

TEST(InspectCluster, ToldApartFromScenarios) {
  EXPECT_TRUE(app::is_cluster_file(load_json(clusters + "drawn_2node.json")));
  EXPECT_FALSE(app::is_cluster_file(load_json(std::string(BRINK_SOURCE_DIR) + "/configs/scenarios/demo.json")));
  EXPECT_FALSE(app::is_cluster_file(parse_json("[]")));
  EXPECT_FALSE(app::is_cluster_file(parse_json(R"({"engine": {}})")));
}

}  // namespace
}  // namespace brink::test
