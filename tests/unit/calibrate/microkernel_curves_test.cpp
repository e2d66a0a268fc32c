// Curves drawn from known parameters with 1 % noise: the fits find them within the tolerance stated.
#include <cmath>
#include <random>

#include <gtest/gtest.h>

#include "calibrate/microkernel/least_squares.h"
#include "calibrate/microkernel/memory_fit.h"
#include "models/base/error.h"
#include "synthetic_results.h"

namespace brink::calibrate {
namespace {

constexpr double kNoise = 0.01;

/// y(x) with noise, over `count` points evenly spaced in the logarithm.
Curve drawn(double from, double to, int count, const Predictor& y, std::uint64_t seed = 3) {
  std::mt19937_64 generator(seed);
  std::normal_distribution<double> normal;
  Curve points;
  for (int i = 0; i < count; ++i) {
    const double x = from * std::pow(to / from, i / double(count - 1));
    points.push_back({x, y(x) * std::exp(kNoise * normal(generator))});
  }
  return points;
}

void expect_near_ratio(double got, double want, double tolerance, const char* what) { EXPECT_NEAR(got / want, 1.0, tolerance) << what; }

TEST(LeastSquares, FindsAParabolaAndStopsAtBounds) {
  const std::vector<double> x{-2, -1, 0, 1, 2, 3};
  const auto residuals = [&](const std::vector<double>& v) {
    std::vector<double> r;
    for (const double t : x) r.push_back(v[0] + v[1] * t + v[2] * t * t - (1.5 - 2.0 * t + 0.5 * t * t));
    return r;
  };
  const auto free = least_squares({{"a", 0, -10, 10}, {"b", 0, -10, 10}, {"c", 0.1, 1e-3, 10}}, residuals);
  EXPECT_NEAR(free.values[0], 1.5, 1e-4);
  EXPECT_NEAR(free.values[1], -2.0, 1e-4);
  EXPECT_NEAR(free.values[2], 0.5, 1e-4);
  EXPECT_TRUE(free.at_bound.empty());
  const auto bounded = least_squares({{"a", 0, -10, 10}, {"b", 0, -1, 10}, {"c", 0.1, 1e-3, 10}}, residuals);
  EXPECT_DOUBLE_EQ(bounded.values[1], -1.0);
  EXPECT_EQ(bounded.at_bound, std::vector<std::string>{"b"});
}

TEST(LeastSquares, OneOddPointDoesNotBendALine) {
  const auto residuals = [](const std::vector<double>& v) {
    std::vector<double> r;
    for (int i = 0; i < 20; ++i) r.push_back(v[0] - (i == 7 ? 3.0 : 1.0));
    return r;
  };
  EXPECT_NEAR(least_squares({{"level", 2.0, 0.0, 10.0}}, residuals).values[0], 1.0, 0.01);  // the mean is 1.1
}

TEST(LeastSquares, FewerPointsThanParametersIsAnError) {
  EXPECT_THROW((void)least_squares({{"a", 1, 0, 2}, {"b", 1, 0, 2}}, [](const std::vector<double>&) { return std::vector<double>{0.0}; }), Error);
}

TEST(MemoryFit, FindsATransfer) {
  const cost::TransferCurve truth{"copy", Seconds(2.6e-6), BytesPerSecond(2.81e12), 1.4, {}};
  const auto fitted = fit_transfer("copy", drawn(262144, 4e9, 15, [&](double x) { return truth.time(Bytes(x)).value(); }), BytesPerSecond(3.35e12));
  expect_near_ratio(fitted.rate.value(), truth.rate.value(), 0.02, "rate");
  expect_near_ratio(fitted.latency.value(), truth.latency.value(), 0.08, "latency");
  EXPECT_DOUBLE_EQ(fitted.bytes.low, 262144);
}

TEST(MemoryFit, ARateStaysBelowTheDataSheet) {
  const auto fitted = fit_transfer("read", drawn(1e6, 4e9, 12, [](double x) { return 1e-6 + x / 4e12; }), BytesPerSecond(3.35e12));
  EXPECT_LE(fitted.rate.value(), 3.35e12 * (1 + 1e-9));
}

TEST(MemoryFit, FindsAGather) {
  const cost::GatherCurve truth{"g", BytesPerSecond(2.9e12), Bytes(420.0), {}};
  const auto fitted = fit_gather("g", drawn(512, 262144, 10, [&](double x) { return truth.rate_of(Bytes(x)).value(); }), BytesPerSecond(3.35e12));
  expect_near_ratio(fitted.rate.value(), 2.9e12, 0.02, "rate");
  expect_near_ratio(fitted.half_block.value(), 420.0, 0.1, "half block");
  EXPECT_NEAR(fitted.rate_of(fitted.half_block).value() / fitted.rate.value(), 0.5, 1e-12);
}

TEST(MemoryFit, FindsTheKneeAndTheDistances) {
  const cost::CacheKnee truth = synthetic::Truth{}.l2;
  const auto rates = drawn(2e6, 270e6, 28, [&](double x) { return truth.rate_of(Bytes(x)).value(); });
  const auto latencies = drawn(2e6, 270e6, 28, [&](double x) { return truth.latency_of(Bytes(x)).value(); }, 4);
  const auto fitted = fit_knee(rates, latencies, Bytes(52428800));
  expect_near_ratio(fitted.capacity.value(), truth.capacity.value(), 0.04, "capacity");
  expect_near_ratio(fitted.cache_rate.value(), truth.cache_rate.value(), 0.02, "L2 rate");
  expect_near_ratio(fitted.memory_rate.value(), truth.memory_rate.value(), 0.02, "memory rate");
  expect_near_ratio(fitted.near.value(), truth.near.value(), 0.03, "near");
  expect_near_ratio(fitted.far.value(), truth.far.value(), 0.06, "far");
  expect_near_ratio(fitted.memory.value(), truth.memory.value(), 0.03, "memory");
  EXPECT_LE(fitted.near, fitted.far);
  EXPECT_LE(fitted.far, fitted.memory);
}

TEST(MemoryFit, StatesACliffOnlyWhereThereIsOne) {
  const auto flat = fit_reach(drawn(3e7, 7e10, 23, [](double) { return 255e-9; }));
  EXPECT_FALSE(flat.reach.has_value());
  EXPECT_DOUBLE_EQ(flat.penalty_at(Bytes(1e12)).value(), 0.0);
  EXPECT_NEAR(flat.base.value() / 255e-9, 1.0, 0.01);
  EXPECT_DOUBLE_EQ(flat.measured.high, 7e10);

  cost::TranslationReach truth;
  truth.reach = Bytes(4e9);
  truth.penalty = Seconds(310e-9);
  const auto cliff = fit_reach(drawn(3e7, 7e10, 23, [&](double x) { return 255e-9 + truth.penalty_at(Bytes(x)).value(); }));
  ASSERT_TRUE(cliff.reach.has_value());
  expect_near_ratio(cliff.reach->value(), 4e9, 0.05, "reach");
  expect_near_ratio(cliff.penalty.value(), 310e-9, 0.05, "penalty");
  expect_near_ratio(cliff.base.value(), 255e-9, 0.02, "base");
}

TEST(MemoryFit, TooFewPointsIsAnError) { EXPECT_THROW((void)fit_transfer("copy", {{1e6, 1e-6}, {2e6, 2e-6}}, BytesPerSecond(3e12)), Error); }

TEST(CompareCurve, HoldsOutEveryPointOnce) {
  std::vector<ValidationRow> rows;
  const Curve points = drawn(1, 1024, 12, [](double x) { return x; });
  compare_curve("g", "latency_us", 1e-6, points, [](const Curve&) -> Predictor { return [](double x) { return x; }; }, rows);
  EXPECT_EQ(std::count_if(rows.begin(), rows.end(), [](const auto& row) { return row.held_out; }), 12);
  EXPECT_EQ(rows.size(), 24U);
  rows.clear();
  compare_curve("g", "latency_us", 1e-6, {points.begin(), points.begin() + 4}, [](const Curve&) -> Predictor { return [](double x) { return x; }; }, rows);
  EXPECT_EQ(rows.size(), 4U);  // too few to leave any out
}

}  // namespace
}  // namespace brink::calibrate
