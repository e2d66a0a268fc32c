// Tenants: their shares, that they leave every other draw alone, and what is refused.
#include "sim/workload/tenants.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "models/base/error.h"
#include "support.h"

namespace brink::workload {
namespace {

std::string poisson(const std::string& extra = {}) {
  return R"({"arrivals": {"kind": "poisson", "rate_per_s": 5}, "num_requests": 20000,
            "input_tokens": {"kind": "lognormal", "median": 300, "sigma": 1},
            "output_tokens": {"kind": "uniform", "low": 1, "high": 99})" + extra + "}";
}

std::vector<double> shares(const std::vector<Request>& requests, std::size_t tenants) {
  std::vector<double> out(tenants, 0.0);
  for (const Request& r : requests) out.at(static_cast<std::size_t>(r.tenant)) += 1.0 / static_cast<double>(requests.size());
  return out;
}

TEST(Tenants, WithoutThemEverybodyIsTenantZero) {
  Workload workload = testing::make(poisson());
  EXPECT_EQ(workload.tenant_shares, (std::vector<double>{1.0}));
  for (const Request& r : testing::take(workload, 100)) EXPECT_EQ(r.tenant, 0);
}

// 20000 draws: five standard deviations of a share of 1/4 are 0.0153.
TEST(Tenants, ACountMeansEqualShares) {
  Workload workload = testing::make(poisson(R"(, "tenants": {"count": 4})"));
  EXPECT_THAT(workload.tenant_shares, ::testing::Each(0.25));
  for (const double share : shares(testing::take(workload), 4)) EXPECT_NEAR(share, 0.25, 0.0153);
}

TEST(Tenants, WeightsAreRelative) {
  Workload workload = testing::make(poisson(R"(, "tenants": {"weights": [6, 3, 1]})"));
  const auto got = shares(testing::take(workload), 3);
  const std::vector<double> wanted = {0.6, 0.3, 0.1};
  for (std::size_t t = 0; t < 3; ++t) {
    EXPECT_DOUBLE_EQ(workload.tenant_shares[t], wanted[t]);
    EXPECT_NEAR(got[t], wanted[t], 5 * std::sqrt(wanted[t] * (1 - wanted[t]) / 20'000));
  }
}

TEST(Tenants, LeaveArrivalsAndLengthsAlone) {
  const auto without = testing::draw(poisson());
  for (const char* tenants : {R"(, "tenants": {"count": 7})", R"(, "tenants": {"weights": [1, 2]})"}) {
    const auto with = testing::draw(poisson(tenants));
    ASSERT_EQ(with.size(), without.size());
    for (std::size_t i = 0; i < with.size(); ++i) {
      EXPECT_EQ(with[i].id, without[i].id);
      EXPECT_EQ(with[i].arrival, without[i].arrival);
      EXPECT_EQ(with[i].input_tokens, without[i].input_tokens);
      EXPECT_EQ(with[i].output_tokens, without[i].output_tokens);
    }
  }
}

TEST(Tenants, DependOnSeedAndNumberAlone) {
  const std::string one = poisson(R"(, "tenants": {"count": 3})");
  const std::string other = R"({"arrivals": {"kind": "constant", "rate_per_s": 9}, "num_requests": 500,
      "input_tokens": {"kind": "fixed", "value": 1}, "output_tokens": {"kind": "fixed", "value": 1}, "tenants": {"count": 3}})";
  const auto a = testing::draw(one), b = testing::draw(other), c = testing::draw(other, ".", 2);
  int different = 0;
  for (std::size_t i = 0; i < b.size(); ++i) {
    EXPECT_EQ(a[i].tenant, b[i].tenant);
    different += b[i].tenant != c[i].tenant ? 1 : 0;
  }
  EXPECT_GT(different, 200) << "another seed draws other tenants";
}

TEST(Tenants, AreDrawnForTracesAndClosedLoops) {
  testing::Folder folder;
  std::string rows = "arrival_s,input_tokens,output_tokens\n";
  for (int i = 0; i < 100; ++i) rows += std::to_string(i) + ",5,5\n";
  folder.write("t.csv", rows);
  const auto trace = testing::draw(R"({"trace": {"format": "plain", "path": "t.csv"}, "tenants": {"count": 2}})", folder.path());
  const auto loop = testing::draw(R"({"arrivals": {"kind": "closed_loop", "concurrency": 4}, "num_requests": 100,
      "input_tokens": {"kind": "fixed", "value": 1}, "output_tokens": {"kind": "fixed", "value": 1}, "tenants": {"count": 2}})");
  ASSERT_EQ(trace.size(), 100U);
  std::int32_t sum = 0;
  for (std::size_t i = 0; i < 100; ++i) {
    EXPECT_EQ(trace[i].tenant, loop[i].tenant);
    sum += trace[i].tenant;
  }
  EXPECT_GT(sum, 20);
  EXPECT_LT(sum, 80);
}

TEST(Tenants, TheSizeIsStillKnown) {
  EXPECT_EQ(testing::make(poisson(R"(, "tenants": {"count": 7})")).source->size_hint(), 20'000);
}

struct Bad {
  const char* tenants;
  const char* pointer;
  const char* got;
  const char* allowed;
};

TEST(Tenants, BadOnesSayWhereAndWhatIsAllowed) {
  const Bad bads[] = {
      {"3", "/tenants", "the integer 3", "an object"},
      {"{}", "/tenants/count", "neither count nor weights", "exactly one"},
      {R"({"count": 2, "weights": [1]})", "/tenants/weights", "both count and weights", "exactly one"},
      {R"({"count": 0})", "/tenants/count", "0", ">= 1 and <= 1e+05 (tenants)"},
      {R"({"count": 100001})", "/tenants/count", "100001", "<= 1e+05"},
      {R"({"count": 1.5})", "/tenants/count", "1.5", "integer"},
      {R"({"cuont": 2, "count": 2})", "/tenants/cuont", "an unknown field", "count"},
      {R"({"weights": 2})", "/tenants/weights", "the integer 2", "an array"},
      {R"({"weights": []})", "/tenants/weights", "0 weights", "1 to 100000"},
      {R"({"weights": [1, 0]})", "/tenants/weights/1", "0", "> 0"},
      {R"({"weights": [1, "a"]})", "/tenants/weights/1", "\"a\"", "a number"},
  };
  for (const Bad& bad : bads) {
    try {
      (void)testing::make(poisson(std::string(R"(, "tenants": )") + bad.tenants));
      ADD_FAILURE() << "accepted: " << bad.tenants;
    } catch (const ConfigError& error) {
      EXPECT_EQ(error.pointer(), std::string("/workload") + bad.pointer) << bad.tenants;
      EXPECT_THAT(error.got(), ::testing::HasSubstr(bad.got)) << bad.tenants;
      EXPECT_THAT(error.allowed(), ::testing::HasSubstr(bad.allowed)) << bad.tenants;
    }
  }
}

}  // namespace
}  // namespace brink::workload
