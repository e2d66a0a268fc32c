// Measured tactics in place of the model. The tables are made up; their form is that of a profile.
#include "models/plan/gemm_measured.h"

#include <gtest/gtest.h>

#include "models/plan/gemm_selector.h"

namespace brink::plan {
namespace {

constexpr std::size_t kSplit4 = 0, kPlain = 1, kOther = 2, kInPlace = 3;

cost::GemmTacticTable table(double workspace_bytes) {
  cost::GemmTacticTable t;
  t.type = cost::GemmType::bf16;
  t.n = 4096;
  t.k = 4096;
  t.workspace = Bytes(workspace_bytes);
  return t;
}

cost::GemmTactics tactics() {
  cost::GemmTactics all;
  all.library = "cublasLt 1";
  all.names = {"66/t1/s1/k4/r2/w0/c0/i0/g1", "66/t2/s1/k1/r0/w0/c0/i0/g1", "66/t3/s1/k1/r0/w0/c0/i0/g1",
               "66/t1/s1/k2/r1/w0/c0/i0/g1"};
  cost::GemmTacticTable full = table(32.0 * 1048576.0);
  full.chosen = {{1, 16, kSplit4}, {17, 64, kPlain}, {65, 70, kInPlace}, {71, 128, kOther}};
  full.bit_classes = {{1, 16, 0}, {17, 64, 1}, {65, 70, 2}, {71, 128, 1}};
  full.timed = {{1, kSplit4, microseconds(10)},
                {1, kPlain, microseconds(12)},
                {16, kSplit4, microseconds(10)},
                {16, kPlain, microseconds(11)},
                {64, kPlain, microseconds(13)}};
  cost::GemmTacticTable tight = table(1024.0);
  tight.chosen = {{1, 128, kPlain}};
  tight.bit_classes = {{1, 128, 0}};
  tight.timed = {{1, kPlain, microseconds(12)}, {16, kPlain, microseconds(11)}, {64, kPlain, microseconds(13)}};
  all.tables = {tight, full};
  return all;
}

struct Bench {
  TacticNames names;
  GemmSelector selector;
  explicit Bench(GemmSelectorOptions options = {})
      : selector(GemmCatalogue::load(std::string(BRINK_SOURCE_DIR) + "/configs/tactics/h100_cublaslt.json"), options,
                 names, std::make_shared<const cost::GemmTactics>(tactics())) {}
  Choice at(std::int64_t m, Bytes workspace = mib(32), std::int64_t n = 4096) {
    return selector.choose({m, n, 4096}, {workspace, true});
  }
};

TEST(GemmMeasured, ReplacesTheModelWhereItWasMeasured) {
  Bench bench;
  const Choice measured = bench.at(1), modelled = bench.at(1, mib(32), 8192), beyond = bench.at(129);
  EXPECT_TRUE(measured.measured);
  EXPECT_EQ(bench.names[measured.tactic_id], "measured/66/t1/s1/k4/r2/w0/c0/i0/g1");
  EXPECT_EQ(measured.relative_time, 1.0);
  EXPECT_EQ(measured.fallback, Fallback::none);
  EXPECT_FALSE(modelled.measured);
  EXPECT_FALSE(beyond.measured);  // m not asked
}

TEST(GemmMeasured, BitClassesAreTheSignatures) {
  Bench bench;
  EXPECT_EQ(bench.at(1).reduction_sig, bench.at(16).reduction_sig);
  EXPECT_NE(bench.at(16).reduction_sig, bench.at(17).reduction_sig);
  EXPECT_NE(bench.at(17).reduction_sig, bench.at(65).reduction_sig);
  EXPECT_NE(bench.at(17).tactic_id, bench.at(71).tactic_id);
  EXPECT_EQ(bench.at(17).reduction_sig, bench.at(71).reduction_sig);                // another tactic, the same bits
  EXPECT_EQ(bench.at(1, Bytes(1024.0)).reduction_sig, bench.at(17).reduction_sig);  // unsplit under either workspace
}

TEST(GemmMeasured, TimesBetweenWorkspacesAreMeasuredRatios) {
  Bench bench;
  const Choice tight = bench.at(1, Bytes(1024.0));
  EXPECT_EQ(tight.fallback, Fallback::workspace);
  EXPECT_DOUBLE_EQ(tight.relative_time, 12.0 / 10.0);
  EXPECT_DOUBLE_EQ(bench.at(15, Bytes(1024.0)).relative_time, 11.0 / 10.0);  // timed at 16, the nearest
  EXPECT_EQ(bench.at(20, Bytes(1024.0)).relative_time, 1.0);                 // the same tactic
  // Between two measured limits the smaller one holds.
  EXPECT_EQ(bench.at(1, mib(8)).tactic_id, tight.tactic_id);
}

TEST(GemmMeasured, InPlaceReductionIsNotRepeatable) {
  Bench bench;
  EXPECT_FALSE(bench.at(65).repeatable);
  EXPECT_TRUE(bench.at(1).repeatable);
}

TEST(GemmMeasured, InvarianceTakesTheUnsplitTable) {
  GemmSelectorOptions options;
  options.batch_invariant = true;
  Bench bench(options);
  for (const std::int64_t m : {1, 16, 17, 70, 128}) {
    EXPECT_TRUE(bench.at(m).measured);
    EXPECT_EQ(bench.at(m).reduction_sig, bench.at(1).reduction_sig);
  }
  EXPECT_EQ(bench.at(1).fallback, Fallback::batch_invariant);
  EXPECT_DOUBLE_EQ(bench.at(1).relative_time, 1.2);
  EXPECT_EQ(bench.at(17).fallback, Fallback::none);
}

TEST(GemmMeasured, AutotuneDrawsAmongTheTimed) {
  GemmSelectorOptions options;
  options.autotune = true;
  options.autotune_noise = 0.1;
  std::size_t plain = 0;
  for (options.replica = 0; options.replica < 64; ++options.replica) {
    Bench bench(options);
    const Choice choice = bench.at(16);
    EXPECT_TRUE(choice.measured);
    if (bench.names[choice.tactic_id] == "measured/" + tactics().names[kPlain]) {
      ++plain;
      EXPECT_DOUBLE_EQ(choice.relative_time, 1.1);
    }
  }
  EXPECT_GT(plain, 0U);
  EXPECT_LT(plain, 64U);
}

}  // namespace
}  // namespace brink::plan
