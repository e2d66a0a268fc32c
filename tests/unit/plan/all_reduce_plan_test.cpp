#include <gtest/gtest.h>
#include <set>
#include <string>

#include "models/base/error.h"
#include "models/plan/all_reduce.h"

namespace brink::plan {
namespace {

AllReduceOptions ranks(std::int64_t world, bool symmetric = false) {
  AllReduceOptions options;
  options.setting = {world, true, symmetric};
  return options;
}

Bytes message(std::int64_t tokens, std::int64_t hidden = 8192) { return Bytes(2.0 * static_cast<double>(tokens * hidden)); }

class AllReducePlanTest : public testing::Test {
 protected:
  AllReducePlan plan(std::int64_t tokens, const AllReduceOptions& options) { return plan_all_reduce(message(tokens), options, names_); }
  std::string tactic(std::int64_t tokens, const AllReduceOptions& options) { return names_[plan(tokens, options).choice.tactic_id]; }
  TacticNames names_;
};

TEST_F(AllReducePlanTest, OneShotHasOneOrderTwoShotOneForEachSize) {
  const AllReduceOptions options = ranks(8);
  EXPECT_EQ(tactic(15, options), "custom_one_shot");
  EXPECT_EQ(tactic(16, options), "custom_two_shot");
  EXPECT_EQ(plan(1, options).choice.reduction_sig, plan(15, options).choice.reduction_sig);
  std::set<ReductionSig> orders;
  for (std::int64_t tokens = 15; tokens <= 500; ++tokens) orders.insert(plan(tokens, options).choice.reduction_sig);
  EXPECT_EQ(orders.size(), 486u);
  EXPECT_EQ(plan(16, options).table, AllReduceTable::custom);
  EXPECT_EQ(plan(16, options).choice.relative_time, 1.0);
}

TEST_F(AllReducePlanTest, RankOrderTwoShotSumsAsOneShotDoes) {
  AllReduceOptions options = ranks(8);
  options.rank_order_two_shot = true;
  EXPECT_EQ(tactic(400, options), "custom_two_shot");
  EXPECT_EQ(plan(400, options).choice.reduction_sig, plan(1, options).choice.reduction_sig);
}

TEST_F(AllReducePlanTest, TwoRanksHaveOneOrderWhateverRuns) {
  std::set<ReductionSig> orders;
  std::set<std::string> tactics;
  for (const std::int64_t tokens : {1, 100, 511, 512, 4096}) {
    orders.insert(plan(tokens, ranks(2)).choice.reduction_sig);
    tactics.insert(tactic(tokens, ranks(2)));
  }
  EXPECT_EQ(orders.size(), 1u);
  EXPECT_GT(tactics.size(), 1u);
}

TEST_F(AllReducePlanTest, NcclNamesItsAlgorithmAndProtocol) {
  EXPECT_EQ(tactic(4096, ranks(8)), "nccl/NVLS/Simple");
  AllReduceOptions without = ranks(8);
  without.nvls = false;
  EXPECT_EQ(tactic(512, without), "nccl/Ring/LL128");
  EXPECT_EQ(tactic(4096, without), "nccl/Ring/Simple");
  EXPECT_NE(plan(4096, without).choice.reduction_sig, plan(4097, without).choice.reduction_sig);
  EXPECT_EQ(plan(4096, ranks(8)).choice.reduction_sig, plan(4097, ranks(8)).choice.reduction_sig);
  EXPECT_EQ(plan(4096, without).choice.fallback, Fallback::none);
}

TEST_F(AllReducePlanTest, MultimemOrderIsTheSwitches) {
  const AllReduceOptions options = ranks(8, true);
  EXPECT_EQ(tactic(15, options), "custom_one_shot");
  EXPECT_EQ(tactic(16, options), "multimem");
  EXPECT_EQ(plan(16, options).choice.reduction_sig, plan(4000, options).choice.reduction_sig);
  EXPECT_NE(plan(16, options).choice.reduction_sig, plan(15, options).choice.reduction_sig);
  EXPECT_EQ(plan(16, options).table, AllReduceTable::nccl);
  EXPECT_NEAR(plan(16, options).choice.relative_time, 0.5, 1e-12);
  EXPECT_NEAR(plan(1024, options).choice.relative_time, 0.75, 1e-12);
  EXPECT_LE(plan(4095, options).choice.relative_time, 1.0);
}

TEST_F(AllReducePlanTest, BuffersThatCannotBeAllocated) {
  AllReduceOptions options = ranks(8);
  options.nvls_buffers = false;
  EXPECT_EQ(tactic(4096, options), "nccl/Ring/Simple");
  EXPECT_EQ(plan(4096, options).choice.fallback, Fallback::nvls_buffers);
  EXPECT_NEAR(plan(4096, options).choice.relative_time, 382.2 / 271.7, 0.01);
  EXPECT_EQ(plan(15, options).choice.fallback, Fallback::none);
  options.setting.symmetric_memory = true;  // no multicast address: neither multimem nor the wider custom limit
  EXPECT_EQ(tactic(16, options), "nccl/Ring/LL");
  EXPECT_EQ(plan(16, options).choice.fallback, Fallback::nvls_buffers);

  EXPECT_NO_THROW(require_nvls_buffers(options, "/engine"));
  options.nccl = {2, 28};
  EXPECT_NO_THROW(require_nvls_buffers(options, "/engine"));
  options.nccl = {2, 29};
  EXPECT_THROW(require_nvls_buffers(options, "/engine"), ConfigError);
  options.nvls_buffers = true;
  EXPECT_NO_THROW(require_nvls_buffers(options, "/engine"));
}

TEST_F(AllReducePlanTest, BatchInvariantIsOneOrderAtACost) {
  for (const bool rank_order : {false, true}) {
    AllReduceOptions options = ranks(8, true);
    options.batch_invariant = true;
    options.rank_order_two_shot = rank_order;
    std::set<ReductionSig> orders;
    for (const std::int64_t tokens : {1, 15, 16, 300, 512, 4096, 8192}) {
      const AllReducePlan got = plan(tokens, options);
      orders.insert(got.choice.reduction_sig);
      if (!rank_order) {
        EXPECT_EQ(names_[got.choice.tactic_id], "nccl/Tree/Simple/1ch");
        EXPECT_EQ(got.choice.fallback, Fallback::batch_invariant);
        EXPECT_GT(got.choice.relative_time, 2.0);
      } else {
        EXPECT_EQ(got.table, AllReduceTable::custom);
      }
    }
    EXPECT_EQ(orders.size(), 1u);
  }
  // 64.4 us and 1 MiB at 13.8 GB/s over 28 us.
  AllReduceOptions options = ranks(8);
  options.batch_invariant = true;
  EXPECT_NEAR(plan(64, options).choice.relative_time, (64.4 + 1048.576 / 13.8) / 28.0, 0.05);
}

TEST_F(AllReducePlanTest, TensorRtLlmThresholds) {
  AllReduceOptions options = ranks(8);
  options.engine = AllReduceEngine::trtllm;
  const auto at = [&](double bytes, std::int64_t world) {
    options.setting.world = world;
    return names_[plan_all_reduce(Bytes(bytes), options, names_).choice.tactic_id];
  };
  EXPECT_EQ(at(499984, 8), "trtllm_one_shot");
  EXPECT_EQ(at(500000, 8), "trtllm_two_shot");
  EXPECT_EQ(at(7999984, 8), "trtllm_two_shot");
  EXPECT_EQ(at(8000000, 8), "nccl/NVLS/Simple");
  EXPECT_EQ(at(999984, 4), "trtllm_one_shot");
  EXPECT_EQ(at(1000000, 4), "trtllm_two_shot");
  EXPECT_EQ(at(15999984, 2), "trtllm_one_shot");
  EXPECT_TRUE(at(16000000, 2).starts_with("nccl/"));
  options.setting.world = 8;  // its two-shot starts every part at rank 0
  EXPECT_EQ(plan_all_reduce(Bytes(16), options, names_).choice.reduction_sig,
            plan_all_reduce(Bytes(1600000), options, names_).choice.reduction_sig);
}

TEST_F(AllReducePlanTest, HypothesisThatCollectivesKeepTheirOrder) {
  AllReduceOptions options = ranks(8);
  options.collectives_keep_order = true;
  EXPECT_EQ(plan(1, options).choice.reduction_sig, plan(16, options).choice.reduction_sig);
  EXPECT_EQ(plan(1, options).choice.reduction_sig, plan(4096, options).choice.reduction_sig);
  EXPECT_EQ(tactic(16, options), "custom_two_shot");
}

TEST_F(AllReducePlanTest, OneRankNeedsNone) {
  EXPECT_EQ(tactic(16, ranks(1)), "none");
  EXPECT_EQ(plan(16, ranks(1)).table, AllReduceTable::none);
}

TEST(AllReduceDefaults, SymmetricMemorySince011) {
  EXPECT_FALSE(symmetric_memory_by_default(0, 10));
  EXPECT_TRUE(symmetric_memory_by_default(0, 11));
  EXPECT_TRUE(symmetric_memory_by_default(0, 24));
  EXPECT_TRUE(symmetric_memory_by_default(1, 0));
}

}  // namespace
}  // namespace brink::plan
