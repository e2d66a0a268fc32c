#include "models/plan/all_reduce.h"

#include <gtest/gtest.h>

namespace brink::plan {
namespace {

AllReduceTactic choose(std::int64_t world, std::int64_t hidden, std::int64_t tokens, bool symmetric = false) {
  return choose_all_reduce(Bytes(2.0 * static_cast<double>(hidden * tokens)), {world, true, symmetric});
}

// First token count that leaves one-shot.
std::int64_t switch_point(std::int64_t world, std::int64_t hidden) {
  std::int64_t tokens = 1;
  while (choose(world, hidden, tokens) == AllReduceTactic::one_shot) ++tokens;
  return tokens;
}

TEST(AllReduce, OneShotToTwoShotKnownAnswers) {
  EXPECT_EQ(choose(8, 8192, 15), AllReduceTactic::one_shot);
  EXPECT_EQ(choose(8, 8192, 16), AllReduceTactic::two_shot);
  EXPECT_EQ(switch_point(8, 8192), 16);
  EXPECT_EQ(switch_point(8, 4096), 32);
  EXPECT_EQ(switch_point(4, 8192), 32);
}

TEST(AllReduce, TwoRanksStayOneShotUntilTheBufferEnds) {
  EXPECT_EQ(choose(2, 8192, 511), AllReduceTactic::one_shot);
  EXPECT_EQ(choose(2, 8192, 512), AllReduceTactic::nccl);  // 8 MiB
}

TEST(AllReduce, SymmetricMemoryNeverRunsTwoShotOnEightRanks) {
  for (std::int64_t tokens = 1; tokens <= 4096; ++tokens) ASSERT_NE(choose(8, 8192, tokens, true), AllReduceTactic::two_shot);
  EXPECT_EQ(choose(8, 8192, 15, true), AllReduceTactic::one_shot);
  EXPECT_EQ(choose(8, 8192, 16, true), AllReduceTactic::multimem);
  EXPECT_EQ(choose(8, 8192, 4096, true), AllReduceTactic::nccl);  // 64 MiB
}

TEST(AllReduce, SymmetricMemoryLeavesTheCustomKernelOnTwoAndFourRanks) {
  EXPECT_EQ(choose(2, 8192, 100, true), AllReduceTactic::one_shot);
  EXPECT_EQ(choose(2, 8192, 512, true), AllReduceTactic::nccl);
  EXPECT_EQ(choose(4, 8192, 32, true), AllReduceTactic::two_shot);
  EXPECT_EQ(choose(4, 8192, 512, true), AllReduceTactic::multimem);
  EXPECT_EQ(choose(4, 8192, 2048, true), AllReduceTactic::nccl);  // 32 MiB
  EXPECT_EQ(choose(6, 8192, 31, true), AllReduceTactic::two_shot);
  EXPECT_EQ(choose(6, 8192, 32, true), AllReduceTactic::multimem);
}

TEST(AllReduce, WhatTheCustomKernelCannotDoGoesToNccl) {
  EXPECT_EQ(choose_all_reduce(Bytes(1024), {1, true, false}), AllReduceTactic::none);
  EXPECT_EQ(choose_all_reduce(Bytes(1024), {3, true, false}), AllReduceTactic::nccl);
  EXPECT_EQ(choose_all_reduce(Bytes(1024), {16, true, true}), AllReduceTactic::nccl);
  EXPECT_EQ(choose_all_reduce(Bytes(1022), {4, true, false}), AllReduceTactic::nccl);  // not 16-byte aligned
  EXPECT_EQ(choose_all_reduce(Bytes(1024), {4, false, true}), AllReduceTactic::nccl);
  EXPECT_EQ(choose_all_reduce(Bytes(1024), {2, false, false}), AllReduceTactic::one_shot);
}

TEST(AllReduce, Names) {
  EXPECT_STREQ(tactic_name(AllReduceTactic::two_shot), "custom_two_shot");
  EXPECT_STREQ(tactic_name(AllReduceTactic::multimem), "multimem");
}

}  // namespace
}  // namespace brink::plan
