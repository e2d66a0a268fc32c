#include "sim/telemetry/p99_drift.h"

#include <gtest/gtest.h>

#include "support.h"

namespace brink::telemetry {
namespace {

using namespace testing;

serving::RequestRecord followed(std::uint64_t id, double ttft_s, double decode_s, double idle_ttft_s, double idle_decode_s) {
  serving::RequestRecord r = request(id, 5.0, ttft_s, decode_s, 11);
  r.idle_ttft = Seconds(idle_ttft_s);
  r.idle_e2e = Seconds(idle_ttft_s + idle_decode_s);
  return r;
}

TEST(P99Drift, ComparesTheSameRequests) {
  P99Drift drift(Seconds(0.0));
  for (std::uint64_t i = 0; i < 101; ++i) {
    const double x = static_cast<double>(i) / 100.0;
    drift.add(followed(i, 0.1 + 0.3 * x, 1.0 + x, 0.1, 1.0));
  }
  drift.add(request(200, 5.0, 9.0, 9.0, 11));  // its idle latencies are not known
  const Json json = drift.json();
  EXPECT_EQ(number(json, "/requests"), 101);
  EXPECT_NEAR(number(json, "/ttft/p99_load_ms"), 397.0, 1e-9);
  EXPECT_NEAR(number(json, "/ttft/p99_idle_ms"), 100.0, 1e-9);
  EXPECT_NEAR(number(json, "/ttft/p99_ratio"), 3.97, 1e-9);
  EXPECT_NEAR(number(json, "/tpot/p50_ratio"), 1.5, 1e-9);
  EXPECT_NEAR(number(json, "/tpot/p99_idle_ms"), 100.0, 1e-9);
  EXPECT_NEAR(number(json, "/e2el/p50_load_ms"), 1750.0, 1e-9);
}

TEST(P99Drift, ARequestAloneHasNone) {
  P99Drift drift(Seconds(0.0));
  for (std::uint64_t i = 0; i < 50; ++i) {
    const double x = static_cast<double>(i);
    serving::RequestRecord r = followed(i, 0.1 + 0.01 * x, 1.0, 0.0, 0.0);
    r.idle_ttft = r.first_token - r.sent;
    r.idle_e2e = r.finish - r.sent;
    drift.add(r);
  }
  const Json json = drift.json();
  for (const char* metric : {"/ttft", "/tpot", "/e2el"}) {
    EXPECT_EQ(number(json, std::string(metric) + "/p99_ratio"), 1.0) << metric;
    EXPECT_EQ(number(json, std::string(metric) + "/p50_ratio"), 1.0) << metric;
  }
}

TEST(P99Drift, LeavesOutWarmUpAndWhatDidNotComplete) {
  P99Drift drift(Seconds(6.0));
  drift.add(followed(0, 0.1, 1.0, 0.1, 1.0));  // arrived at 5 s
  serving::RequestRecord r = unfinished(1, 7.0, serving::Outcome::rejected);
  r.idle_ttft = r.idle_e2e = Seconds(1.0);
  drift.add(r);
  EXPECT_FALSE(drift.any());
  EXPECT_EQ(text(drift.json(), "/ttft/p99_ratio"), "null");
}

TEST(P99Drift, OneTokenHasNoTpot) {
  P99Drift drift(Seconds(0.0));
  serving::RequestRecord r = followed(0, 0.2, 0.0, 0.1, 0.0);
  r.output_tokens = 1;
  drift.add(r);
  EXPECT_NEAR(number(drift.json(), "/ttft/p99_ratio"), 2.0, 1e-12);
  EXPECT_EQ(text(drift.json(), "/tpot/p99_ratio"), "null");
}

}  // namespace
}  // namespace brink::telemetry
