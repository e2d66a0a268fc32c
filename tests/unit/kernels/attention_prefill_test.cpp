// Softmax and layout kernels of prefill attention, run on the CPU, and the layouts of the attention group.
#include "tests/support/gpu_emulator.h"

#include "kernels/attention/layouts.h"
#include "kernels/attention/prefill.cuh"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <set>
#include <vector>

namespace brink::kernels {
namespace {

TEST(CausalSoftmax, SeesThePrefixAndItselfAndNothingAfter) {
  const int queries = 5, heads = 2, prefix = 300, keys = prefix + queries, pitch = 320;
  std::vector<float> scores(static_cast<std::size_t>(queries * heads * pitch), std::nanf(""));  // poison past the keys
  for (int row = 0; row < queries * heads; ++row) {
    for (int key = 0; key < keys; ++key) {
      scores[static_cast<std::size_t>(row * pitch + key)] =
          keyed_normal(1, static_cast<std::uint64_t>(row * keys + key));
    }
  }
  std::vector<std::uint16_t> weights(scores.size(), 0xffff);
  for (const unsigned order : {0u, 1u}) {
    emulator::launch(
        {static_cast<unsigned>(queries), static_cast<unsigned>(heads), 1}, {256, 1, 1},
        [&] { causal_softmax(scores.data(), weights.data(), keys, pitch, prefix, 1.5f); }, order);
    for (int row = 0; row < queries * heads; ++row) {
      const int seen = prefix + row % queries + 1;
      const float* from = &scores[static_cast<std::size_t>(row * pitch)];
      double sum = 0;
      for (int key = 0; key < seen; ++key) sum += std::exp2(1.5 * static_cast<double>(from[key]));
      for (int key = 0; key < keys; ++key) {
        const double want = key < seen ? std::exp2(1.5 * static_cast<double>(from[key])) / sum : 0.0;
        const double got = static_cast<double>(bf16_to_float(weights[static_cast<std::size_t>(row * pitch + key)]));
        ASSERT_NEAR(got, want, want * 0.004 + 1e-12) << row << " " << key;  // bf16 rounding is 2^-9
      }
    }
  }
}

TEST(HeadLayouts, ThereAndBackAgain) {
  const unsigned tokens = 6, heads = 3, size = 64;
  const std::int64_t stride = 400;  // a merged projection: more than the heads
  std::vector<std::uint16_t> from(tokens * 400);
  std::iota(from.begin(), from.end(), static_cast<std::uint16_t>(0));
  std::vector<std::uint16_t> by_head(tokens * heads * size), back(tokens * 400, 0);
  emulator::launch({tokens, heads, 1}, {size, 1, 1}, [&] { heads_first(from.data(), by_head.data(), stride); });
  EXPECT_EQ(by_head[(2 * tokens + 5) * size + 7], from[5 * 400 + 2 * size + 7]);
  emulator::launch({tokens, heads, 1}, {size, 1, 1}, [&] { tokens_first(by_head.data(), back.data(), stride); });
  for (unsigned t = 0; t < tokens; ++t) {
    for (unsigned i = 0; i < heads * size; ++i) ASSERT_EQ(back[t * 400 + i], from[t * 400 + i]);
  }
}

TEST(GatherPaged, FollowsTheTable) {
  const unsigned heads = 2, size = 64, tokens = 35;
  std::vector<std::uint16_t> cache(5 * heads * kv_block_tokens * size);
  std::iota(cache.begin(), cache.end(), static_cast<std::uint16_t>(0));
  const std::vector<std::int32_t> table = {4, 1, 3};
  std::vector<std::uint16_t> to(heads * tokens * size);
  emulator::launch({tokens, heads, 1}, {size, 1, 1}, [&] { gather_paged(cache.data(), table.data(), to.data()); });
  // Token 20 is the 5th of the second block, which is block 1.
  EXPECT_EQ(to[(1 * tokens + 20) * size + 9], cache[((1 * heads + 1) * kv_block_tokens + 4) * size + 9]);
  EXPECT_EQ(to[34 * size], cache[((3 * heads + 0) * kv_block_tokens + 2) * size]);
}

TEST(Layouts, EveryBlockIsUsedOnceWhateverTheScatter) {
  const std::vector<std::int32_t> contexts = {1, 40, 16, 100};
  const int needed = blocks_needed(contexts);
  EXPECT_EQ(needed, 1 + 3 + 1 + 7);
  for (const Scatter scatter : {Scatter::contiguous, Scatter::interleaved, Scatter::random}) {
    const auto tables = block_tables(contexts, 7, scatter, 3, 50, 1);
    std::set<std::int32_t> used;
    for (std::size_t row = 0; row < contexts.size(); ++row) {
      for (int b = 0; b < kv_blocks(contexts[row]); ++b) {
        const auto block = tables[row * 7 + static_cast<std::size_t>(b)];
        EXPECT_GE(block, 0);
        EXPECT_LT(block, 50);
        EXPECT_TRUE(used.insert(block).second) << scatter_name(scatter);
      }
    }
    EXPECT_EQ(used.size(), static_cast<std::size_t>(needed));
  }
}

TEST(Layouts, DifferAsTheirNamesSay) {
  const std::vector<std::int32_t> contexts = {32, 32};
  EXPECT_EQ(block_tables(contexts, 2, Scatter::contiguous, 0, 8, 1), (std::vector<std::int32_t>{0, 1, 2, 3}));
  EXPECT_EQ(block_tables(contexts, 2, Scatter::interleaved, 0, 8, 1), (std::vector<std::int32_t>{0, 2, 1, 3}));
  EXPECT_THROW(block_tables(contexts, 2, Scatter::contiguous, 5, 8, 1), std::invalid_argument);
  EXPECT_THROW(block_tables(contexts, 1, Scatter::contiguous, 0, 8, 1), std::invalid_argument);
}

TEST(Layouts, DisjointRunsOfOnePermutationShareNoBlock) {
  const std::vector<std::int32_t> contexts = {64, 64};
  auto all = block_tables(contexts, 4, Scatter::random, 0, 16, 7);
  const auto second = block_tables(contexts, 4, Scatter::random, 8, 16, 7);
  all.insert(all.end(), second.begin(), second.end());
  EXPECT_EQ(std::set<std::int32_t>(all.begin(), all.end()).size(), 16u);
}

TEST(RaggedContexts, KeepTheSumAndAreAllPositive) {
  for (const int batch : {1, 2, 16, 256}) {
    const auto contexts = ragged_contexts(batch, 1024, 5);
    EXPECT_EQ(std::accumulate(contexts.begin(), contexts.end(), std::int64_t{0}), std::int64_t{batch} * 1024);
    EXPECT_GT(*std::min_element(contexts.begin(), contexts.end()), 0);
  }
  const auto spread = ragged_contexts(256, 1024, 5);
  EXPECT_GT(*std::max_element(spread.begin(), spread.end()), 4 * 1024);
}

}  // namespace
}  // namespace brink::kernels
