// A late rank, felt through the whole chain: longer steps, a smaller batch, a longer queue. The last two need a controller.
#include <gtest/gtest.h>

#include "tests/support/sample_interval.h"
#include "tests/support/shipped_run.h"

namespace brink::test {
namespace {

const std::string scenario = "pathology_backpressure";
constexpr double calm_from_s = 12, stall_from_s = 25, last_stall_s = 42.5, stall_until_s = 45;  // bursts of 2.5 s every 5 s
constexpr double stuck_ms = 50;  // the article's limit of a queue's 95th percentile

/// From the last burst until no request waits long any more, for five seconds at least. `long_waits`: when the requests
/// that waited long began to run.
double recovery(std::vector<double> long_waits) {
  constexpr double calm_again_s = 5;
  std::sort(long_waits.begin(), long_waits.end());
  double until = last_stall_s;
  for (const double at : long_waits) {
    if (at > until + calm_again_s) break;
    until = std::max(until, at);
  }
  return until - last_stall_s;
}

/// What happened to replica 1, and to the requests of the whole cluster.
struct Response {
  double calm_batch = 0.0, stalled_batch = 0.0, smallest_batch = 0.0;  // means over a time, over one second
  double calm_p95_ms = 0.0, stalled_p95_ms = 0.0;                      // queue time by when a request was queued
  double recovery_s = 0.0;                                             // recovery(), of all replicas

