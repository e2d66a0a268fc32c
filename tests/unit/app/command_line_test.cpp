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

TEST(CommandLine, InspectSaysWhatStepsRunAs) {
  const std::string asked = "inspect " + golden + "/open_70b.json --set /hypotheses/scalar_fp16_at_17=true "
                            "--set '/conditions=[{\"kind\": \"stall\", \"name\": \"host\", \"rank\": 3, \"extra_ms\": 1.5}]'";
  const CommandResult json = run_command(asked + " --json");
  ASSERT_EQ(json.status, 0) << json.text;
  const Json facts = parse_json(json.text);
  EXPECT_EQ(at_pointer(facts, "/hypotheses")->dump(), R"(["scalar_fp16_at_17"])");
  EXPECT_EQ(at_pointer(facts, "/conditions/0/extra_ms")->as_double(), 1.5);
  bool scalar = false;
  for (const Json& row : at_pointer(facts, "/plans")->items()) {
    if (row.find("tactic")->as_string() != "hypothesis/scalar_fp16") continue;
    scalar = true;
    EXPECT_EQ(row.find("batches")->dump(), "[17]");
    EXPECT_EQ(row.find("fallback")->as_string(), "hypothesis");
  }
  EXPECT_TRUE(scalar);
  // A lone sequence of 256 tokens has two blocks of 128: at most two splits; a full batch needs none.
  const Json& splits = *at_pointer(facts, "/attention_splits/0/splits_by_batch");
  ASSERT_GE(splits.members().size(), 2U);
  EXPECT_EQ(splits.find("1")->as_integer(), 2);
  EXPECT_EQ(splits.members().back().second.as_integer(), 1);
  const std::string text = run_command(asked).text;
  EXPECT_EQ(text.find("HYPOTHESES ACTIVE, which evidence does not support: scalar_fp16_at_17\n"), 0U);
  for (const char* part : {"Tactics of decode steps by batch", "Splits of attention over KV (fa3)", "  0 stall: name=host replica=all rank=3 extra_ms=1.5 from_s=0\n"}) {
    EXPECT_NE(text.find(part), std::string::npos) << text;
  }
}

// The report of an engine without plans of its own choosing: one order, whatever the batch.
TEST(CommandLine, InspectOfABatchInvariantEngine) {
  const CommandResult json = run_command("inspect " + golden + "/open_70b.json --json --set /engine/batch_invariant=true");
  ASSERT_EQ(json.status, 0) << json.text;
  const Json facts = parse_json(json.text);
  for (const Json& row : at_pointer(facts, "/attention_splits")->items()) {
    for (const Json::Member& batch : row.find("splits_by_batch")->members()) EXPECT_EQ(batch.second.as_integer(), 1);
  }
  for (const Json& row : at_pointer(facts, "/plans")->items()) EXPECT_EQ(row.find("tactic")->as_string().find("splitK"), std::string::npos);
}

TEST(CommandLine, VersionAndHelp) {
  EXPECT_EQ(run_command("--version").status, 0);
  EXPECT_NE(run_command("--help").text.find("inspect"), std::string::npos);
}

}  // namespace
}  // namespace brink::test
