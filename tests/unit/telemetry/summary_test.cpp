#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support.h"

namespace brink::telemetry {
namespace {

using namespace testing;

/// Five requests whose statistics were taken with numpy 1.26 (mean, median, population std, linear percentiles).
void five_requests(Collector& c) {
  c.on_request(request(0, 0.0, 0.11, 0.5, 11));
  c.on_request(request(1, 0.5, 0.07, 0.0, 1));
  c.on_request(request(2, 1.0, 0.31, 1.3, 21));
  c.on_request(request(3, 1.5, 0.05, 0.09, 3));
  c.on_request(request(4, 2.0, 0.23, 4.7, 101));
}

TEST(Summary, LatenciesAreNumpys) {
  Collector c(facts());
  five_requests(c);
  const Json s = c.summary(Seconds(10.0));
  const std::vector<std::string> keys = {"mean", "median", "std", "p50", "p90", "p95", "p99"};
  const std::vector<std::pair<std::string, std::vector<double>>> expected = {
      {"ttft", {154.0, 110.0, 99.9199679744, 110.0, 278.0, 294.0, 306.8}},
      {"e2el", {1472.0, 610.0, 1814.36931191, 610.0, 3602.0, 4266.0, 4797.2}},
      // Four requests: the one of a single token has no time per output token.
      {"tpot", {51.75, 48.5, 7.8541390362, 48.5, 60.5, 62.75, 64.55}},
  };
  for (const auto& [metric, values] : expected) {
    for (std::size_t i = 0; i < keys.size(); ++i) {
      const std::string key = "/" + keys[i] + "_" + metric + "_ms";
      EXPECT_NEAR(number(s, key), values[i], 1e-8 * values[i]) << key;
    }
    EXPECT_EQ(text(s, "/quantile_method/" + metric), "\"exact_linear\"");
  }
}

TEST(Summary, ItlIsPooledOverTokens) {
  Collector c(facts());
  c.on_intervals({Seconds(0.5), Seconds(0.010), 3});
  c.on_intervals({Seconds(0.6), Seconds(0.020), 5});
  c.on_intervals({Seconds(0.7), Seconds(0.040), 2});
  c.on_intervals({Seconds(0.8), Seconds(0.999), 0});  // nobody waited
  const Json s = c.summary(Seconds(1.0));
  EXPECT_NEAR(number(s, "/mean_itl_ms"), 21.0, 1e-9);
  EXPECT_NEAR(number(s, "/std_itl_ms"), std::sqrt(109.0), 1e-9);
  EXPECT_NEAR(number(s, "/median_itl_ms"), 20.0, 20 * 0.0005);
  EXPECT_NEAR(number(s, "/p90_itl_ms"), 40.0, 40 * 0.0005);
  EXPECT_EQ(text(s, "/quantile_method/itl"), "\"log_histogram_0.1pct\"");
}

TEST(Summary, ThroughputsAreTotalsOverDuration) {
  Collector c(facts());
  five_requests(c);
  const Json s = c.summary(Seconds(8.0));
  EXPECT_EQ(number(s, "/duration"), 8.0);
  EXPECT_EQ(number(s, "/completed"), 5);
  EXPECT_EQ(number(s, "/total_input_tokens"), 500);
  EXPECT_EQ(number(s, "/total_output_tokens"), 137);
  EXPECT_DOUBLE_EQ(number(s, "/request_throughput"), 5 / 8.0);
  EXPECT_DOUBLE_EQ(number(s, "/output_throughput"), 137 / 8.0);
  EXPECT_DOUBLE_EQ(number(s, "/total_token_throughput"), 637 / 8.0);
  EXPECT_EQ(text(s, "/request_goodput"), "null");  // no limits, no goodput
}

TEST(Summary, CountsEveryRequestOnce) {
  RunFacts f = facts();
  f.warmup_s = 1.0;
  Collector c(std::move(f));
  five_requests(c);  // two arrive in the warm-up
  c.on_request(unfinished(5, 3.0, serving::Outcome::rejected));
  c.on_request(unfinished(6, 4.0, serving::Outcome::cancelled));
  c.on_request(unfinished(7, 0.5, serving::Outcome::cancelled));
  EXPECT_EQ(c.finished_requests(), 8);
  const Json s = c.summary(Seconds(9.0));
  EXPECT_EQ(number(s, "/warmup_requests"), 3);
  EXPECT_EQ(number(s, "/measured_requests"), 5);
  EXPECT_EQ(number(s, "/num_prompts"), 5);
  EXPECT_EQ(number(s, "/completed"), 3);
  EXPECT_EQ(number(s, "/failed"), 2);
  EXPECT_EQ(number(s, "/rejected"), 1);
  EXPECT_EQ(number(s, "/cancelled"), 1);
  EXPECT_EQ(number(s, "/duration"), 8.0);
  EXPECT_DOUBLE_EQ(number(s, "/request_throughput"), 3 / 8.0);
  EXPECT_NEAR(number(s, "/mean_ttft_ms"), (310 + 50 + 230) / 3.0, 1e-9);
}

TEST(Summary, WarmupLeavesOutTokensAndSteps) {
  RunFacts f = facts();
  f.warmup_s = 2.0;
  Collector c(std::move(f));
  c.on_intervals({Seconds(1.9), Seconds(5.0), 1000});
  c.on_first_tokens(Seconds(1.5), 1000);
  c.on_step(step(0, 1.0, 1.9, 64));
  c.on_step(step(0, 1.9, 2.5, 64));  // half in: busy after the warm-up, but not measured
  c.on_step(step(0, 2.5, 3.0, 8));
  c.on_intervals({Seconds(2.0), Seconds(0.01), 7});
  const Json s = c.summary(Seconds(4.0));
  EXPECT_NEAR(number(s, "/mean_itl_ms"), 10.0, 1e-9);
  EXPECT_EQ(number(s, "/max_output_tokens_per_s"), 7);
  EXPECT_EQ(number(s, "/steps"), 1);
  EXPECT_EQ(number(s, "/mean_decode_batch"), 8);
  EXPECT_DOUBLE_EQ(number(s, "/gpu_busy_fraction/0"), 0.5);
}

TEST(Summary, BestSecondCountsFirstTokensToo) {
  Collector c(facts());
  c.on_first_tokens(Seconds(0.2), 3);
  c.on_intervals({Seconds(0.999), Seconds(0.01), 4});
  c.on_intervals({Seconds(1.0), Seconds(0.01), 5});
  c.on_first_tokens(Seconds(1.999), 1);
  c.on_intervals({Seconds(7.5), Seconds(0.01), 6});
  EXPECT_EQ(number(c.summary(Seconds(9.0)), "/max_output_tokens_per_s"), 7);
}

TEST(Summary, MostInFlightIncludesWhatTheWarmupLeft) {
  RunFacts f = facts();
  f.warmup_s = 10.0;
  Collector c(std::move(f));
  c.on_in_flight(Seconds(1.0), 50);
  c.on_in_flight(Seconds(2.0), 9);
  c.on_in_flight(Seconds(11.0), 8);
  c.on_in_flight(Seconds(12.0), 7);
  EXPECT_EQ(number(c.summary(Seconds(20.0)), "/max_concurrent_requests"), 9);
}

TEST(Summary, SloIsJudgedAtP99AndGoodputPerRequest) {
  RunFacts f = facts();
  f.slo = {300.0, 65.0, nan};
  Collector c(std::move(f));
  five_requests(c);
  const Json s = c.summary(Seconds(10.0));
  EXPECT_EQ(text(s, "/slo/limits/ttft_p99_ms"), "300.0");
  EXPECT_EQ(text(s, "/slo/limits/e2el_p99_ms"), "null");
  EXPECT_NEAR(number(s, "/slo/values/ttft_p99_ms"), 306.8, 1e-9);
  EXPECT_EQ(text(s, "/slo/met"), "false");
  // Only request 2 (310 ms to its first token) is over a limit.
  EXPECT_DOUBLE_EQ(number(s, "/request_goodput"), 0.4);
}

TEST(Summary, SloMetOrUnknown) {
  RunFacts f = facts();
  f.slo = {307.0, nan, nan};
  Collector good(f);
  five_requests(good);
  EXPECT_EQ(text(good.summary(Seconds(10.0)), "/slo/met"), "true");
  Collector idle(f);  // nothing completed: the limit is not kept
  EXPECT_EQ(text(idle.summary(Seconds(10.0)), "/slo/met"), "false");
  Collector free(facts());
  five_requests(free);
  EXPECT_EQ(text(free.summary(Seconds(10.0)), "/slo/met"), "null");
}

TEST(Summary, LatenciesCountFromTheSending) {
  Collector c(facts());
  serving::RequestRecord r = request(0, 5.0, 0.1, 0.9, 10);
  r.arrival = Seconds(1.0);  // held back by the client for four seconds
  c.on_request(r);
  const Json s = c.summary(Seconds(10.0));
  EXPECT_NEAR(number(s, "/mean_ttft_ms"), 100.0, 1e-9);
  EXPECT_NEAR(number(s, "/mean_e2el_ms"), 1000.0, 1e-9);
}

TEST(Summary, KvUsageIsATimeMeanOverReplicas) {
  RunFacts f = facts();
  f.replicas = 2;
  Collector c(std::move(f));
  serving::StepRecord a = step(0, 0.0, 2.0, 1), b = step(0, 2.0, 4.0, 1);
  a.kv_blocks_used = 80;  // from 2 to 4
  b.kv_blocks_used = 20;  // from 4 to 10
  c.on_step(a);
  c.on_step(b);
  const Json s = c.summary(Seconds(10.0));
  EXPECT_DOUBLE_EQ(number(s, "/kv_cache_usage_mean"), (80 * 2 + 20 * 6) / 10.0 / 100 / 2);
  EXPECT_DOUBLE_EQ(number(s, "/kv_cache_usage_max"), 0.8);
  EXPECT_DOUBLE_EQ(number(s, "/gpu_busy_fraction/0"), 0.4);
  EXPECT_DOUBLE_EQ(number(s, "/gpu_busy_fraction/1"), 0.0);
}

TEST(Summary, OverlappingStepsAreBusyOnce) {
  Collector c(facts());
  c.on_step(step(0, 0.0, 1.0, 1));
  c.on_step(step(0, 0.75, 2.0, 1));
  EXPECT_DOUBLE_EQ(number(c.summary(Seconds(4.0)), "/gpu_busy_fraction/0"), 0.5);
}

TEST(Summary, BadgesAreTheWorstOfWhatWasWaitedFor) {
  Collector c(facts());
  serving::StepRecord prefill = step(0, 0.0, 3.0, 0, 512), decode = step(0, 3.0, 4.0, 4);
  prefill.badge = cost::Badge::extrapolated;
  decode.badge = cost::Badge::interpolated;
  c.on_step(prefill);
  c.on_step(decode);
  const Json s = c.summary(Seconds(4.0));
  EXPECT_EQ(text(s, "/badges/ttft"), "\"extrapolated\"");
  EXPECT_EQ(text(s, "/badges/e2el"), "\"extrapolated\"");
  EXPECT_EQ(text(s, "/badges/throughput"), "\"extrapolated\"");
  EXPECT_EQ(text(s, "/badges/tpot"), "\"interpolated\"");
  EXPECT_EQ(text(s, "/badges/itl"), "\"interpolated\"");
  EXPECT_DOUBLE_EQ(number(s, "/badges/step_time_share/extrapolated"), 0.75);
  EXPECT_DOUBLE_EQ(number(s, "/badges/step_time_share/interpolated"), 0.25);
  EXPECT_DOUBLE_EQ(number(s, "/badges/step_time_share/measured"), 0.0);
}

TEST(Summary, AnEmptyRunHasNoNumbersRatherThanWrongOnes) {
  Collector c(facts());
  const Json s = c.summary(Seconds(0.0));
  for (const char* key : {"/mean_ttft_ms", "/p99_e2el_ms", "/median_itl_ms", "/request_throughput",
                          "/mean_decode_batch", "/step_ms_mean", "/kv_cache_usage_mean", "/badges/ttft"}) {
    EXPECT_EQ(text(s, key), "null") << key;
  }
  EXPECT_EQ(text(s, "/completed"), "0");
}

TEST(Summary, HeaderIsVllms) {
  RunFacts f = facts();
  f.name = "first run";
  f.model_id = "llama";
  f.engine = "vllm";
  f.request_rate = "2.5";
  f.max_concurrency = 32;
  Collector c(f);
  const Json s = c.summary(Seconds(1.0));
  std::vector<std::string> keys;
  for (const auto& [key, value] : s.members()) keys.push_back(key);
  keys.resize(21);
  EXPECT_THAT(keys,
              ::testing::ElementsAre("date", "endpoint_type", "backend", "label", "model_id", "tokenizer_id",
                                     "num_prompts", "request_rate", "burstiness", "max_concurrency", "duration",
                                     "completed", "failed", "total_input_tokens", "total_output_tokens",
                                     "request_throughput", "request_goodput", "output_throughput",
                                     "total_token_throughput", "max_output_tokens_per_s", "max_concurrent_requests"));
  EXPECT_EQ(text(s, "/date"), "null");
  EXPECT_EQ(number(s, "/request_rate"), 2.5);
  EXPECT_EQ(number(s, "/max_concurrency"), 32);
  f.request_rate = "inf";
  f.max_concurrency = 0;
  f.provenance.set("date", "20250101-000000");
  const Json other = Collector(f).summary(Seconds(1.0));
  EXPECT_EQ(text(other, "/request_rate"), "\"inf\"");
  EXPECT_EQ(text(other, "/max_concurrency"), "null");
  EXPECT_EQ(text(other, "/date"), "\"20250101-000000\"");
}

}  // namespace
}  // namespace brink::telemetry