  [[nodiscard]] double fall() const { return 1.0 - smallest_batch / calm_batch; }
};

Response response(const ShippedRun& run) {
  Response out;
  std::vector<double> calm, stalled, long_waits;
  const Table series = run.table("timeseries.csv");
  const std::size_t second = series.column("t_s"), replica = series.column("replica"), batch = series.column("decode_batch");
  for (const Table::Row& row : series.rows()) {
    const double at = std::stod(row[second]);
    if (row[replica] != "1" || row[batch].empty()) continue;
    if (at >= calm_from_s && at < stall_from_s) calm.push_back(std::stod(row[batch]));
    if (at >= stall_from_s && at < stall_until_s) stalled.push_back(std::stod(row[batch]));
  }
  out.calm_batch = mean(calm);
  out.stalled_batch = mean(stalled);
  out.smallest_batch = *std::min_element(stalled.begin(), stalled.end());
  calm.clear();
  stalled.clear();
  const Table requests = run.table("requests.csv");
  const std::size_t queued = requests.column("queued_s"), scheduled = requests.column("scheduled_s");
  for (const Table::Row& row : requests.rows()) {
    const double at = std::stod(row[queued]), time_ms = 1e3 * (std::stod(row[scheduled]) - at);
    if (at >= calm_from_s && at < stall_from_s) calm.push_back(time_ms);
    if (at >= stall_from_s && at < stall_until_s) stalled.push_back(time_ms);
    if (time_ms > stuck_ms) long_waits.push_back(std::stod(row[scheduled]));
  }
  out.recovery_s = recovery(long_waits);
  out.calm_p95_ms = quantile(calm, 0.95);
  out.stalled_p95_ms = quantile(stalled, 0.95);
  return out;
}

Response response_to(double extra_ms, const std::string& policy = "aimd") {
  ShippedRun::Settings settings = {"/conditions/0/extra_ms=" + std::to_string(extra_ms)};
  if (policy != "aimd") settings.push_back(R"(/control={"policy": ")" + policy + "\"}");
  return response(ShippedRun(scenario, settings));
}

TEST(Backpressure, AsShipped) {
  const ShippedRun run(scenario);
  const Response r = response(run);
  EXPECT_GE(r.fall(), 0.30);
  EXPECT_GE(r.stalled_p95_ms, 2.0 * r.calm_p95_ms);
  EXPECT_GT(r.recovery_s, 0.0);
  EXPECT_LT(r.recovery_s, 30.0) << "it recovers within the run";
  // Rank 5 of replica 1 is the one that the others wait for.
  const Json& slowest = at_pointer(run.summary, "/waits/slowest")->items().at(0);
  EXPECT_EQ(integer(slowest, "replica"), 1);
  EXPECT_EQ(integer(slowest, "rank"), 5);
  EXPECT_NE(at_pointer(run.summary, "/cascades/by_kind/collective_wait"), nullptr);
  EXPECT_NE(at_pointer(run.summary, "/cascades/by_kind/batch_cut"), nullptr);
  const Json& worst = at_pointer(run.summary, "/cascades/conditions")->items().at(0);
  EXPECT_GT(number(worst, "amplification"), 1.0);
}

TEST(Backpressure, DoseResponse) {
  Response before = response_to(0.0);
  EXPECT_LT(before.fall(), 0.25) << "Poisson arrivals alone move a batch of 30 by sqrt(30)";
  EXPECT_LT(before.stalled_p95_ms, 2.0 * before.calm_p95_ms);
  for (const double extra_ms : {0.6, 1.2, 2.5}) {
    const Response r = response_to(extra_ms);
    EXPECT_LT(r.stalled_batch, before.stalled_batch) << extra_ms;
    EXPECT_GT(r.stalled_p95_ms, before.stalled_p95_ms) << extra_ms;
    EXPECT_GE(r.fall(), 0.30) << extra_ms;
    before = r;
  }
  // Beyond that the limit is at its floor: later steps mean later decisions, and answers that end later.
  const Response most = response_to(5.0);
  EXPECT_GE(most.fall(), 0.50);
  EXPECT_GT(most.stalled_p95_ms, 10.0 * most.calm_p95_ms);
}

TEST(Backpressure, NoneWithoutControl) {
  const double undisturbed = response_to(0.0, "none").stalled_batch;
  for (const double extra_ms : {1.2, 5.0}) {
    const Response r = response_to(extra_ms, "none");
    EXPECT_LT(r.fall(), 0.20) << extra_ms;
    EXPECT_GT(r.stalled_batch, undisturbed) << extra_ms << ": longer steps hold more requests (Little's law)";
    EXPECT_LT(r.stalled_p95_ms, 2.0 * r.calm_p95_ms) << extra_ms;
    EXPECT_EQ(r.recovery_s, 0.0) << extra_ms;
  }
}

/// Ends of the steps of one replica in a closed loop: which batches it runs does not depend on how long they take.
std::vector<double> closed_loop_ends(const std::string& conditions) {
  const ShippedRun run(scenario, {"/engine/data_parallel_size=1", R"(/control={"policy": "none"})", "/conditions=" + conditions, "/measure/warmup_s=0",
                                  R"(/workload={"arrivals": {"kind": "closed_loop", "concurrency": 32}, "num_requests": 96,
                                      "input_tokens": {"kind": "fixed", "value": 256}, "output_tokens": {"kind": "uniform", "low": 50, "high": 200}})",
                                  "/output/steps=true"});
  std::vector<double> ends;
  for (const Json& step : run.lines("steps.jsonl")) ends.push_back(number(step, "end_s"));
  return ends;
}

// At equal batches, whatever is in them.
TEST(Backpressure, StepGrowsByExactlyTheStallWithoutControl) {
  const std::vector<double> calm = closed_loop_ends("[]");
  ASSERT_GT(calm.size(), 200U);
  for (const double extra_ms : {0.5, 1.2, 5.0}) {
    const std::vector<double> late = closed_loop_ends(R"([{"kind": "stall", "replica": 0, "rank": 5, "extra_ms": )" + std::to_string(extra_ms) + "}]");
    ASSERT_EQ(late.size(), calm.size());
    for (std::size_t i = 1; i < calm.size(); ++i) {
      const double growth_ms = 1e3 * ((late[i] - late[i - 1]) - (calm[i] - calm[i - 1]));
      ASSERT_NEAR(growth_ms, extra_ms, 1e-5) << "step " << i;  // the file has nine decimals of a second
    }
  }
}

}  // namespace
}  // namespace brink::test
