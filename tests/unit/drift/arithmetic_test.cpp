#include <gtest/gtest.h>

#include <cmath>

#include "models/drift/arithmetic.h"
#include "models/drift/error_bounds.h"
#include "models/drift/split_k.h"

namespace brink::drift {
namespace {

TEST(arithmetic, unit_roundoffs) {
  EXPECT_EQ(unit_roundoff(Arithmetic::fp32), std::ldexp(1.0, -24));
  EXPECT_EQ(unit_roundoff(Arithmetic::tf32), std::ldexp(1.0, -11));
  EXPECT_EQ(unit_roundoff(Arithmetic::fp16), std::ldexp(1.0, -11));
  EXPECT_EQ(unit_roundoff(Arithmetic::bf16), std::ldexp(1.0, -8));
  EXPECT_EQ(unit_roundoff(Arithmetic::fp8_e4m3), 0.0625);
  EXPECT_EQ(unit_roundoff(Arithmetic::fp8_e5m2), 0.125);
  EXPECT_EQ(unit_roundoff(Arithmetic::int8), 0.0);
  EXPECT_STREQ(name(Arithmetic::fp8_e4m3), "fp8_e4m3");
  EXPECT_STREQ(name(Arithmetic::int8), "int8");
}

TEST(error_bounds, sequential) {
  const double nu = 4096.0 * 0x1p-24;
  EXPECT_DOUBLE_EQ(sequential_bound(4096, Arithmetic::fp32), nu / (1.0 - nu));
  EXPECT_TRUE(std::isinf(sequential_bound(256, Arithmetic::bf16)));
  EXPECT_DOUBLE_EQ(sequential_bound(255, Arithmetic::bf16), 255.0);
  EXPECT_EQ(sequential_bound(1 << 20, Arithmetic::int8), 0.0);
}

TEST(error_bounds, pairwise_grows_with_the_logarithm) {
  const auto gamma = [](double n) { return n * 0x1p-8 / (1.0 - n * 0x1p-8); };
  EXPECT_DOUBLE_EQ(pairwise_bound(1, Arithmetic::bf16), 0.0);
  EXPECT_DOUBLE_EQ(pairwise_bound(2, Arithmetic::bf16), gamma(1));
  EXPECT_DOUBLE_EQ(pairwise_bound(4096, Arithmetic::bf16), gamma(12));
  EXPECT_DOUBLE_EQ(pairwise_bound(4097, Arithmetic::bf16), gamma(13));
}

TEST(error_bounds, probable_grows_with_the_root) {
  EXPECT_DOUBLE_EQ(probable_bound(4096, 3.0, Arithmetic::fp32), 3.0 * 64.0 * 0x1p-24);
  EXPECT_LT(probable_bound(4096, 5.0, Arithmetic::fp32), sequential_bound(4096, Arithmetic::fp32));
}

struct SplitRow {
  std::int64_t k, splits;
  double difference_u32;  // rms, in units of 2^-24 of the outputs' rms
  double bf16_partials_changed, bf16_partials_rms;
};

// reference table splitk_ulp_montecarlo.txt (16 rows, computed; the FP32 shares are checked as a range below).
const SplitRow split_rows[] = {
    {1024, 2, 2.36, 0.369, 2.81e-3},  {1024, 4, 2.61, 0.494, 3.54e-3},  {1024, 8, 2.68, 0.584, 4.33e-3},
    {1024, 16, 2.80, 0.669, 5.52e-3}, {4096, 2, 4.69, 0.379, 2.91e-3},  {4096, 4, 5.15, 0.501, 3.59e-3},
    {4096, 8, 5.21, 0.595, 4.42e-3},  {4096, 16, 5.23, 0.670, 5.53e-3}, {8192, 2, 6.63, 0.380, 2.93e-3},
    {8192, 4, 7.23, 0.502, 3.57e-3},  {8192, 8, 7.27, 0.595, 4.38e-3},  {8192, 16, 7.27, 0.679, 5.63e-3},
    {14336, 2, 8.55, 0.377, 2.83e-3}, {14336, 4, 9.34, 0.495, 3.51e-3}, {14336, 8, 9.33, 0.595, 4.33e-3},
    {14336, 16, 9.26, 0.671, 5.53e-3},
};

TEST(split_k, law_is_the_monte_carlo) {
  for (const SplitRow& row : split_rows) {
    SCOPED_TRACE(::testing::Message() << "K " << row.k << " S " << row.splits);
    const double law = split_k_difference(row.k, row.splits, Arithmetic::fp32) / 0x1p-24;
    EXPECT_NEAR(law / row.difference_u32, 1.0, 0.15);
    EXPECT_NEAR(split_k_changed_share(row.k, row.splits, Arithmetic::bf16), row.bf16_partials_changed, 0.012);
    EXPECT_NEAR(split_k_difference(row.k, row.splits, Arithmetic::bf16) / row.bf16_partials_rms, 1.0, 0.03);
    const double changed = split_k_changed_share(row.k, row.splits, Arithmetic::fp32);
    EXPECT_GE(changed, 1e-4);
    EXPECT_LE(changed, 7e-4);
  }
}

TEST(split_k, exact_sums_do_not_change) {
  for (const std::int64_t splits : {1, 2, 16, 64}) {
    EXPECT_EQ(split_k_difference(8192, splits, Arithmetic::int8), 0.0);
    EXPECT_EQ(split_k_changed_share(8192, splits, Arithmetic::int8), 0.0);
  }
  for (const Arithmetic partials : {Arithmetic::fp32, Arithmetic::bf16, Arithmetic::fp16}) {
    EXPECT_EQ(split_k_difference(8192, 1, partials), 0.0) << "one split is the reference";
    EXPECT_EQ(split_k_changed_share(8192, 1, partials), 0.0);
  }
}

}  // namespace
}  // namespace brink::drift
