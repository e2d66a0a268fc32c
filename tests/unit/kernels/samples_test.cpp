#include "kernels/runner/samples.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

namespace brink::kernels {
namespace {

TEST(KernelSamples, MedianMinimumAndNinetiethPercentile) {
  const SampleSummary odd = summarize({5, 1, 3, 2, 4});
  EXPECT_EQ(odd.median_s, 3);
  EXPECT_EQ(odd.min_s, 1);
  EXPECT_EQ(odd.p90_s, 5);
  EXPECT_EQ(summarize({1, 2, 3, 10}).median_s, 2.5);
  std::vector<double> hundred;
  for (int i = 1; i <= 100; ++i) hundred.push_back(i);
  EXPECT_EQ(summarize(hundred).p90_s, 90);
}

TEST(KernelSamples, FewSamplesAreNotTrusted) {
  EXPECT_EQ(summarize({}).repeats, 0);
  EXPECT_EQ(summarize({1, 1, 1, 1}).noise, 1);
  EXPECT_EQ(summarize({1, 1, 1, 1, 1}).noise, 0);
}

// The median of n normal samples has a standard error of 1.2533 sigma / sqrt(n). The mean of 300
// estimates has a relative spread of some 2 %, so 15 % is never passed by chance.
TEST(KernelSamples, NoiseIsTheStandardErrorOfTheMedian) {
  std::mt19937_64 random(7);
  std::normal_distribution<double> normal(100, 2);
  constexpr int n = 101;
  double sum = 0;
  for (int round = 0; round < 300; ++round) {
    std::vector<double> samples(n);
    for (double& x : samples) x = normal(random);
    sum += summarize(samples).noise * 100;
  }
  const double expected = 1.2533 * 2 / std::sqrt(n);
  EXPECT_NEAR(sum / 300, expected, 0.15 * expected);
}

TEST(KernelSamples, OutliersDoNotMoveIt) {
  std::vector<double> samples(50, 1.0);
  samples[3] = 100;
  samples[30] = 50;
  const SampleSummary s = summarize(samples);
  EXPECT_EQ(s.median_s, 1);
  EXPECT_EQ(s.noise, 0);
}

TEST(KernelSamples, StopsWhenQuietOrAtALimit) {
  const StopRule rule{0.005, 11, 100, 0.4};
  SampleSummary s;
  s.repeats = 11;
  s.noise = 0.005;
  EXPECT_TRUE(settled(s, rule, 0));
  s.noise = 0.0051;
  EXPECT_FALSE(settled(s, rule, 0.39));
  EXPECT_TRUE(settled(s, rule, 0.4));
  s.repeats = 10;
  s.noise = 0;
  EXPECT_FALSE(settled(s, rule, 0.1));
  s.repeats = 4;
  EXPECT_FALSE(settled(s, rule, 10));  // five give a median with a spread
  s.repeats = 100;
  s.noise = 1;
  EXPECT_TRUE(settled(s, rule, 0));
}

TEST(KernelSamples, BatchFillsASample) {
  EXPECT_EQ(batch_for(1e-6, 300e-6, 256), 256);
  EXPECT_EQ(batch_for(2e-6, 300e-6, 256), 150);
  EXPECT_EQ(batch_for(1e-3, 300e-6, 256), 1);
  EXPECT_EQ(batch_for(0, 300e-6, 256), 256);
  EXPECT_THROW(batch_for(1, 1, 0), std::invalid_argument);
}

TEST(KernelSamples, LogGridHasBothEndsAndNoRepeats) {
  EXPECT_EQ(log_grid(1, 16, 1), (std::vector<long long>{1, 2, 4, 8, 16}));
  EXPECT_EQ(log_grid(4, 20, 1, 4), (std::vector<long long>{4, 8, 16, 20}));
  EXPECT_EQ(log_grid(3, 3, 4), (std::vector<long long>{3}));
  const std::vector<long long> fine = log_grid(1, 1000, 8);
  for (std::size_t i = 1; i < fine.size(); ++i) EXPECT_GT(fine[i], fine[i - 1]);
  EXPECT_EQ(fine.front(), 1);
  EXPECT_EQ(fine.back(), 1000);
  for (const long long x : log_grid(100, 5000, 3, 64)) EXPECT_EQ(x % 64, 0);
  EXPECT_THROW(log_grid(0, 5, 1), std::invalid_argument);
  EXPECT_THROW(log_grid(5, 4, 1), std::invalid_argument);
}

}  // namespace
}  // namespace brink::kernels
