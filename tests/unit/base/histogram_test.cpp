#include "models/base/histogram.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "models/base/random.h"
#include "models/base/samples.h"

namespace brink {
namespace {

constexpr double quantile_error_max = 0.0005;  // half of the bucket width of 0.1 %

TEST(LogHistogram, EmptyHasNoQuantile) {
  const LogHistogram empty;
  EXPECT_EQ(empty.count(), 0U);
  EXPECT_TRUE(std::isnan(empty.quantile(0.5)));
  EXPECT_TRUE(std::isnan(empty.mean()));
  EXPECT_TRUE(std::isnan(empty.stddev()));
}

TEST(LogHistogram, MomentsAreExact) {
  LogHistogram h;
  for (const double v : {2.0, 4.0, 4.0, 4.0, 5.0, 5.0, 7.0, 9.0}) h.add(v);
  EXPECT_DOUBLE_EQ(h.mean(), 5.0);
  EXPECT_DOUBLE_EQ(h.stddev(), 2.0);
  EXPECT_EQ(h.min(), 2.0);
  EXPECT_EQ(h.max(), 9.0);
  EXPECT_EQ(h.sum(), 40.0);
}

TEST(LogHistogram, SpreadOfCloseValuesSurvives) {
  LogHistogram h;
  h.add(1e6 + 1e-3);
  h.add(1e6 - 1e-3);
  EXPECT_NEAR(h.stddev(), 1e-3, 1e-9);  // a sum of squares would give 0 or worse
}

TEST(LogHistogram, BucketsAreAtMostATenthOfAPercentWide) {
  // Two values within one bucket share their quantile's middle; values 0.1 % apart never do.
  for (double v = 1e-7; v < 1e5; v *= 1.0371) {
    LogHistogram h;
    h.add(v / 2);
    h.add(v);
    h.add(v * 1.001);
    h.add(v * 2);
    EXPECT_LT(h.quantile(0.5), h.quantile(0.75)) << v;
    EXPECT_NEAR(h.quantile(0.5) / v, 1.0, quantile_error_max) << v;
  }
}

TEST(LogHistogram, QuantilesMatchTheOrderStatistics) {
  const RandomStream stream(3, "latencies");
  LogHistogram h;
  std::vector<double> values;
  for (std::uint64_t i = 0; i < 20'000; ++i) {
    values.push_back(std::exp(2.0 * stream.normal({i})) * 1e-3);
    h.add(values.back());
  }
  std::sort(values.begin(), values.end());
  for (const double q : {0.0, 0.001, 0.07, 0.25, 0.5, 0.9, 0.99, 0.999, 1.0}) {
    const auto rank = static_cast<std::size_t>(std::max(std::lround(std::ceil(q * 20'000)), 1L));
    EXPECT_NEAR(h.quantile(q) / values[rank - 1], 1.0, quantile_error_max) << q;
  }
  EXPECT_EQ(h.quantile(0.0), values.front());
  EXPECT_EQ(h.quantile(1.0), values.back());
}

TEST(LogHistogram, RankIsNotMovedByRounding) {
  LogHistogram h;
  for (int i = 1; i <= 100; ++i) h.add(i);
  EXPECT_NEAR(h.quantile(0.07), 7.0, 7.0 * quantile_error_max);  // 0.07 * 100 > 7 in doubles
  EXPECT_NEAR(h.quantile(0.5), 50.0, 50.0 * quantile_error_max);
}

TEST(LogHistogram, WeightIsRepetition) {
  LogHistogram weighted;
  LogHistogram repeated;
  for (const double v : {0.0, 0.02, 3.5, 0.02, 7.0}) {
    weighted.add(v, 5);
    for (int i = 0; i < 5; ++i) repeated.add(v);
  }
  EXPECT_EQ(weighted.count(), repeated.count());
  EXPECT_NEAR(weighted.stddev(), repeated.stddev(), 1e-12);
  for (const double q : {0.0, 0.1, 0.2, 0.21, 0.6, 0.9, 1.0}) EXPECT_EQ(weighted.quantile(q), repeated.quantile(q));
}

TEST(LogHistogram, ZeroHasItsOwnBucket) {
  LogHistogram h;
  h.add(0.0, 3);
  h.add(1.0);
  EXPECT_EQ(h.quantile(0.5), 0.0);
  EXPECT_EQ(h.quantile(0.75), 0.0);
  EXPECT_EQ(h.quantile(1.0), 1.0);
}

TEST(LogHistogram, MergeEqualsAddingEverything) {
  const RandomStream stream(4, "merge");
  LogHistogram all;
  LogHistogram low;
  LogHistogram high;
  for (std::uint64_t i = 0; i < 4000; ++i) {
    const double v = stream.exponential({i}) * (i % 2 == 0 ? 1e-4 : 10.0);
    all.add(v);
    (i % 2 == 0 ? low : high).add(v);
  }
  LogHistogram merged = high;  // grows downwards
  merged.merge(low);
  merged.merge(LogHistogram());
  LogHistogram into_empty;
  into_empty.merge(all);
  EXPECT_EQ(merged.count(), all.count());
  EXPECT_NEAR(merged.mean(), all.mean(), 1e-12 * all.mean());
  EXPECT_NEAR(merged.stddev(), all.stddev(), 1e-12 * all.stddev());
  for (int i = 0; i <= 100; ++i) {
    EXPECT_EQ(merged.quantile(i / 100.0), all.quantile(i / 100.0));
    EXPECT_EQ(into_empty.quantile(i / 100.0), all.quantile(i / 100.0));
  }
}

TEST(LogHistogram, HoldsTheWholeRangeOfDoubles) {
  LogHistogram h;
  for (const double v : {1e308, 5e-324, 1.0, 1e-300, 1e300}) h.add(v);
  EXPECT_NEAR(h.quantile(0.4) / 1e-300, 1.0, quantile_error_max);
  EXPECT_NEAR(h.quantile(0.6), 1.0, quantile_error_max);
  EXPECT_NEAR(h.quantile(0.8) / 1e300, 1.0, quantile_error_max);
  EXPECT_EQ(h.quantile(1.0), 1e308);
}

TEST(Samples, QuantilesAreNumpysLinear) {
  Samples s;
  for (const double v : {0.3, 0.1, 0.7, 0.2, 1.1, 0.9, 0.4}) s.add(v);
  // numpy.percentile(a, p), numpy 2.4
  EXPECT_EQ(s.quantile(0.0), 0.1);
  EXPECT_EQ(s.quantile(0.1), 0.16000000000000003);
  EXPECT_EQ(s.quantile(0.5), 0.4);
  EXPECT_EQ(s.quantile(0.9), 0.9800000000000001);
  EXPECT_EQ(s.quantile(0.95), 1.04);
  EXPECT_EQ(s.quantile(0.99), 1.088);
  EXPECT_EQ(s.quantile(1.0), 1.1);
  EXPECT_EQ(s.method(), "exact_linear");
}

TEST(Samples, AddingAfterAskingSortsAgain) {
  Samples s;
  s.add(3.0);
  s.add(1.0);
  EXPECT_EQ(s.quantile(0.5), 2.0);
  s.add(0.0);
  EXPECT_EQ(s.quantile(0.5), 1.0);
  EXPECT_EQ(s.min(), 0.0);
  EXPECT_EQ(s.max(), 3.0);
  EXPECT_EQ(s.count(), 3U);
}

TEST(Samples, EmptyAndSingle) {
  Samples s;
  EXPECT_TRUE(std::isnan(s.quantile(0.5)));
  s.add(2.5);
  for (const double q : {0.0, 0.37, 1.0}) EXPECT_EQ(s.quantile(q), 2.5);
}

TEST(Samples, TurnsToTheHistogramAboveItsLimit) {
  Samples s;
  for (std::size_t i = 1; i <= Samples::exact_max; ++i) s.add(static_cast<double>(i));
  EXPECT_EQ(s.method(), "exact_linear");
  EXPECT_DOUBLE_EQ(s.quantile(0.5), 500'000.5);
  s.add(1'000'001.0);
  EXPECT_EQ(s.method(), "log_histogram_0.1pct");
  EXPECT_EQ(s.count(), Samples::exact_max + 1);
  for (const double q : {0.01, 0.5, 0.99}) EXPECT_NEAR(s.quantile(q) / (q * 1e6), 1.0, quantile_error_max + 1e-5);
}

}  // namespace
}  // namespace brink
