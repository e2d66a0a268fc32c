#include "sim/telemetry/plan_stats.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sim/telemetry/load_bucket.h"
#include "support.h"

namespace brink::telemetry {
namespace {

using namespace testing;

TEST(LoadBucket, HoldsPowersOfTwo) {
  const std::vector<std::pair<std::int64_t, std::size_t>> expected = {{0, 0}, {1, 0}, {2, 1}, {3, 2}, {4, 2},
                                                                      {5, 3}, {8, 3}, {9, 4}, {8192, 13}, {8193, 14}};
  for (const auto& [rows, bucket] : expected) EXPECT_EQ(load_bucket(rows), bucket) << rows;
  for (std::int64_t rows = 1; rows < 3000; ++rows) {
    const std::size_t bucket = load_bucket(rows);
    EXPECT_LE(load_first(bucket), rows);
    EXPECT_GE(load_last(bucket), rows);
  }
}

/// Eight calm steps of 32 tokens, two of 200 whose gate_up_proj fell back.
struct TwoLoads {
  Plans plans;
  plan::PlanPart calm = plans.tokens(0, 32, plans.choice("64x64"), plans.choice("64x64"));
  plan::PlanPart busy = plans.tokens(2, 200, plans.choice("64x64"), plans.choice("128x128", plan::Fallback::workspace));
  plan::PlanPart head = plans.sampled(1, 30);
  PlanStats stats{Seconds(1.0), plans.names, plans.graph};

  TwoLoads() {
    calm.tile_efficiency = 0.5;
    busy.tile_efficiency = 1.0;
    calm.wave_efficiency = 0.8;
    busy.wave_efficiency = 0.3;
    plan::ExecutionPlan plan;
    plan.tokens = &calm;
    plan.sampled = &head;
    plan.decodes = true;
    plan.attention.choice = plans.choice("fa3 split 2");
    stats.add(planned(plan, 0.5, 1.0, 30, 9.0));  // starts in the warm-up
    for (int i = 0; i < 8; ++i) stats.add(planned(plan, 1.0, 2.0, 30, 0.1));
    plan.tokens = &busy;
    plan.captured = false;
    plan.attention.choice = plans.choice("fa3 split 1");
    serving::StepRecord r = planned(plan, 2.0, 3.0, 150, 0.6);
    r.plan_switch = true;
    stats.add(r);
    plan.decodes = false;
    plan.sampled = nullptr;
    stats.add(planned(plan, 3.0, 4.0, 0, 0.6));
    stats.add(step(0, 4.0, 5.0, 4));  // without a plan
  }
};

TEST(PlanStats, CountsStepsByOperatorAndTactic) {
  const Json json = TwoLoads().stats.json(Seconds(11.0));
  EXPECT_EQ(number(json, "/steps"), 10);
  EXPECT_EQ(number(json, "/switches"), 1);
  EXPECT_NEAR(number(json, "/switches_per_s"), 0.1, 1e-12);
  EXPECT_NEAR(number(json, "/captured_share"), 0.8, 1e-12);
  EXPECT_EQ(number(json, "/token_plans"), 2);
  EXPECT_EQ(number(json, "/sampled_plans"), 1);
  EXPECT_NEAR(number(json, "/efficiency/tile_mean"), 0.6, 1e-12);
  EXPECT_NEAR(number(json, "/efficiency/wave_mean"), 0.7, 1e-12);
  EXPECT_EQ(text(json, "/fallbacks"), R"({"workspace":2})");
  ASSERT_EQ(at_pointer(json, "/operators")->items().size(), 5U);  // in the order of the graph
  EXPECT_EQ(text(json, "/operators/0/operator"), "\"qkv_proj\"");
  EXPECT_EQ(number(json, "/operators/0/tactics"), 1);
  EXPECT_EQ(number(json, "/operators/0/modal_share"), 1.0);
  EXPECT_EQ(text(json, "/operators/1/operator"), "\"attention\"");
  EXPECT_EQ(text(json, "/operators/1/modal_tactic"), "\"fa3 split 2\"");
  EXPECT_NEAR(number(json, "/operators/1/modal_share"), 8.0 / 9.0, 1e-12);  // nine steps decode
  EXPECT_EQ(text(json, "/operators/2/modal_tactic"), "\"64x64\"");
  EXPECT_NEAR(number(json, "/operators/2/modal_share"), 0.8, 1e-12);
  EXPECT_NEAR(number(json, "/operators/2/fallback_share"), 0.2, 1e-12);
}

TEST(PlanStats, TheTableSplitsByLoad) {
  const auto rows = lines(TwoLoads().stats.csv());
  EXPECT_THAT(rows, ::testing::ElementsAre(
                        "operator,kind,load,load_from,load_to,tactic_id,tactic,precision,repeatable,fallback,steps,"
                        "load_share,gpu_share",
                        R"(qkv_proj,gemm,padded_tokens,17,32,0,"64x64",bf16,true,none,8,1.000000,0.400000)",
                        R"(qkv_proj,gemm,padded_tokens,129,256,0,"64x64",bf16,true,none,2,1.000000,0.600000)",
                        R"(attention,attention,decode_sequences,17,32,4,"fa3 split 2",bf16,true,none,8,1.000000,0.400000)",
                        R"(attention,attention,decode_sequences,129,256,5,"fa3 split 1",bf16,true,none,1,1.000000,0.300000)",
                        R"(gate_up_proj,gemm,padded_tokens,17,32,0,"64x64",bf16,true,none,8,1.000000,0.400000)",
                        R"(gate_up_proj,gemm,padded_tokens,129,256,2,"128x128",bf16,true,workspace,2,1.000000,0.600000)",
                        R"(all_reduce_down,all_reduce,padded_tokens,17,32,1,"nvls",bf16,true,none,8,1.000000,0.400000)",
                        R"(all_reduce_down,all_reduce,padded_tokens,129,256,1,"nvls",bf16,true,none,2,1.000000,0.600000)",
                        R"(lm_head,gemm,sampled_rows,17,32,3,"head",bf16,true,none,9,1.000000,0.700000)"));
}

TEST(PlanStats, OfNothingAreEmpty) {
  const Plans plans;
  const PlanStats stats(Seconds(0.0), plans.names, plans.graph);
  const Json json = stats.json(Seconds(0.0));
  EXPECT_EQ(text(json, "/switches_per_s"), "null");
  EXPECT_EQ(text(json, "/efficiency/tile_mean"), "null");
  EXPECT_EQ(text(json, "/operators"), "[]");
  EXPECT_EQ(lines(stats.csv()).size(), 1U);
}

}  // namespace
}  // namespace brink::telemetry
