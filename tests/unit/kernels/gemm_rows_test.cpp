// Device code of the GEMM groups, run on the CPU.
#include "tests/support/gpu_emulator.h"

#include "kernels/gemm/rows.cuh"

#include <gtest/gtest.h>

#include <cmath>
#include <set>
#include <vector>

namespace brink::kernels {
namespace {

std::vector<std::uint16_t> random_row(std::size_t n, std::uint64_t seed) {
  std::vector<std::uint16_t> row(n);
  emulator::launch({3, 1, 1}, {256, 1, 1},
                   [&] { fill_normal_bf16(row.data(), static_cast<std::int64_t>(n), seed, 1.0f); });
  return row;
}

RowSignature sign(const std::vector<std::uint16_t>& row, const std::vector<std::uint16_t>& reference, unsigned blocks,
                  unsigned order = 0) {
  RowSignature signature = {};
  emulator::launch(
      {blocks, 1, 1}, {256, 1, 1},
      [&] { row_signature(row.data(), reference.data(), static_cast<int>(row.size()), &signature); }, order);
  return signature;
}

TEST(RowSignature, IsTheSameForEveryGridAndThreadOrder) {
  const auto row = random_row(1000, 1);
  const auto reference = random_row(1000, 2);
  const RowSignature one = sign(row, reference, 1);
  for (const unsigned blocks : {2u, 5u}) {
    for (const unsigned order : {0u, 1u, 2u}) {
      const RowSignature again = sign(row, reference, blocks, order);
      EXPECT_EQ(again.hash, one.hash);
      EXPECT_EQ(again.ulp_total, one.ulp_total);
      EXPECT_EQ(again.changed, one.changed);
      EXPECT_EQ(again.delta_max_bits, one.delta_max_bits);
    }
  }
}

TEST(RowSignature, CountsWhatChanged) {
  const auto reference = random_row(777, 1);
  auto row = reference;
  RowSignature same = sign(row, reference, 1);
  EXPECT_EQ(same.changed, 0u);
  EXPECT_EQ(same.delta_max_bits, 0u);
  row[3] = static_cast<std::uint16_t>(row[3] + 1);
  row[776] = 0xffff;
  const RowSignature got = sign(row, reference, 2);
  EXPECT_NE(got.hash, same.hash);
  EXPECT_EQ(got.changed, 2u);
  EXPECT_EQ(got.poisoned, 1u);
}

TEST(RowSignature, SeesSwappedElements) {
  const auto reference = random_row(300, 1);
  auto row = reference;
  ASSERT_NE(row[10], row[20]);
  std::swap(row[10], row[20]);
  EXPECT_NE(sign(row, reference, 1).hash, sign(reference, reference, 1).hash);
}

TEST(Bf16Ordinal, NeighboursDifferByOneAcrossZero) {
  EXPECT_EQ(bf16_ordinal(0x3f80) + 1, bf16_ordinal(0x3f81));
  EXPECT_EQ(bf16_ordinal(0x8000), bf16_ordinal(0x0000));
  EXPECT_EQ(bf16_ordinal(0x0001) - bf16_ordinal(0x8001), 2);
}

TEST(Fill, IsNearNormalAndRecomputable) {
  const auto row = random_row(20000, 9);
  double sum = 0, squares = 0;
  for (std::size_t i = 0; i < row.size(); ++i) {
    ASSERT_EQ(row[i], bf16_from_float(keyed_normal(9, i)));
    const double x = static_cast<double>(bf16_to_float(row[i]));
    sum += x;
    squares += x * x;
  }
  const double n = static_cast<double>(row.size());
  // Fixed seed, so never flaky; a fresh one would fail 1 in 10^4 (4 standard errors each).
  EXPECT_NEAR(sum / n, 0.0, 4 / std::sqrt(n));
  EXPECT_NEAR(squares / n, 1.0, 4 * std::sqrt(2 / n));
}

TEST(Fp8, DecodesEveryPatternByTheDefinition) {
  for (unsigned bits = 0; bits < 256; ++bits) {
    const int exponent = static_cast<int>((bits >> 3) & 15);
    const int mantissa = static_cast<int>(bits & 7);
    const float got = e4m3_to_float(static_cast<std::uint8_t>(bits));
    if (exponent == 15 && mantissa == 7) {
      EXPECT_TRUE(std::isnan(got));
      continue;
    }
    const double magnitude =
        exponent == 0 ? std::ldexp(mantissa / 8.0, -6) : std::ldexp(1 + mantissa / 8.0, exponent - 7);
    EXPECT_EQ(static_cast<double>(got), bits >= 128 ? -magnitude : magnitude) << bits;
  }
  EXPECT_EQ(e4m3_to_float(0x7e), 448.0f);  // the format's largest value
}

TEST(Fp8, FillStaysWithinItsBinades) {
  std::vector<std::uint8_t> bytes(5000);
  emulator::launch({2, 1, 1}, {256, 1, 1}, [&] { fill_e4m3(bytes.data(), 5000, 4); });
  std::set<std::uint8_t> seen(bytes.begin(), bytes.end());
  EXPECT_EQ(seen.size(), 80u);  // 2 signs x 5 exponents x 8 mantissas, all drawn
  for (const std::uint8_t b : bytes) {
    EXPECT_GE(std::fabs(e4m3_to_float(b)), 0.0625f);
    EXPECT_LE(std::fabs(e4m3_to_float(b)), 1.875f);
  }
}

}  // namespace
}  // namespace brink::kernels
