// The shipped chat workload against the trace it was fitted to.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "support.h"

namespace brink::workload {
namespace {

const std::string shipped = std::string("\"") + BRINK_SOURCE_DIR + "/configs/workloads/azure_chat.json\"";

std::vector<double> sorted(const std::vector<Request>& requests, std::int64_t Request::*field) {
  std::vector<double> out;
  for (const Request& r : requests) out.push_back(static_cast<double>(r.*field));
  std::sort(out.begin(), out.end());
  return out;
}

double mean(const std::vector<double>& values) {
  double sum = 0.0;
  for (const double v : values) sum += v;
  return sum / static_cast<double>(values.size());
}

/// Two-sample Kolmogorov-Smirnov distance of sorted samples with ties.
double ks(const std::vector<double>& a, const std::vector<double>& b) {
  double worst = 0.0;
  for (const std::vector<double>* points : {&a, &b}) {
    for (const double x : *points) {
      const auto below = [x](const std::vector<double>& v) {
        return static_cast<double>(std::upper_bound(v.begin(), v.end(), x) - v.begin()) / static_cast<double>(v.size());
      };
      worst = std::max(worst, std::abs(below(a) - below(b)));
    }
  }
  return worst;
}

TEST(AzureChat, HasTheRequestsItWasFittedTo) {
  const auto requests = testing::draw(shipped);
  EXPECT_NEAR(static_cast<double>(requests.size()), 10'108.0, 5 * std::sqrt(10'108.0));  // Poisson count, odds < 1e-6
  EXPECT_LT(requests.back().arrival.value(), 1799.91);
}

TEST(AzureChat, LengthsMatchTheTrace) {
  const char* root = std::getenv("BRINK_SHARED_DATA");
  const std::string path = (root ? std::string(root) : std::string(BRINK_SOURCE_DIR) + "/../shared/data") +
                           "/traces/azure_llm_2023_conv_first30min.csv";
  if (!std::filesystem::exists(path)) GTEST_SKIP() << "needs " << path;
  const auto measured = testing::draw(R"({"trace": {"format": "azure-llm", "path": ")" + path + "\"}}");
  const auto drawn = testing::draw(shipped);
  // Distance of the fit (0.047 and 0.020) plus the noise of two samples of 10,000: 0.0275 at odds of 1e-3.
  EXPECT_LT(ks(sorted(measured, &Request::input_tokens), sorted(drawn, &Request::input_tokens)), 0.075);
  EXPECT_LT(ks(sorted(measured, &Request::output_tokens), sorted(drawn, &Request::output_tokens)), 0.048);
  // Standard errors of the means are 0.95 % and 0.8 %: five of them.
  EXPECT_NEAR(mean(sorted(drawn, &Request::input_tokens)), 1243.25, 0.05 * 1243.25);
  EXPECT_NEAR(mean(sorted(drawn, &Request::output_tokens)), 217.35, 0.04 * 217.35);
}

}  // namespace
}  // namespace brink::workload
