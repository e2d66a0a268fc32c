// The scenarios and the schema that are shipped fit the reader.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "sim/policy/i_router.h"
#include "sim/scenario/scenario.h"
#include "tests/unit/scenario/base_scenario.h"

namespace brink::scenario {
namespace {

namespace fs = std::filesystem;

const fs::path configs = fs::path(BRINK_SOURCE_DIR) / "configs";

std::vector<std::string> sorted_keys(const Json& object) {
  std::vector<std::string> keys;
  for (const Json::Member& member : object.members()) keys.push_back(member.first);
  std::sort(keys.begin(), keys.end());
  return keys;
}

TEST(Shipped, EveryScenarioIsAccepted) {
  std::size_t count = 0;
  for (const auto& entry : fs::directory_iterator(configs / "scenarios")) {
    if (entry.path().extension() != ".json") continue;
    ++count;
    std::vector<std::string> settings;
    // Its trace is the user's to bring.
    if (entry.path().stem() == "azure_replay") {
      const std::string trace = testing::TempDir() + "one_row.csv";
      std::ofstream(trace) << "TIMESTAMP,ContextTokens,GeneratedTokens\n2023-11-16 18:15:46.6805900,374,44\n";
      settings.push_back("/workload/trace/path=\"" + trace + "\"");
    }
    EXPECT_NO_THROW((void)load_scenario(entry.path().string(), settings)) << entry.path();
  }
  EXPECT_GE(count, 4U);
}

// A key that is added to the reader and not to the schema, or the other way round, fails here.
TEST(Shipped, TheSchemaKnowsTheReadersKeys) {
  const Json schema = load_json((configs / "schema" / "scenario.schema.json").string());
  const Json full = resolved(read_scenario(test::good_scenario(), test::base_dir));
  const auto at = [](const Json& json, const std::string& pointer) {
    const Json* found = at_pointer(json, pointer);
    return found == nullptr ? std::vector<std::string>{"nothing at " + pointer} : sorted_keys(*found);
  };
  EXPECT_EQ(at(schema, "/properties"), at(full, ""));
  for (const std::string section : {"engine", "routing", "admission", "control", "slo", "measure", "output"}) {
    EXPECT_EQ(at(schema, "/properties/" + section + "/properties"), at(full, "/" + section)) << section;
  }
  std::vector<std::string> routers;
  for (const Json& name : at_pointer(schema, "/properties/routing/properties/policy/enum")->items()) routers.push_back(name.as_string());
  EXPECT_EQ(routers, policy::router_names());
}

}  // namespace
}  // namespace brink::scenario
