// The scenarios that are shipped fit the reader.
#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <vector>

#include "sim/scenario/scenario.h"
#include "tests/support/temp_path.h"

namespace brink::scenario {
namespace {

namespace fs = std::filesystem;

const fs::path configs = fs::path(BRINK_SOURCE_DIR) / "configs";

TEST(Shipped, EveryScenarioIsAccepted) {
  const brink::test::TempPath trace("one_row.csv", "TIMESTAMP,ContextTokens,GeneratedTokens\n2023-11-16 18:15:46.6805900,374,44\n");
  std::size_t count = 0;
  for (const auto& entry : fs::directory_iterator(configs / "scenarios")) {
    if (entry.path().extension() != ".json") continue;
    ++count;
    std::vector<std::string> settings;
    // Its trace is the user's to bring.
    if (entry.path().stem() == "azure_replay" || entry.path().stem() == "pd_disaggregation") {
      settings.push_back("/workload/trace/path=\"" + trace.str() + "\"");
    }
    EXPECT_NO_THROW((void)load_scenario(entry.path().string(), settings)) << entry.path();
  }
  EXPECT_GE(count, 4U);
}

}  // namespace
}  // namespace brink::scenario
