// The split-K law against sums done by hand: tensor-core steps of 16 products, FP32 accumulators, BF16 outputs.
#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <vector>

#include "models/base/random.h"
#include "models/drift/split_k.h"

namespace brink::drift {
namespace {

constexpr std::int64_t step = 16;  // products a tensor core adds before it rounds into its accumulator

float to_bf16(float x) {
  auto bits = std::bit_cast<std::uint32_t>(x);
  bits += 0x7fffU + ((bits >> 16U) & 1U);
  return std::bit_cast<float>(bits & 0xffff0000U);
}

float partial_sum(const std::vector<double>& products, std::size_t from, std::size_t to) {
  float sum = 0.0F;
  for (std::size_t i = from; i < to; i += step) {
    double inner = 0.0;
    for (std::size_t j = i; j < std::min(to, i + step); ++j) inner += products[j];
    sum = static_cast<float>(static_cast<double>(sum) + inner);
  }
  return sum;
}

float split_sum(const std::vector<double>& products, std::size_t splits, bool bf16_partials) {
  const std::size_t part = products.size() / splits;
  float sum = 0.0F;
  for (std::size_t s = 0; s < splits; ++s) {
    const float partial = partial_sum(products, s * part, (s + 1) * part);
    sum = bf16_partials && splits > 1 ? to_bf16(sum + to_bf16(partial)) : sum + partial;
  }
  return sum;
}

struct Measured {
  double rms = 0.0, changed_bf16_partials = 0.0;
};

Measured measure(std::int64_t k, std::int64_t splits, int outputs) {
  const RandomStream random(7, "split_k");
  std::vector<double> products(static_cast<std::size_t>(k));
  double square = 0.0;
  int changed = 0;
  for (int o = 0; o < outputs; ++o) {
    for (std::size_t i = 0; i < products.size(); ++i) {
      const StreamKey key{static_cast<std::uint64_t>(o), i};
      // BF16 operands, as the product of two of them is exact in FP32.
      const float a = to_bf16(static_cast<float>(random.normal(key))), b = to_bf16(static_cast<float>(random.normal(key, 1)));
      products[i] = static_cast<double>(a) * static_cast<double>(b) / std::sqrt(static_cast<double>(k));
    }
    const float whole = split_sum(products, 1, false);
    const double d = static_cast<double>(split_sum(products, static_cast<std::size_t>(splits), false)) - static_cast<double>(whole);
    square += d * d;
    changed += to_bf16(split_sum(products, static_cast<std::size_t>(splits), true)) != to_bf16(whole) ? 1 : 0;
  }
  return {std::sqrt(square / outputs), static_cast<double>(changed) / outputs};
}

// 1500 outputs: the rms has a relative standard error of 2 to 3 % (heavier tails than a normal's), a share of 1.3 points.
// Five of them and the law's own 15 % cannot fail by chance; the seed is fixed besides.
TEST(split_k, emulated_sums_follow_the_law) {
  for (const auto& [k, splits] : {std::pair<std::int64_t, std::int64_t>{1024, 2}, {1024, 8}, {4096, 4}}) {
    SCOPED_TRACE(::testing::Message() << "K " << k << " S " << splits);
    const Measured got = measure(k, splits, 1500);
    EXPECT_NEAR(got.rms / split_k_difference(k, splits, Arithmetic::fp32), 1.0, 0.25);
    EXPECT_NEAR(got.changed_bf16_partials, split_k_changed_share(k, splits, Arithmetic::bf16), 0.07);
  }
}

}  // namespace
}  // namespace brink::drift
