// What isolation and confidential computing cost, and what they change about plans and regimes.
#include <gtest/gtest.h>

#include <map>
#include <set>

#include "tests/support/shipped_run.h"

namespace brink::test {
namespace {

ShippedRun secured(const std::string& security, ShippedRun::Settings settings = {}) {
  settings.push_back("/security={" + security + "}");
  return ShippedRun("security_tenants", settings);
}

double throughput(const ShippedRun& run) { return run.at("/output_throughput"); }

/// Output tokens of completed requests, by tenant.
std::map<std::int64_t, std::int64_t> answered(const ShippedRun& run) {
  std::map<std::int64_t, std::int64_t> out;
  const Table requests = run.table("requests.csv");
  const std::size_t tenant = requests.column("tenant"), tokens = requests.column("output_tokens");
  for (const Table::Row& row : requests.rows()) out[std::stoll(row[tenant])] += std::stoll(row[tokens]);
  return out;
}

TEST(Security, StrictNeverMixesTenantsInAStep) {
  const ShippedRun run = secured(R"("isolation": "strict")");
  // Every token of a tenant's requests came from a step of that tenant: one that held both would break the sums.
  std::map<std::int64_t, std::int64_t> sent;
  for (const Json& step : run.lines("steps.jsonl")) sent[integer(step, "tenant")] += integer(step, "tokens_out");
  EXPECT_EQ(sent.size(), 2U);
  EXPECT_EQ(sent, answered(run));
}

TEST(Security, StrictCostsThroughputAndSwitchesPlans) {
  const ShippedRun shared = secured(R"("isolation": "shared")"), strict = secured(R"("isolation": "strict")");
  EXPECT_LT(throughput(strict), 0.8 * throughput(shared));
  EXPECT_GT(throughput(strict), 0.4 * throughput(shared)) << "two tenants can at worst halve it";
  EXPECT_GT(strict.at("/plans/switches_per_s"), 2.0 * shared.at("/plans/switches_per_s"));
  EXPECT_GT(strict.at("/regimes/label_share/isolation_strict"), 0.999);
  EXPECT_EQ(shared.at("/regimes/label_share/isolation_strict"), 0.0);
  for (const Json& step : shared.lines("steps.jsonl")) ASSERT_EQ(step.find("tenant"), nullptr);
}

// The cause is tenants that may not mix, not the word in the scenario.
TEST(Security, StrictCostsNothingForOneTenant) {
  const ShippedRun::Settings one = {R"(/workload/tenants={"count": 1})"};
  EXPECT_EQ(throughput(secured(R"("isolation": "strict")", one)), throughput(secured(R"("isolation": "shared")", one)));
}

TEST(Security, ReplicasOfTheirOwn) {
  const ShippedRun shared = secured(R"("isolation": "shared")"), apart = secured(R"("isolation": "replica")");
  const Table requests = apart.table("requests.csv");
  const std::size_t tenant = requests.column("tenant"), replica = requests.column("replica");
  std::map<std::string, std::set<std::string>> served;
  for (const Table::Row& row : requests.rows()) served[row[replica]].insert(row[tenant]);
  EXPECT_EQ(served.size(), 2U);
  for (const auto& [where, whose] : served) EXPECT_EQ(whose.size(), 1U) << "replica " << where;
  EXPECT_LT(throughput(apart), 0.95 * throughput(shared)) << "three quarters of the work on half of the cards";
}

// Measured below 7 % for 8B on one H100 (arXiv 2409.03992), by engines that schedule between steps.
TEST(Security, ConfidentialCostsBelow7Percent) {
  const std::string confidential = R"("confidential": true, "attestation_s": 0)";
  const ShippedRun::Settings between = {"/engine/async_scheduling=false"};
  const double kept = throughput(secured(confidential, between)) / throughput(secured("", between));
  EXPECT_GT(kept, 0.93);
  EXPECT_LT(kept, 0.99) << "and it does cost";
  // Copies hide behind the running step where batches are scheduled ahead.
  EXPECT_GT(throughput(secured(confidential)) / throughput(secured("")), 0.99);
}

TEST(Security, AttestationDelaysTheFirstStep) {
  const ShippedRun::Settings steady = {R"(/workload/arrivals={"kind": "poisson", "rate_per_s": 30})"};
  const ShippedRun run = secured(R"("confidential": true)", steady);
  EXPECT_EQ(integer(*at_pointer(run.summary, "/cascades/by_kind/attestation"), "events"), 2);
  EXPECT_GE(number(run.lines("steps.jsonl").at(0), "start_s"), 10.0);
  EXPECT_GT(run.at("/p99_ttft_ms"), 9e3) << "those who came first wait for it";
  EXPECT_GT(run.at("/regimes/label_share/queue_degraded"), 0.1);
  EXPECT_EQ(secured("", steady).at("/regimes/label_share/queue_degraded"), 0.0);
}

}  // namespace
}  // namespace brink::test
