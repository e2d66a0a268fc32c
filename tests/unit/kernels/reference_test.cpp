#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <set>

#include "kernels/hbm/reference.h"
#include "kernels/norm/reference.h"
#include "kernels/overlap/reference.h"
#include "kernels/runner/chase.h"
#include "kernels/runner/hash.h"
#include "kernels/runner/nvml.h"
#include "kernels/runner/verify.h"

namespace brink::kernels {
namespace {

TEST(KernelHash, ValuesAreExactInTheirFormats) {
  double mean = 0;
  for (std::uint64_t i = 0; i < 20000; ++i) {
    const float unit = hash_unit(3, i);
    const float narrow = hash_bf16_unit(3, i);
    EXPECT_TRUE(unit >= -1 && unit < 1 && narrow >= -1 && narrow < 1);
    EXPECT_EQ(bf16_to_float(bf16_from_float(narrow)), narrow);
    mean += static_cast<double>(unit) / 20000;
  }
  EXPECT_NEAR(mean, 0, 0.02);  // five standard errors of uniform [-1, 1)
  EXPECT_NE(hash_u32(1, 5), hash_u32(2, 5));
  EXPECT_NE(hash_u32(1, 5), hash_u32(1, 5 + (std::uint64_t{1} << 32)));
}

TEST(KernelHash, BfloatRoundsToNearestEven) {
  EXPECT_EQ(bf16_from_float(1.0F), 0x3F80);
  EXPECT_EQ(bf16_from_float(1.0F + 1.0F / 256), 0x3F80);  // half way, to even
  EXPECT_EQ(bf16_from_float(1.0F + 3.0F / 256), 0x3F82);
  EXPECT_EQ(bf16_from_float(-2.5F), 0xC020);
  EXPECT_TRUE(std::isnan(bf16_to_float(bf16_from_float(std::nanf("")))));
  EXPECT_TRUE(std::isnan(bf16_to_float(0xFFFF)));  // poison
}

TEST(KernelHash, BytesThatDifferHashDifferently) {
  std::set<std::uint64_t> seen;
  std::string text(37, 'a');
  seen.insert(hash_bytes(text.data(), text.size()));
  for (std::size_t i = 0; i < text.size(); ++i) {
    for (int bit = 0; bit < 8; ++bit) {
      std::string other = text;
      other[i] = static_cast<char>(other[i] ^ (1 << bit));
      seen.insert(hash_bytes(other.data(), other.size()));
    }
  }
  EXPECT_EQ(seen.size(), 1 + 37U * 8);
  EXPECT_EQ(hash_bytes("", 0), hash_bytes("x", 0));
}

TEST(KernelChase, ScatterIsABijection) {
  for (const std::uint64_t count : {1ULL, 2ULL, 3ULL, 64ULL, 1000ULL, 4096ULL, 5000ULL}) {
    for (const std::uint64_t seed : {1ULL, 31ULL}) {
      std::set<std::uint64_t> images;
      for (std::uint64_t x = 0; x < count; ++x) {
        const std::uint64_t y = scatter(x, count, seed);
        EXPECT_LT(y, count);
        images.insert(y);
      }
      EXPECT_EQ(images.size(), count) << "seed " << seed;
    }
  }
}

TEST(KernelChase, ScatterLeavesNoRunsThatAPrefetcherFollows) {
  constexpr std::uint64_t count = 100'000;
  std::uint64_t close = 0;
  for (std::uint64_t x = 0; x + 1 < count; ++x) {
    const std::uint64_t a = scatter(x, count, 9);
    const std::uint64_t b = scatter(x + 1, count, 9);
    close += (a > b ? a - b : b - a) < 100 ? 1U : 0U;
  }
  // Uniform draws give 2 * 100 / 1e5 * 1e5 = 200 close pairs, standard deviation 14.
  EXPECT_LT(close, 600U);
  std::set<std::uint64_t> steps;  // a fixed stride would show as few different steps
  for (std::uint64_t x = 0; x < 1000; ++x) steps.insert(scatter(x + 1, count, 9) - scatter(x, count, 9));
  EXPECT_GT(steps.size(), 900U);
}

TEST(KernelChase, TheChainIsOneCycleThroughEveryNode) {
  for (const ChaseLayout layout : {ChaseLayout{1000, 128, 3}, ChaseLayout{777, 4096, 4}, ChaseLayout{1, 128, 5}}) {
    std::set<std::uint64_t> visited;
    for (std::uint64_t p = 0; p < layout.nodes; ++p) {
      const std::uint64_t at = layout.offset(p);
      EXPECT_EQ(at % 128, 0U);
      EXPECT_LE(at + 128, layout.bytes());
      visited.insert(at / layout.stride);  // one line in every stride
    }
    EXPECT_EQ(visited.size(), layout.nodes);
    EXPECT_EQ(layout.offset(layout.nodes), layout.offset(0));
  }
}

TEST(KernelHbm, XorOfWordsSplitsAnywhere) {
  const std::uint32_t whole = xor_of_words(1, 10, 100);
  EXPECT_EQ(whole, xor_of_words(1, 10, 37) ^ xor_of_words(1, 47, 63));
  EXPECT_EQ(xor_of_words(1, 5, 1), hash_u32(1, 5));
  EXPECT_EQ(xor_of_words(1, 5, 0), 0U);
}

TEST(KernelHbm, GatherTableDrawsEachPageOnce) {
  const std::vector<std::uint32_t> table = gather_table(300, 1024, 5);
  const std::set<std::uint32_t> pages(table.begin(), table.end());
  EXPECT_EQ(pages.size(), 300U);
  EXPECT_LT(*pages.rbegin(), 1024U);
  EXPECT_EQ(gather_table(3, 0, 5), (std::vector<std::uint32_t>{0, 1, 2}));
  EXPECT_THROW(gather_table(300, 299, 5), std::invalid_argument);
}

TEST(KernelHbm, GatherOfNeighboursIsAPlainRead) {
  const std::vector<std::uint32_t> in_order = gather_table(64, 0, 5);
  for (const std::uint64_t page : {512ULL, 4096ULL, 32768ULL}) {
    EXPECT_EQ(xor_of_gather(7, in_order, page, 3, 4096), xor_of_words(7, 3 * 1024, 1024)) << page;
  }
  // Two pages of 512 bytes a unit of 1024, swapped in the table: the same words.
  EXPECT_EQ(xor_of_gather(7, {1, 0}, 512, 0, 1024), xor_of_words(7, 0, 256));
  // A page of 4096 read in units of 1024: the third unit lies inside page 5.
  EXPECT_EQ(xor_of_gather(7, {5}, 4096, 2, 1024), xor_of_words(7, 5 * 1024 + 512, 256));
}

TEST(KernelNorm, ReferenceHasUnitRootMeanSquareBeforeWeights) {
  constexpr int hidden = 4096;
  const std::vector<double> y = rms_norm_reference(1, 8192, 2, hidden, 0);
  double squares = 0;
  int counted = 0;
  for (std::size_t i = 0; i < y.size(); ++i) {
    const auto w = static_cast<double>(hash_bf16_unit(2, i));
    const auto x = static_cast<double>(hash_bf16_unit(1, 8192 + i));
    if (w == 0) continue;
    squares += (y[i] / w) * (y[i] / w);
    ++counted;
    EXPECT_EQ(std::signbit(y[i]), std::signbit(x * w)) << i;
  }
  EXPECT_NEAR(squares / counted, 1, 0.02);
  // Known by hand: one element of value v and weight w gives w * sign(v).
  const std::vector<double> one = rms_norm_reference(1, 3, 2, 1, 0);
  EXPECT_NEAR(std::fabs(one[0]), std::fabs(static_cast<double>(hash_bf16_unit(2, 0))), 1e-12);
}

TEST(KernelMatmul, ReferenceElementIsADotProduct) {
  double sum = 0;
  for (std::uint64_t i = 0; i < 5; ++i) {
    sum += static_cast<double>(hash_bf16_unit(1, 2 * 5 + i)) * static_cast<double>(hash_bf16_unit(2, 3 * 5 + i));
  }
  EXPECT_DOUBLE_EQ(product_element(1, 2, 2, 3, 5), sum);
}

TEST(KernelVerify, FindsAWrongElementAndPoison) {
  const std::vector<double> want = {1, 2, 3, 4};
  std::vector<float> got = {1, 2, 3, 4};
  EXPECT_NO_THROW(require_close("x", got.data(), want.data(), 4, 1e-6));
  got[2] = 3.5F;
  const Comparison c = compare(got.data(), want.data(), 4);
  EXPECT_NEAR(c.relative_l2, 0.5 / std::sqrt(30.0), 1e-12);
  EXPECT_EQ(c.worst_at, 2U);
  EXPECT_THROW(require_close("x", got.data(), want.data(), 4, 0.01), WrongResult);
  got = {1, 2, 3, std::numeric_limits<float>::quiet_NaN()};
  EXPECT_EQ(compare(got.data(), want.data(), 4).not_finite, 1U);
  EXPECT_THROW(require_close("x", got.data(), want.data(), 4, 10), WrongResult);
  EXPECT_THROW(require_close("nothing compared", got.data(), want.data(), 0, 1), WrongResult);
}

TEST(KernelVerify, MessagesSayWhereAndWhat) {
  const double want[] = {1, 2};
  const float got[] = {1, 5};
  try {
    require_close("row 7", got, want, 2, 0.1);
    FAIL();
  } catch (const WrongResult& error) {
    EXPECT_EQ(std::string(error.what()),
              "row 7: relative L2 error 1.34164079 (at most 0.1) over 2 elements, 0 not finite; element 1 is 5, not 2");
  }
  EXPECT_NO_THROW(require_equal("n", 3, 3));
  EXPECT_THROW(require_equal("n", 3, 4), WrongResult);
}

TEST(KernelNvml, ReasonsHaveNames) {
  EXPECT_EQ(throttle_names(0), "");
  EXPECT_EQ(throttle_names(throttle_sw_power_cap | throttle_sw_thermal), "power_cap|sw_thermal");
  EXPECT_EQ(throttle_names(0x1), "");  // idle is no throttling
  EXPECT_EQ(throttle_discard & throttle_sw_power_cap, 0U);
}

TEST(KernelNvml, AMachineWithoutItSaysSo) {
  const Nvml nvml("0000:00:00.0");
  if (nvml.available()) GTEST_SKIP() << "this machine has a GPU at bus 0";
  EXPECT_FALSE(nvml.missing().empty());
  EXPECT_FALSE(nvml.power_w().has_value());
  EXPECT_FALSE(nvml.sm_clock_mhz().has_value());
  EXPECT_EQ(nvml.throttle_reasons(), 0U);
  EXPECT_EQ(nvml.driver_version(), "");
}

}  // namespace
}  // namespace brink::kernels
