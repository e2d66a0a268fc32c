// The card's ledger, and the scratch memory an engine's kernels find.
#include "models/memory/rank_memory.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

namespace brink::memory {
namespace {

MemoryBudget budget_of(std::int64_t tp) {
  const std::string configs = std::string(BRINK_SOURCE_DIR) + "/configs";
  EngineMemory engine;
  engine.tensor_parallel_size = tp;
  return memory_budget(transformer::load_model(configs + "/models/llama-2-70b.json"),
                       gpu::load_gpu(configs + "/gpus/h100_sxm.json"), engine);
}

RankMemoryOptions options(bool dynamic_workspace, bool per_rank_allocator, std::int64_t ranks = 8) {
  RankMemoryOptions o;
  o.dynamic_workspace = dynamic_workspace;
  o.per_rank_allocator = per_rank_allocator;
  o.ranks = ranks;
  o.graphs = 51;
  o.seed = 5;
  return o;
}

TEST(RankMemory, PartsAddUpToTheCard) {
  const MemoryBudget budget = budget_of(4);
  for (const bool dynamic : {false, true}) {
    const RankMemory memory(budget, options(dynamic, false));
    for (const KvUse use : {KvUse{}, KvUse{1000, 200, 30}, KvUse{budget.kv_blocks, 0, 0}, KvUse{0, 0, budget.kv_blocks}}) {
      const Card card = memory.card(use);
      EXPECT_NEAR(card.sum() / card.total, 1.0, 1e-12);
      for (const Bytes part : {card.weights, card.activations, card.workspace, card.graphs, card.communicators, card.runtime,
                               card.kv_live, card.kv_cached, card.kv_pinned, card.kv_free, card.unused}) {
        EXPECT_GE(part.value(), -1e-3);
      }
      EXPECT_EQ(card.graphs, mib(306));
      EXPECT_EQ(card.kv_pinned.value(), budget.kv_block.value() * static_cast<double>(use.pinned));
    }
  }
}

TEST(RankMemory, FixedWorkspaceKnowsNoPressure) {
  const MemoryBudget budget = budget_of(4);
  RankMemory memory(budget, options(false, false));
  for (const std::int64_t used : {std::int64_t{0}, budget.kv_blocks / 2, budget.kv_blocks}) {
    EXPECT_EQ(memory.workspace(used), mib(32));
    EXPECT_EQ(memory.workspace_of(3), mib(32));
  }
  EXPECT_EQ(memory.card({}).workspace, mib(32));
}

TEST(RankMemory, DynamicWorkspaceIsWhatKvLeaves) {
  const MemoryBudget budget = budget_of(4);
  RankMemory memory(budget, options(true, false));
  EXPECT_EQ(memory.workspace(0), budget.kv_pool);
  EXPECT_EQ(memory.workspace(budget.kv_blocks - 3).value(), budget.kv_block.value() * 3.0);
  EXPECT_EQ(memory.workspace(budget.kv_blocks).value(), 0.0);
  EXPECT_EQ(memory.card({budget.kv_blocks - 3, 0, 0}).workspace.value(),
            (budget.kv_pool - budget.kv_block * static_cast<double>(budget.kv_blocks - 3)).value());
}

TEST(RankMemory, TheTightestRankDecides) {
  const MemoryBudget budget = budget_of(4);
  RankMemory memory(budget, options(true, true));
  std::vector<bool> decided(8, false);
  for (std::int64_t step = 0; step < 400; ++step) {
    const std::int64_t used = budget.kv_blocks / 4 + step % 2 * budget.kv_blocks / 8;
    const Bytes got = memory.workspace(used);
    Bytes least = memory.workspace_of(0);
    for (std::int64_t rank = 1; rank < 8; ++rank) least = std::min(least, memory.workspace_of(rank));
    ASSERT_EQ(got, least) << step;
    EXPECT_EQ(got, memory.workspace_of(memory.tightest_rank()));
    EXPECT_LE(got, budget.kv_block * static_cast<double>(budget.kv_blocks - used));
    decided[static_cast<std::size_t>(memory.tightest_rank())] = true;
  }
  // 400 steps turn the pool over 25 times: 200 renewals of single ranks. P(fewer than 4 of 8 ranks are ever
  // tightest) is below 1e-6, and the seed is fixed.
  EXPECT_GE(std::count(decided.begin(), decided.end(), true), 4);
}

TEST(RankMemory, HistoriesAreTheirOwn) {
  const MemoryBudget budget = budget_of(4);
  RankMemory a(budget, options(true, true)), again(budget, options(true, true));
  RankMemoryOptions other = options(true, true);
  other.replica = 1;
  RankMemory b(budget, other);
  int different = 0;
  for (std::int64_t tenth = 1; tenth < 10; ++tenth) {
    const Bytes got = a.workspace(budget.kv_blocks * tenth / 10);
    EXPECT_EQ(got, again.workspace(budget.kv_blocks * tenth / 10));
    different += got != b.workspace(budget.kv_blocks * tenth / 10) ? 1 : 0;
  }
  EXPECT_GT(different, 0);
}

// Hundreds of allocators that place blocks at random, against the formula's mean (ln(N u) + 0.5772) / -ln(1 - u) - 1/2.
TEST(RankMemory, PiecesAreAsLongAsRandomPlacementLeavesThem) {
  const RandomStream random(9, "placement");
  const std::int64_t n = 5000;
  MemoryBudget budget;
  budget.kv_blocks = n;
  budget.kv_block = Bytes(1.0);
  budget.kv_pool = Bytes(static_cast<double>(n));
  for (const double occupancy : {0.1, 0.5, 0.9}) {
    double naive = 0.0, model = 0.0;
    const std::uint64_t trials = 300;
    for (std::uint64_t t = 0; t < trials; ++t) {
      std::int64_t run = 0, longest = 0;
      for (std::uint64_t i = 0; i < static_cast<std::uint64_t>(n); ++i) {
        run = random.uniform({t, i, static_cast<std::uint64_t>(occupancy * 10)}) < occupancy ? 0 : run + 1;
        longest = std::max(longest, run);
      }
      naive += static_cast<double>(longest);
      RankMemoryOptions o = options(true, true, 1);
      o.replica = t;
      RankMemory memory(budget, o);
      model += memory.workspace(static_cast<std::int64_t>(occupancy * static_cast<double>(n))).value();
    }
    // Standard errors are 1.3/-ln(1-u)/sqrt(300): 0.71, 0.11, 0.03 blocks; four of each of two, and the formula's
    // own wobble of 0.1 blocks.
    const double error = 4.0 * 1.3 / -std::log1p(-occupancy) / std::sqrt(300.0) * std::sqrt(2.0) + 0.1;
    EXPECT_NEAR(model / trials, naive / trials, error) << occupancy;
  }
}

TEST(RankMemory, OnDemandScratchNeedsAPiece) {
  MemoryBudget budget;
  budget.kv_blocks = 20'000;
  budget.kv_block = mib(2);
  budget.kv_pool = gib(39.0625);
  RankMemory memory(budget, options(false, true));
  EXPECT_EQ(memory.workspace(200), mib(32));        // hundreds of free blocks in a row
  EXPECT_LT(memory.workspace(18'000), mib(32));     // about four
  EXPECT_GT(memory.workspace(18'000), Bytes(0.0));
}

TEST(RankMemory, WorkspaceClasses) {
  EXPECT_EQ(workspace_class(mib(32)), mib(32));
  EXPECT_EQ(workspace_class(mib(63.9)), mib(32));
  EXPECT_EQ(workspace_class(gib(50)), gib(32));
  EXPECT_EQ(workspace_class(Bytes(65'536.0)), Bytes(65'536.0));
  EXPECT_EQ(workspace_class(Bytes(65'535.0)), Bytes(0.0));
  EXPECT_EQ(workspace_class(Bytes(0.0)), Bytes(0.0));
}

}  // namespace
}  // namespace brink::memory
