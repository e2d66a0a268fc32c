// brink-sim as it is called from a shell.
#include <gtest/gtest.h>

#include <filesystem>
#include <utility>

#include "tests/support/engine_process.h"
#include "tests/support/temp_path.h"

namespace brink::test {
namespace {

namespace fs = std::filesystem;

const std::string golden = std::string(BRINK_SOURCE_DIR) + "/tests/golden";

TEST(CommandLine, ErrorsAreOneParagraphAndExit2) {
  const CommandResult bad = run_command("inspect " + golden + "/closed_7b.json --set /engine/max_num_seqs=0");
  EXPECT_EQ(bad.status, 2);
  EXPECT_EQ(bad.text, "error: " + golden +
                          "/closed_7b.json: /engine/max_num_seqs: got the integer 0; allowed: an integer >= 1 and <= 1e+06\n");
  EXPECT_EQ(run_command("run nowhere.json").status, 2);
  EXPECT_EQ(run_command("run").status, 2);
  EXPECT_EQ(run_command("walk").status, 2);
}

TEST(CommandLine, ASeedIsCheckedLikeTheField) {
  for (const auto& [seed, got] : {std::pair("-1", "the integer -1"), std::pair("18446744073709551616", "the integer 18446744073709551616"),
                                  std::pair("one", "the string \"one\"")}) {
    const CommandResult bad = run_command("inspect " + golden + "/closed_7b.json --seed " + seed);
    EXPECT_EQ(bad.status, 2);
    EXPECT_NE(bad.text.find("/closed_7b.json: /seed: got " + std::string(got)), std::string::npos) << bad.text;
  }
}

TEST(CommandLine, AnOccupiedFolderIsRefusedBeforeTheRun) {
  const TempPath place("occupied");
  const std::string& folder = place.str();
  fs::create_directories(folder);
  std::ofstream(folder + "/precious.txt") << "mine";
  const CommandResult refused = run_command("run " + golden + "/closed_7b.json -o " + folder);
  EXPECT_EQ(refused.status, 2);
  EXPECT_NE(refused.text.find("is not a result folder"), std::string::npos);
  EXPECT_TRUE(fs::exists(folder + "/precious.txt"));
}

TEST(CommandLine, AFailedRunLeavesNothingBehind) {
  const TempPath place("failed_run");
  const std::string& folder = place.str();
  fs::create_directories(folder);
  std::ofstream(folder + "/trace.csv") << "arrival_s,input_tokens,output_tokens\n0,10,5\n1,10\n";
  const CommandResult bad = run_command("run " + golden + "/closed_7b.json -o " + folder + "/out --set '/workload={\"trace\":{\"format\":\"plain\",\"path\":\"" +
                                        folder + "/trace.csv\"}}'");
  EXPECT_EQ(bad.status, 2) << bad.text;
  std::size_t left = 0;
  for (const auto& entry : fs::directory_iterator(folder)) left += entry.path().filename() == "trace.csv" ? 0U : 1U;
  EXPECT_EQ(left, 0U);
}

TEST(CommandLine, AWarmUpThatLeavesNothingIsRefused) {
  const TempPath place("all_warm");
  const std::string& out = place.str();
  const CommandResult bad = run_command("run " + golden + "/open_70b.json -o " + out + " --set /measure/warmup_s=1000");
  EXPECT_EQ(bad.status, 2) << bad.text;
  EXPECT_NE(bad.text.find("/measure/warmup_s: got 1000"), std::string::npos) << bad.text;
  EXPECT_FALSE(fs::exists(out));
}

TEST(CommandLine, InspectGivesFactsAsJsonAndText) {
  const CommandResult json = run_command("inspect " + golden + "/open_70b.json --json");
  ASSERT_EQ(json.status, 0) << json.text;
  const Json facts = parse_json(json.text);
  EXPECT_EQ(at_pointer(facts, "/layout/placement/1/0")->as_string(), "n1.gpu0");
  EXPECT_EQ(at_pointer(facts, "/model/parameters")->as_integer(), 70553706496);
  EXPECT_GT(at_pointer(facts, "/memory_per_rank/kv_blocks")->as_integer(), 0);
  EXPECT_EQ(at_pointer(facts, "/decode_steps/0/batch")->as_integer(), 1);
  EXPECT_EQ(at_pointer(facts, "/prefills")->items().size(), 3U);
  EXPECT_FALSE(at_pointer(facts, "/all_reduce")->items().empty());
  const CommandResult text = run_command("inspect " + golden + "/open_70b.json");
  EXPECT_EQ(text.status, 0);
  EXPECT_NE(text.text.find("2 replicas of 8 ranks"), std::string::npos);
}

TEST(CommandLine, VersionAndHelp) {
  EXPECT_EQ(run_command("--version").status, 0);
  EXPECT_NE(run_command("--help").text.find("inspect"), std::string::npos);
}

}  // namespace
}  // namespace brink::test
