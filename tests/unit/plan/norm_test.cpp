#include "models/plan/norm.h"

#include <gtest/gtest.h>

namespace brink::plan {
namespace {

TEST(Norm, BlockShrinksAt256Tokens) {
  TacticNames names;
  const Choice few = choose_norm(255, 4096, false, names), many = choose_norm(256, 4096, false, names);
  EXPECT_EQ(names[few.tactic_id], "rms_norm/threads=1024");
  EXPECT_EQ(names[many.tactic_id], "rms_norm/threads=256");
  EXPECT_NE(few.reduction_sig, many.reduction_sig);
  EXPECT_EQ(few.reduction_sig, choose_norm(1, 4096, false, names).reduction_sig);
  EXPECT_EQ(many.reduction_sig, choose_norm(8192, 4096, false, names).reduction_sig);
  EXPECT_EQ(many.relative_time, 1.0);
}

TEST(Norm, NarrowRowsHaveOneBlock) {
  TacticNames names;
  EXPECT_EQ(norm_threads(1, 128, false), 128);
  EXPECT_EQ(choose_norm(1, 128, false, names).reduction_sig, choose_norm(300, 128, false, names).reduction_sig);
  EXPECT_EQ(norm_threads(1, 896, false), 896);
}

TEST(Norm, BatchInvariantKeepsTheSmallLaunchsBlock) {
  TacticNames names;
  const Choice many = choose_norm(4096, 8192, true, names);
  EXPECT_EQ(many.reduction_sig, choose_norm(1, 8192, false, names).reduction_sig);
  EXPECT_EQ(many.fallback, Fallback::batch_invariant);
  EXPECT_EQ(choose_norm(1, 8192, true, names).fallback, Fallback::none);
}

}  // namespace
}  // namespace brink::plan
