#include "models/plan/attention_plan.h"

#include <algorithm>
#include <gtest/gtest.h>
#include <random>
#include <set>
#include <vector>

#include "models/plan/attention_splits.h"
#include "models/plan/attention_time.h"

namespace brink::plan {
namespace {

AttentionHardware heads(std::int64_t q, std::int64_t kv, std::int64_t dimension = 128) {
  AttentionHardware hardware;
  hardware.q_heads = q;
  hardware.kv_heads = kv;
  hardware.head_dim = dimension;
  return hardware;
}

AttentionBatch batch_of(const std::vector<std::int64_t>& contexts, std::int64_t page = 16) {
  AttentionBatch batch;
  for (const std::int64_t context : contexts) {
    ++batch.sequences;
    batch.context += context;
    batch.blocks += ceil_div(context, 128);
    batch.pages += ceil_div(context, page);
    batch.longest = std::max(batch.longest, context);
  }
  return batch;
}

std::vector<std::int64_t> equal(std::int64_t sequences, std::int64_t context) {
  return std::vector<std::int64_t>(static_cast<std::size_t>(sequences), context);
}

// The token where each split of a sequence starts, from the rule as its kernel applies it.
std::vector<std::int64_t> starts(const AttentionPlan& plan, std::int64_t context) {
  const std::int64_t blocks = ceil_div(context, 128), size = plan.split_tokens(blocks);
  std::vector<std::int64_t> at;
  for (std::int64_t token = 0; token < context; token += size) at.push_back(token);
  return at;
}

TEST(AttentionPlan, DynamicKnownAnswersOfEightHeads) {
  TacticNames names;
  AttentionPlanner planner(heads(32, 8), {}, names);
  std::int64_t last = 0;
  std::vector<std::pair<std::int64_t, std::int64_t>> changes;
  for (std::int64_t batch = 1; batch <= 40; ++batch) {
    const std::int64_t splits = planner.plan(batch_of(equal(batch, 2048))).splits(16);
    if (splits != last) changes.emplace_back(batch, splits);
    last = splits;
  }
  const std::vector<std::pair<std::int64_t, std::int64_t>> want = {{1, 8}, {2, 6}, {3, 4}, {5, 3}, {7, 2}, {15, 1}};
  EXPECT_EQ(changes, want);
}

TEST(AttentionPlan, NeighboursChangeTheSplitsAndTheSignature) {
  TacticNames names;
  AttentionPlanner planner(heads(8, 1), {}, names);
  const AttentionPlan alone = planner.alone(2048);
  const AttentionPlan one = planner.plan(batch_of({2048, 32768}));
  std::vector<std::int64_t> nine = equal(8, 32768);
  nine.push_back(2048);
  const AttentionPlan eight = planner.plan(batch_of(nine));
  EXPECT_EQ(alone.splits(16), 16);
  EXPECT_EQ(one.splits(16), 6);
  EXPECT_EQ(eight.splits(16), 1);
  EXPECT_EQ((std::set<ReductionSig>{alone.signature(16), one.signature(16), eight.signature(16)}).size(), 3u);
  EXPECT_EQ(names[alone.choice.tactic_id], "fa3_dynamic/splits=16");
}

TEST(AttentionPlan, PrefillInTheLaunchTakesDecodesSplits) {
  TacticNames names;
  AttentionPlanner planner(heads(32, 8), {}, names);
  AttentionBatch batch = batch_of(equal(2, 2048));
  batch.full_graph = false;
  EXPECT_EQ(planner.plan(batch).splits(16), 6);
  batch.prefill = {1, attention_work(2048, 2048, planner.hardware()), 2048};
  EXPECT_EQ(batch.prefill.work, 64 * 16);  // 2048 x 4 packed rows in tiles of 128
  EXPECT_EQ(planner.plan(batch).splits(16), 1);
  EXPECT_EQ(planner.plan(batch).choice.reduction_sig, planner.plan(batch).signature(16));
}

TEST(AttentionPlan, CapsOfFlashAttention3) {
  TacticNames names;
  AttentionPlanner planner(heads(8, 1), {}, names);
  AttentionBatch batch = batch_of({131072});
  EXPECT_EQ(planner.plan(batch).splits(1024), 32);
  batch.full_graph = false;  // bounded by the static rule for one sequence
  EXPECT_EQ(planner.plan(batch).cap, 109);
  EXPECT_EQ(planner.plan(batch).splits(1024), 109);  // ceil(1024 / 9) would be 114
  batch = batch_of({512});
  EXPECT_EQ(planner.plan(batch).splits(4), 4);
  batch.full_graph = false;  // the static rule never splits 512 tokens
  EXPECT_EQ(planner.plan(batch).splits(4), 1);
  EXPECT_EQ(planner.plan(batch_of(equal(992, 128))).cap, 32);
  EXPECT_EQ(planner.plan(batch_of(equal(993, 128))).cap, 1);
}

TEST(AttentionPlan, StaticBackends) {
  TacticNames names;
  AttentionOptions options;
  options.backend = AttentionBackend::fa2;
  AttentionPlanner fa2(heads(32, 8), options, names);
  EXPECT_EQ(fa2.plan(batch_of(equal(16, 2048))).splits(16), 2);
  EXPECT_EQ(fa2.plan(batch_of(equal(17, 2048))).splits(16), 8);
  AttentionBatch mixed = batch_of(equal(17, 2048));
  mixed.prefill = {1, 100, 512};
  EXPECT_EQ(fa2.plan(mixed).splits(16), 1);
  options.backend = AttentionBackend::fa3_static;
  AttentionPlanner fa3(heads(32, 8), options, names);
  std::vector<std::int64_t> got;
  for (const std::int64_t batch : {1, 2, 4, 8, 13, 14}) got.push_back(fa3.plan(batch_of(equal(batch, 2048))).splits(16));
  EXPECT_EQ(got, (std::vector<std::int64_t>{14, 7, 4, 2, 5, 1}));
  EXPECT_EQ(fa3.alone(512).splits(4), 1);
  options.backend = AttentionBackend::flashinfer;
  AttentionPlanner flashinfer(heads(32, 8), options, names);
  EXPECT_EQ(flashinfer.plan(batch_of(equal(16, 2048))).splits(16), 2);
  EXPECT_EQ(flashinfer.plan(batch_of(equal(17, 2048))).splits(16), 1);
  EXPECT_EQ(flashinfer.plan(batch_of(equal(33, 2048))).splits(16), 1);
  EXPECT_EQ(flashinfer.alone(2048).chunk_tokens, 128);
}

TEST(AttentionPlan, KvTileFollowsTheHeadDimension) {
  TacticNames names;
  AttentionOptions options;
  options.backend = AttentionBackend::fa2;
  EXPECT_EQ(plan_attention_alone(2048, heads(8, 1, 64), options, names).splits(16), 8);
  EXPECT_EQ(plan_attention_alone(2048, heads(8, 1, 128), options, names).splits(16), 16);
  EXPECT_EQ(plan_attention_alone(2048, heads(8, 1, 256), options, names).splits(16), 32);
}

// Of 2048 tokens in 16 blocks 6 splits of 3 blocks: the last holds one block.
TEST(AttentionPlan, SplitsRoundUpToWholeBlocks) {
  TacticNames names;
  const AttentionPlan plan = plan_attention(batch_of(equal(2, 2048)), heads(32, 8), {}, names);
  EXPECT_EQ(plan.splits(16), 6);
  EXPECT_EQ(plan.split_tokens(16), 3 * 128);
  EXPECT_EQ(starts(plan, 2048), (std::vector<std::int64_t>{0, 384, 768, 1152, 1536, 1920}));
}

class AnyBackend : public testing::TestWithParam<AttentionBackend> {};

// Splits cover every token once, none is empty, and two plans cut a sequence alike exactly when their signatures agree.
TEST_P(AnyBackend, SignaturesAreEqualExactlyWhereTheCutsAre) {
  std::mt19937_64 random(5);
  TacticNames names;
  AttentionOptions options;
  options.backend = GetParam();
  std::int64_t equal_cuts = 0, other_cuts = 0;
  for (int trial = 0; trial < 4000; ++trial) {
    AttentionPlanner planner(heads(32, std::int64_t{1} << random() % 4), options, names);
    const auto draw = [&] { return 128 * static_cast<std::int64_t>(1 + random() % 64); };
    const std::int64_t context = draw();
    std::vector<AttentionPlan> plans;
    for (int i = 0; i < 2; ++i) {
      std::vector<std::int64_t> contexts{context};
      for (std::uint64_t n = random() % 12; n > 0; --n) contexts.push_back(draw());
      plans.push_back(planner.plan(batch_of(contexts)));
    }
    const auto a = starts(plans[0], context), b = starts(plans[1], context);
    ASSERT_LT(a.back(), context);
    ASSERT_LE(static_cast<std::int64_t>(a.size()), plans[0].splits(context / 128));
    ASSERT_EQ(a == b, plans[0].signature(context / 128) == plans[1].signature(context / 128));
    (a == b ? equal_cuts : other_cuts) += 1;
  }
  EXPECT_GT(equal_cuts, 50);
  EXPECT_GT(other_cuts, 50);
}

TEST_P(AnyBackend, BatchInvariantNeverSplits) {
  TacticNames names;
  AttentionOptions options{GetParam(), true, false};
  AttentionPlanner planner(heads(32, 8), options, names);
  for (const std::int64_t batch : {1, 2, 7, 17, 300}) {
    const AttentionPlan plan = planner.plan(batch_of(equal(batch, 5000)));
    EXPECT_EQ(plan.splits(40), 1);
    EXPECT_EQ(plan.signature(40), planner.alone(5000).signature(40));
    EXPECT_EQ(plan.choice.reduction_sig, planner.alone(77).choice.reduction_sig);
    EXPECT_EQ(plan.choice.fallback, Fallback::batch_invariant);
    EXPECT_GE(plan.choice.relative_time, 0.999);
  }
}

TEST_P(AnyBackend, EfficienciesAreShares) {
  TacticNames names;
  AttentionOptions options;
  options.backend = GetParam();
  AttentionPlanner planner(heads(32, 8), options, names);
  for (std::int64_t batch = 1; batch < 200; ++batch) {
    const Choice choice = planner.plan(batch_of(equal(batch, 1000 + 13 * batch))).choice;
    ASSERT_GT(choice.wave_efficiency, 0.0);
    ASSERT_LE(choice.wave_efficiency, 1.0);
    ASSERT_GT(choice.tile_efficiency, 0.8);
    ASSERT_LE(choice.tile_efficiency, 1.0);
    ASSERT_TRUE(choice.repeatable);
  }
}

INSTANTIATE_TEST_SUITE_P(All, AnyBackend,
                         testing::Values(AttentionBackend::fa2, AttentionBackend::fa3_static, AttentionBackend::fa3_dynamic,
                                         AttentionBackend::flashinfer),
                         [](const auto& which) { return std::string(name(which.param)); });

TEST(AttentionPlan, DefaultPathTakesTheTablesTime) {
  TacticNames names;
  AttentionPlanner planner(heads(32, 8), {}, names);
  for (const std::int64_t batch : {1, 5, 50}) EXPECT_EQ(planner.plan(batch_of(equal(batch, 3000))).choice.relative_time, 1.0);
}

// One split leaves SMs idle at small batches of long contexts; with a tile for every SM it costs nothing.
TEST(AttentionPlan, UnsplitDecodeIsSlowOnlyWhereTilesAreFew) {
  TacticNames names;
  AttentionPlanner planner(heads(32, 8), {AttentionBackend::fa3_dynamic, true, false}, names);
  const auto slower = [&](std::int64_t batch, std::int64_t context) {
    return planner.plan(batch_of(equal(batch, context))).choice.relative_time;
  };
  EXPECT_NEAR(slower(1, 2048), 2.1, 0.2);
  EXPECT_NEAR(slower(1, 32768), 6.4, 0.7);
  EXPECT_GT(slower(1, 8192), slower(4, 8192));
  EXPECT_NEAR(slower(128, 1024), 1.0, 0.03);
  EXPECT_NEAR(slower(1, 128), 1.0, 1e-12);
  // One long sequence among short ones is its own critical path.
  std::vector<std::int64_t> mixed = equal(31, 1024);
  mixed.push_back(32768);
  EXPECT_GT(planner.plan(batch_of(mixed)).choice.relative_time, 2.0);
}

TEST(AttentionPlan, LengthOffTheBlockMultipleChangesNothingUnlessAssumed) {
  TacticNames names;
  AttentionPlanner evidence(heads(32, 8), {}, names), article(heads(32, 8), {AttentionBackend::fa3_dynamic, false, true}, names);
  EXPECT_EQ(evidence.alone(2048).signature(16), evidence.alone(2047).signature(16));
  EXPECT_NE(evidence.alone(2048).signature(16), evidence.alone(2049).signature(17));
  EXPECT_EQ(article.alone(2048).signature(16), evidence.alone(2048).signature(16));
  EXPECT_NE(article.alone(2047).signature(16), article.alone(2048).signature(16));
  EXPECT_EQ(article.alone(2047).choice.fallback, Fallback::hypothesis);
  EXPECT_EQ(article.alone(2048).choice.fallback, Fallback::none);
  EXPECT_EQ(article.alone(2048).splits(16), 8);
  EXPECT_EQ(article.alone(2047).splits(16), 6);  // three blocks each instead of two
  EXPECT_EQ(article.alone(100).splits(1), 1);
}

TEST(AttentionPlan, FlashInferWithoutPagesTakesHalfAPageASequence) {
  TacticNames names;
  AttentionOptions options;
  options.backend = AttentionBackend::flashinfer;
  AttentionPlanner planner(heads(32, 8), options, names);
  AttentionBatch batch = batch_of({3000, 5000, 7000, 9001});
  const std::int64_t with = planner.plan(batch).chunk_tokens;
  batch.pages = 0;
  EXPECT_NEAR(static_cast<double>(planner.plan(batch).chunk_tokens), static_cast<double>(with), 16.0);
}

TEST(AttentionPlan, NothingToDecode) {
  TacticNames names;
  const AttentionPlan plan = plan_attention({}, heads(32, 8), {}, names);
  EXPECT_EQ(plan.splits(1), 1);
  EXPECT_EQ(plan.choice.relative_time, 1.0);
}

}  // namespace
}  // namespace brink::plan
