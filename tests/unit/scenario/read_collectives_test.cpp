#include "sim/scenario/read_collectives.h"

#include <gtest/gtest.h>

#include "models/base/error.h"

namespace brink::scenario {
namespace {

CollectiveSettings read(const std::string& text) {
  const Json json = parse_json(text);
  ObjectReader reader(json, "");
  return read_collectives(reader);
}

TEST(ReadCollectives, DefaultsLeaveTheEnginesChoice) {
  const CollectiveSettings settings = read("{}");
  EXPECT_TRUE(settings.rules.empty());
  EXPECT_TRUE(settings.nccl.nvls);
  EXPECT_EQ(settings.per_step_max, 16);
}

TEST(ReadCollectives, Rules) {
  const CollectiveSettings settings = read(R"({"collectives": {"nvls": false, "host_cpu": "amd", "per_step_max": 0, "rules": [
      {"algorithm": "hierarchical", "from_bytes": 131072, "below_bytes": 2097152}, {"op": "all_gather", "algorithm": "ring", "protocol": "ll128"}]}})");
  ASSERT_EQ(settings.rules.size(), 2u);
  EXPECT_EQ(settings.rules[0].algorithm, fabric::CollectiveAlgorithm::hierarchical);
  EXPECT_EQ(settings.rules[0].below, mib(2));
  EXPECT_EQ(settings.rules[1].op, fabric::CollectiveOp::all_gather);
  EXPECT_EQ(settings.rules[1].protocol, fabric::CollectiveProtocol::ll128);
  EXPECT_FALSE(settings.nccl.nvls);
  EXPECT_TRUE(settings.nccl.amd_host);
  EXPECT_EQ(read("{\"collectives\": " + settings.resolved.dump() + "}").resolved.dump(), settings.resolved.dump());
}

TEST(ReadCollectives, BadFields) {
  struct Bad {
    const char* text;
    const char* pointer;
  };
  const Bad bad[] = {{R"({"collectives": {"rule": []}})", "/collectives/rule"},
                     {R"({"collectives": {"nvls": 1}})", "/collectives/nvls"},
                     {R"({"collectives": {"host_cpu": "arm"}})", "/collectives/host_cpu"},
                     {R"({"collectives": {"per_step_max": -1}})", "/collectives/per_step_max"},
                     {R"({"collectives": {"rules": [{}]}})", "/collectives/rules/0/algorithm"},
                     {R"({"collectives": {"rules": [{"algorithm": "rings"}]}})", "/collectives/rules/0/algorithm"},
                     {R"({"collectives": {"rules": [{"algorithm": "direct"}]}})", "/collectives/rules/0/algorithm"},
                     {R"({"collectives": {"rules": [{"op": "broadcast", "algorithm": "ring"}]}})", "/collectives/rules/0/op"},
                     {R"({"collectives": {"rules": [{"algorithm": "ring", "protocol": "LL"}]}})", "/collectives/rules/0/protocol"},
                     {R"({"collectives": {"rules": [{"algorithm": "ring", "from_bytes": -1}]}})", "/collectives/rules/0/from_bytes"},
                     {R"({"collectives": {"rules": [{"algorithm": "ring", "from_bytes": 8, "below_bytes": 8}]}})", "/collectives/rules/0/below_bytes"}};
  for (const Bad& one : bad) {
    try {
      (void)read(one.text);
      ADD_FAILURE() << "accepted " << one.text;
    } catch (const ConfigError& error) {
      EXPECT_EQ(error.pointer(), one.pointer) << error.what();
    }
  }
}

}  // namespace
}  // namespace brink::scenario
