#include "models/base/random.h"

#include <Random123/philox.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <set>
#include <vector>

#include "models/base/normal_quantile.h"

namespace brink {
namespace {

// Known answers of Philox4x32-10 that Salmon et al. (SC'11) publish with Random123.
TEST(Philox, KnownAnswers) {
  using Ctr = r123::Philox4x32::ctr_type;
  using Key = r123::Philox4x32::key_type;
  const auto philox = [](Ctr c, Key k) { return r123::Philox4x32{}(c, k); };
  constexpr std::uint32_t ones = 0xffffffffU;
  EXPECT_EQ(philox({{0, 0, 0, 0}}, {{0, 0}}), (Ctr{{0x6627e8d5U, 0xe169c58dU, 0xbc57ac4cU, 0x9b00dbd8U}}));
  EXPECT_EQ(philox({{ones, ones, ones, ones}}, {{ones, ones}}),
            (Ctr{{0x408f276dU, 0x41c83b0eU, 0xa20bc7c6U, 0x6d5451fdU}}));
  EXPECT_EQ(philox({{0x243f6a88U, 0x85a308d3U, 0x13198a2eU, 0x03707344U}}, {{0xa4093822U, 0x299f31d0U}}),
            (Ctr{{0xd16cfe09U, 0x94fdccebU, 0x5001e420U, 0x24126ea1U}}));
}

// The stream's layout of counter and key is part of every result: it may not drift.
TEST(RandomStream, BitsArePhiloxOfSeedNameAndKey) {
  const std::uint64_t fnv1a_of_a = 0xaf63dc4c8601ec8cU;  // published FNV-1a test vector of "a"
  const auto low = [](std::uint64_t x) { return static_cast<std::uint32_t>(x); };
  const std::uint64_t seed = 0x0123456789abcdefU;
  const r123::Philox4x32 philox;
  const auto key = philox({{low(seed), low(seed >> 32U), low(fnv1a_of_a), low(fnv1a_of_a >> 32U)}}, {{0, 0}});
  const auto out = philox({{9, 5, 7, 11}}, {{key[0], key[1]}});
  EXPECT_EQ(RandomStream(seed, "a").bits({5, 7, 11}, 9), std::uint64_t{out[1]} << 32U | out[0]);
}

TEST(RandomStream, DrawsAreFunctionsOfTheirKey) {
  const RandomStream one(7, "arrivals");
  const RandomStream same(7, "arrivals");
  EXPECT_EQ(one.bits({1, 2, 3}, 4), same.bits({1, 2, 3}, 4));
  // One changed component changes the draw, in the narrow and in the wide layout.
  for (const std::uint64_t big : {std::uint64_t{0}, std::uint64_t{1} << 60U}) {
    std::set<std::uint64_t> draws;
    for (std::uint64_t a = 0; a < 4; ++a) {
      for (std::uint64_t b = 0; b < 4; ++b) {
        for (std::uint64_t c = 0; c < 4; ++c) {
          for (std::uint32_t draw = 0; draw < 4; ++draw) draws.insert(one.bits({a + big, b, c}, draw));
        }
      }
    }
    EXPECT_EQ(draws.size(), 256U);
  }
  EXPECT_NE(one.bits({1}), RandomStream(8, "arrivals").bits({1}));
  EXPECT_NE(one.bits({1}), RandomStream(7, "lengths").bits({1}));
}

TEST(RandomStream, LayoutsMeetWithoutRepeats) {
  const RandomStream stream(1, "edges");
  std::set<std::uint64_t> draws;
  const std::vector<std::uint64_t> edges = {0, 1, 0xffff, 0x10000, 0xffffffff, 0x100000000, 0xffffffffffff,
                                            0x1000000000000, ~std::uint64_t{0}};
  for (const std::uint64_t a : edges) {
    for (const std::uint64_t b : edges) {
      for (const std::uint64_t c : edges) draws.insert(stream.bits({a, b, c}));
    }
  }
  EXPECT_EQ(draws.size(), edges.size() * edges.size() * edges.size());
}

struct Moments {
  double mean = 0.0, variance = 0.0, skew = 0.0;
};

Moments moments_of(std::uint64_t count, const std::function<double(std::uint64_t)>& draw) {
  std::vector<double> values(count);
  for (std::uint64_t i = 0; i < count; ++i) values[i] = draw(i);
  const auto n = static_cast<double>(count);
  Moments m;
  for (const double v : values) m.mean += v / n;
  for (const double v : values) m.variance += (v - m.mean) * (v - m.mean) / n;
  for (const double v : values) m.skew += std::pow((v - m.mean) / std::sqrt(m.variance), 3) / n;
  return m;
}

// The bounds below are 5 standard errors of the exact moment: each fails by chance with odds
// of 6e-7. The streams are fixed, so a test that passes once passes always.
constexpr std::uint64_t sample_size = 200'000;
const double root_n = std::sqrt(static_cast<double>(sample_size));

TEST(RandomStream, UniformMoments) {
  const RandomStream stream(11, "uniform");
  const Moments m = moments_of(sample_size, [&](std::uint64_t i) { return stream.uniform({i}); });
  EXPECT_NEAR(m.mean, 0.5, 5 * std::sqrt(1.0 / 12) / root_n);
  EXPECT_NEAR(m.variance, 1.0 / 12, 5 * std::sqrt(1.0 / 180) / root_n);  // Var((U - 1/2)^2) = 1/180
}

TEST(RandomStream, UniformStaysInsideAndIsAnOddMultiple) {
  const RandomStream stream(11, "uniform");
  for (std::uint64_t i = 0; i < 10'000; ++i) {
    const double u = stream.uniform({i});
    EXPECT_GT(u, 0.0);
    EXPECT_LT(u, 1.0);
    EXPECT_EQ(std::fmod(u * 0x1p53, 2.0), 1.0);
  }
}

// Kolmogorov-Smirnov distance; 1.95/sqrt(n) is exceeded by chance with odds of 0.1 %.
TEST(RandomStream, UniformAndNormalFollowTheirDistribution) {
  const RandomStream stream(12, "ks");
  std::vector<double> uniform;
  std::vector<double> normal;
  for (std::uint64_t i = 0; i < sample_size; ++i) {
    uniform.push_back(stream.uniform({i}, 0));
    normal.push_back(0.5 * std::erfc(-stream.normal({i}, 1) / std::sqrt(2.0)));
  }
  for (std::vector<double>* values : {&uniform, &normal}) {
    std::sort(values->begin(), values->end());
    double distance = 0.0;
    for (std::uint64_t i = 0; i < sample_size; ++i) {
      const double expected = (static_cast<double>(i) + 0.5) / static_cast<double>(sample_size);
      distance = std::max(distance, std::abs((*values)[i] - expected));
    }
    EXPECT_LT(distance, 1.95 / root_n);
  }
}

TEST(RandomStream, NormalMoments) {
  const RandomStream stream(13, "normal");
  const Moments m = moments_of(sample_size, [&](std::uint64_t i) { return stream.normal({i}); });
  EXPECT_NEAR(m.mean, 0.0, 5 / root_n);
  EXPECT_NEAR(m.variance, 1.0, 5 * std::sqrt(2.0) / root_n);
  EXPECT_NEAR(m.skew, 0.0, 5 * std::sqrt(6.0) / root_n);
}

TEST(RandomStream, ExponentialMoments) {
  const RandomStream stream(14, "exponential");
  const Moments m = moments_of(sample_size, [&](std::uint64_t i) { return stream.exponential({i}); });
  EXPECT_NEAR(m.mean, 1.0, 5 / root_n);
  EXPECT_NEAR(m.variance, 1.0, 5 * std::sqrt(8.0) / root_n);  // fourth central moment 9, less 1
}

TEST(RandomStream, GammaMoments) {
  for (const double shape : {0.1, 0.5, 1.0, 2.5, 40.0}) {
    const RandomStream stream(15, "gamma");
    const Moments m = moments_of(sample_size, [&](std::uint64_t i) { return stream.gamma_mean_one(shape, {i}); });
    // Mean 1, variance 1/k; the fourth central moment is (3 + 6/k)/k^2.
    EXPECT_NEAR(m.mean, 1.0, 5 / std::sqrt(shape) / root_n) << shape;
    EXPECT_NEAR(m.variance, 1.0 / shape, 5 * std::sqrt(2 + 6 / shape) / shape / root_n) << shape;
  }
}

TEST(RandomStream, BelowIsUniform) {
  const RandomStream stream(16, "below");
  std::vector<double> counts(7);
  for (std::uint64_t i = 0; i < sample_size; ++i) counts.at(stream.below(7, {i})) += 1.0;
  const double expected = static_cast<double>(sample_size) / 7;
  double chi_square = 0.0;
  for (const double count : counts) chi_square += (count - expected) * (count - expected) / expected;
  EXPECT_LT(chi_square, 22.46);  // 6 degrees of freedom: exceeded by chance with odds of 0.1 %
}

TEST(RandomStream, BelowIsTheHighHalfOfTheProduct) {
  const RandomStream stream(17, "wide");
  const std::uint64_t n = 0xfedcba9876543210U;
  for (std::uint64_t i = 0; i < 1000; ++i) {
    __extension__ using Wide = unsigned __int128;
    const auto expected = static_cast<std::uint64_t>(static_cast<Wide>(stream.bits({i})) * n >> 64U);
    EXPECT_EQ(stream.below(n, {i}), expected);
    EXPECT_EQ(stream.below(1, {i}), 0U);
  }
}

TEST(NormalQuantile, PublishedValues) {
  // Wichura 1988, table of checks; and mpmath to 16 digits.
  EXPECT_NEAR(normal_quantile(0.25), -0.6744897501960817, 1e-15);
  EXPECT_NEAR(normal_quantile(0.001), -3.090232306167814, 1e-14);
  EXPECT_NEAR(normal_quantile(1e-20), -9.262340089798408, 1e-13);
  EXPECT_EQ(normal_quantile(0.5), 0.0);
  EXPECT_NEAR(normal_quantile(0.975), 1.959963984540054, 1e-14);
}

TEST(NormalQuantile, InvertsErfcAndIsMonotone) {
  double last = -40.0;
  for (int i = 1; i < 4000; ++i) {
    const double p = i / 4000.0;
    const double x = normal_quantile(p);
    EXPECT_NEAR(0.5 * std::erfc(-x / std::sqrt(2.0)), p, 1e-15);
    EXPECT_GT(x, last);
    last = x;
  }
}

}  // namespace
}  // namespace brink
