#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "support.h"

namespace brink::workload {
namespace {

using testing::draw;
using testing::Folder;

const std::string fixed_lengths = R"("input_tokens": {"kind": "fixed", "value": 100},
                                     "output_tokens": {"kind": "fixed", "value": 10})";

std::string open(const std::string& arrivals, const std::string& end = R"("num_requests": 20000)",
                 const std::string& lengths = fixed_lengths) {
  return R"({"arrivals": {)" + arrivals + "}, " + lengths + (end.empty() ? "" : ", " + end) + "}";
}

struct Moments {
  double mean, cv2;  // cv2: variance over mean squared
};

Moments gaps_of(const std::vector<Request>& requests) {
  double sum = 0.0, squares = 0.0, before = 0.0;
  for (const Request& r : requests) {
    const double gap = r.arrival.value() - before;
    before = r.arrival.value();
    sum += gap;
    squares += gap * gap;
  }
  const auto n = static_cast<double>(requests.size());
  const double mean = sum / n;
  return {mean, (squares / n - mean * mean) / (mean * mean)};
}

// With n = 20,000 gaps the mean of gaps of shape k has a standard error of 1/sqrt(k n): at most
// 1.4 % at k = 0.25 and 0.7 % at k = 1. Limits are five standard errors: each assertion fails
// falsely with odds below 1e-6 over the choice of seed; with this fixed seed it cannot.
TEST(Arrivals, PoissonMoments) {
  const Moments m = gaps_of(draw(open(R"("kind": "poisson", "rate_per_s": 4)")));
  EXPECT_NEAR(m.mean, 0.25, 0.25 * 0.036);
  EXPECT_NEAR(m.cv2, 1.0, 5 * std::sqrt(8.0 / 20'000));  // variance of the sample cv^2 of exponentials is near 8/n
}

TEST(Arrivals, GammaBurstinessIsTheShape) {
  for (const double shape : {0.25, 0.5, 2.0, 8.0}) {
    const Moments m =
        gaps_of(draw(open(R"("kind": "gamma", "rate_per_s": 4, "burstiness": )" + std::to_string(shape))));
    EXPECT_NEAR(m.mean, 0.25, 0.25 * 5 / std::sqrt(shape * 20'000)) << shape;
    EXPECT_NEAR(m.cv2, 1 / shape, 0.12 / shape) << shape;
  }
}

TEST(Arrivals, GammaOfShapeOneIsNotBurstierThanPoisson) {
  const Moments m = gaps_of(draw(open(R"("kind": "gamma", "rate_per_s": 4)")));
  EXPECT_NEAR(m.mean, 0.25, 0.25 * 0.036);
  EXPECT_NEAR(m.cv2, 1.0, 0.1);
}

TEST(Arrivals, WeibullMoments) {
  for (const double shape : {0.7, 2.0}) {
    const Moments m =
        gaps_of(draw(open(R"("kind": "weibull", "rate_per_s": 4, "burstiness": )" + std::to_string(shape))));
    const double g1 = std::tgamma(1 + 1 / shape), g2 = std::tgamma(1 + 2 / shape);
    const double cv2 = g2 / (g1 * g1) - 1;
    EXPECT_NEAR(m.mean, 0.25, 0.25 * 5 * std::sqrt(cv2 / 20'000)) << shape;
    EXPECT_NEAR(m.cv2, cv2, 0.12 * cv2) << shape;
  }
}

TEST(Arrivals, ConstantIsEvenAndStartsAtZero) {
  const auto requests = draw(open(R"("kind": "constant", "rate_per_s": 8)", R"("duration_s": 10)"));
  ASSERT_EQ(requests.size(), 80U);
  for (std::size_t i = 0; i < requests.size(); ++i) {
    EXPECT_EQ(requests[i].arrival.value(), static_cast<double>(i) / 8.0);
  }
}

TEST(Arrivals, DurationEndsThem) {
  const auto requests = draw(open(R"("kind": "poisson", "rate_per_s": 50)", R"("duration_s": 100)"));
  EXPECT_LT(requests.back().arrival.value(), 100.0);
  EXPECT_NEAR(static_cast<double>(requests.size()), 5000.0, 5 * std::sqrt(5000.0));  // Poisson count; odds < 1e-6
  EXPECT_TRUE(std::is_sorted(requests.begin(), requests.end(),
                             [](const Request& a, const Request& b) { return a.arrival < b.arrival; }));
}

TEST(Arrivals, RateScaleScalesTheRateAndNothingElse) {
  const std::string base = R"("kind": "gamma", "rate_per_s": 2, "burstiness": 0.5)";
  const auto slow = draw(open(base, R"("num_requests": 1000)"));
  const auto fast = draw(open(base, R"("num_requests": 1000, "rate_scale": 4)"));
  for (std::size_t i = 0; i < 1000; ++i) {
    EXPECT_DOUBLE_EQ(slow[i].arrival.value(), 4.0 * fast[i].arrival.value());
  }
}

TEST(Stages, ConstantArrivalsAreCountedExactly) {
  const auto requests = draw(open(R"("kind": "constant", "stages": [{"duration_s": 10, "rate_per_s": 2},
      {"duration_s": 5, "rate_per_s": 0}, {"duration_s": 10, "rate_per_s": 8}])",
                                  ""));
  ASSERT_EQ(requests.size(), 100U);
  EXPECT_DOUBLE_EQ(requests[19].arrival.value(), 9.5);
  EXPECT_DOUBLE_EQ(requests[20].arrival.value(), 15.0);
  EXPECT_DOUBLE_EQ(requests[99].arrival.value(), 24.875);
}

// Counts of a renewal process in a long stage have a variance near mean/shape. Five standard
// deviations: odds below 1e-6 a stage over the choice of seed.
TEST(Stages, EachHasItsRateForEveryKind) {
  const std::string stages =
      R"(, "stages": [{"duration_s": 500, "rate_per_s": 4}, {"duration_s": 250, "rate_per_s": 20}])";
  for (const std::string kind : {"poisson", "gamma", "weibull", "constant"}) {
    const std::string shape = kind == "gamma" || kind == "weibull" ? R"(, "burstiness": 0.8)" : "";
    const auto requests = draw(open("\"kind\": \"" + kind + "\"" + shape + stages, ""));
    const auto first =
        std::count_if(requests.begin(), requests.end(), [](const Request& r) { return r.arrival < Seconds(500.0); });
    const auto second = static_cast<std::ptrdiff_t>(requests.size()) - first;
    // Weibull of shape 0.8 has a squared coefficient of variation of 1.59.
    EXPECT_NEAR(static_cast<double>(first), 2000.0, 5 * std::sqrt(1.6 * 2000.0)) << kind;
    EXPECT_NEAR(static_cast<double>(second), 5000.0, 5 * std::sqrt(1.6 * 5000.0)) << kind;
    EXPECT_LT(requests.back().arrival.value(), 750.0) << kind;
  }
}

TEST(Stages, MayBeCutShortByANumberOfRequests) {
  EXPECT_EQ(
      draw(open(R"("kind": "poisson", "stages": [{"duration_s": 1000, "rate_per_s": 4}])", R"("num_requests": 7)"))
          .size(),
      7U);
}

TEST(ClosedLoop, WantsEverythingAtOnceUnderItsConcurrency) {
  Workload workload = testing::make(open(R"("kind": "closed_loop", "concurrency": 16)", R"("num_requests": 50)"));
  EXPECT_EQ(workload.max_in_flight, 16);
  EXPECT_FALSE(workload.stop_sending_at.has_value());
  EXPECT_FALSE(workload.nominal_rate_per_s.has_value());
  EXPECT_EQ(workload.source->size_hint(), 50);
  const auto requests = testing::take(workload);
  EXPECT_EQ(requests.size(), 50U);
  EXPECT_EQ(requests.back().arrival, Seconds(0.0));
}

TEST(ClosedLoop, ByDurationNeverRunsDry) {
  Workload workload = testing::make(open(R"("kind": "closed_loop", "concurrency": 4)", R"("duration_s": 30)"));
  EXPECT_EQ(workload.stop_sending_at, Seconds(30.0));
  EXPECT_EQ(testing::take(workload, 100'000).size(), 100'000U);
}

TEST(Workload, SaysItsNominalLoad) {
  Workload workload = testing::make(open(R"("kind": "gamma", "rate_per_s": 3, "burstiness": 0.5)",
                                         R"("num_requests": 1, "max_in_flight": 9, "rate_scale": 2)"));
  EXPECT_EQ(workload.nominal_rate_per_s, 6.0);
  EXPECT_EQ(workload.burstiness, 0.5);
  EXPECT_EQ(workload.max_in_flight, 9);
  workload = testing::make(open(
      R"("kind": "poisson", "stages": [{"duration_s": 1, "rate_per_s": 2}, {"duration_s": 3, "rate_per_s": 6}])", ""));
  EXPECT_DOUBLE_EQ(*workload.nominal_rate_per_s, 5.0);
}

std::vector<std::int64_t> inputs(const std::string& length, int count = 20'000) {
  std::vector<std::int64_t> out;
  for (const Request& r :
       draw(open(R"("kind": "constant", "rate_per_s": 1)", R"("num_requests": )" + std::to_string(count),
                 "\"input_tokens\": " + length + R"(, "output_tokens": {"kind": "fixed", "value": 1})"))) {
    out.push_back(r.input_tokens);
  }
  return out;
}

TEST(Lengths, UniformCoversBothEndsEvenly) {
  std::map<std::int64_t, int> counts;
  for (const auto n : inputs(R"({"kind": "uniform", "low": 3, "high": 7})")) ++counts[n];
  ASSERT_EQ(counts.size(), 5U);
  EXPECT_EQ(counts.begin()->first, 3);
  EXPECT_EQ(counts.rbegin()->first, 7);
  // 4000 expected, standard deviation 57; five of them.
  for (const auto& [value, count] : counts) EXPECT_NEAR(count, 4000, 285) << value;
}

TEST(Lengths, ChoiceFollowsItsWeights) {
  std::map<std::int64_t, int> counts;
  for (const auto n : inputs(R"({"kind": "choice", "values": [10, 20, 30], "weights": [1, 0, 3]})")) ++counts[n];
  EXPECT_EQ(counts.count(20), 0U);
  EXPECT_NEAR(counts[10], 5000, 5 * 61);  // binomial, standard deviation 61
  EXPECT_NEAR(counts[30], 15000, 5 * 61);
}

TEST(Lengths, LognormalHasItsMedianSpreadAndCap) {
  auto lengths = inputs(R"({"kind": "lognormal", "median": 500, "sigma": 0.8, "max": 2000})");
  std::sort(lengths.begin(), lengths.end());
  // Standard error of a sample median: 1.2533 * sigma / sqrt(n) in the logarithm = 0.71 %; five of them.
  EXPECT_NEAR(static_cast<double>(lengths[10'000]), 500.0, 500 * 0.036);
  EXPECT_NEAR(static_cast<double>(lengths[16'827]), 500.0 * std::exp(0.8), 500 * std::exp(0.8) * 0.05);  // +1 sigma
  EXPECT_EQ(lengths.back(), 2000);
  // P(Z > ln(4)/0.8) = 4.16 %.
  const auto capped = std::count(lengths.begin(), lengths.end(), 2000);
  EXPECT_NEAR(static_cast<double>(capped), 832.0, 5 * 28.3);
  EXPECT_GE(lengths.front(), 1);
}

TEST(Lengths, LognormalIsNeverBelowOneToken) {
  const auto lengths = inputs(R"({"kind": "lognormal", "median": 1, "sigma": 3})");
  EXPECT_EQ(*std::min_element(lengths.begin(), lengths.end()), 1);
}

TEST(Lengths, MixtureFollowsItsWeights) {
  std::map<std::int64_t, int> counts;
  for (const auto n : inputs(R"({"kind": "mixture", "components": [
        {"weight": 0.2, "length": {"kind": "fixed", "value": 5}},
        {"weight": 0.8, "length": {"kind": "uniform", "low": 10, "high": 11}}]})"))
    ++counts[n];
  EXPECT_NEAR(counts[5], 4000, 5 * 57);
  EXPECT_NEAR(counts[10], 8000, 5 * 70);
  EXPECT_NEAR(counts[11], 8000, 5 * 70);
}

TEST(Lengths, EmpiricalPairsRowsOfOneFile) {
  Folder folder;
  folder.write("l.csv", "output_tokens,other,input_tokens\n1,x,10\n2,x,20\n3,x,30\n");
  folder.write("m.csv", "input_tokens,output_tokens\n10,1\n20,2\n30,3\n");
  const auto lengths = [&](const std::string& a, const std::string& b) {
    return open(R"("kind": "poisson", "rate_per_s": 1)", R"("num_requests": 3000)",
                R"("input_tokens": {"kind": "empirical", "path": ")" + a +
                    R"("}, "output_tokens": {"kind": "empirical", "path": ")" + b + "\"}");
  };
  std::map<std::int64_t, int> joint;
  for (const Request& r : draw(lengths("l.csv", "./l.csv"), folder.path())) {
    EXPECT_EQ(r.input_tokens, 10 * r.output_tokens);
    ++joint[r.output_tokens];
  }
  for (const auto& [value, count] : joint) EXPECT_NEAR(count, 1000, 5 * 26) << value;
  int paired = 0;
  for (const Request& r : draw(lengths("l.csv", "m.csv"), folder.path()))
    paired += r.input_tokens == 10 * r.output_tokens;
  EXPECT_NEAR(paired, 1000, 5 * 26);  // independent: one in three by chance
}

TEST(Streams, LengthsAndArrivalsDoNotTouchEachOther) {
  const std::string arrivals = R"("kind": "poisson", "rate_per_s": 4)";
  const std::string other_lengths = R"("input_tokens": {"kind": "lognormal", "median": 9, "sigma": 1},
                                       "output_tokens": {"kind": "uniform", "low": 1, "high": 9})";
  const auto a = draw(open(arrivals, R"("num_requests": 500)"));
  const auto b = draw(open(arrivals, R"("num_requests": 500)", other_lengths));
  const auto c =
      draw(open(R"("kind": "gamma", "rate_per_s": 1, "burstiness": 3)", R"("num_requests": 400)", other_lengths));
  for (std::size_t i = 0; i < 400; ++i) {
    EXPECT_EQ(a[i].arrival, b[i].arrival);
    EXPECT_EQ(b[i].input_tokens, c[i].input_tokens);
    EXPECT_EQ(b[i].output_tokens, c[i].output_tokens);
  }
}

TEST(Streams, SameSeedSameRequestsOtherSeedOthers) {
  const std::string text = open(R"("kind": "poisson", "rate_per_s": 4)", R"("num_requests": 50)");
  const auto a = draw(text), b = draw(text), c = draw(text, ".", 2);
  int equal = 0;
  for (std::size_t i = 0; i < 50; ++i) {
    EXPECT_EQ(a[i].arrival, b[i].arrival);
    equal += a[i].arrival == c[i].arrival;
  }
  EXPECT_EQ(equal, 0);
}

TEST(Workload, ComesFromAFileThatMayNameOthers) {
  Folder folder;
  std::filesystem::create_directories(folder.path("w"));
  folder.write("w/trace.csv", "arrival_s,input_tokens,output_tokens\n1,2,3\n");
  folder.write("w/w.json", R"({"schema_version": 1, "name": "n", "source": "s", "provenance": {"a": 1},
                               "trace": {"format": "plain", "path": "trace.csv"}})");
  EXPECT_EQ(draw("\"w/w.json\"", folder.path()).size(), 1U);
}

}  // namespace
}  // namespace brink::workload
