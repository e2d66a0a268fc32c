#include "sim/telemetry/wait_stats.h"

#include <array>

#include <gtest/gtest.h>

#include "support.h"

namespace brink::telemetry {
namespace {

using namespace testing;

TEST(WaitStats, TheOthersWaitForTheSlowRank) {
  // +1.2 ms on one rank of eight: the step grows by 1.2 ms, the other seven wait for as long.
  WaitStats stats(Seconds(0.0));
  std::array<Seconds, 8> wait;
  wait.fill(milliseconds(1.2));
  wait[5] = Seconds(0.0);
  serving::StepRecord r = step(3, 1.0, 1.05, 64);
  r.wait = wait;
  r.slowest_rank = 5;
  r.sync = milliseconds(1.2);
  for (int i = 0; i < 100; ++i) stats.add(r);
  for (int i = 0; i < 300; ++i) stats.add(step(3, 2.0, 2.05, 64));
  const Json json = stats.json();
  EXPECT_EQ(number(json, "/steps"), 100);
  EXPECT_NEAR(number(json, "/step_share"), 0.25, 1e-12);
  EXPECT_NEAR(number(json, "/sync_s"), 0.12, 1e-12);
  EXPECT_NEAR(number(json, "/wait_s"), 0.84, 1e-12);
  EXPECT_NEAR(number(json, "/wait_s_by_rank/0"), 0.12, 1e-12);
  EXPECT_EQ(number(json, "/wait_s_by_rank/5"), 0.0);
  EXPECT_EQ(number(json, "/slowest/0/replica"), 3);
  EXPECT_EQ(number(json, "/slowest/0/rank"), 5);
  EXPECT_EQ(number(json, "/slowest/0/steps"), 100);
  EXPECT_EQ(text(json, "/slowest/1"), "absent");
  // Quantiles are of all 400 steps.
  EXPECT_EQ(number(json, "/skew_ms_p50"), 0.0);
  EXPECT_NEAR(number(json, "/skew_ms_p95"), 1.2, 1.2 * 0.0005);
  EXPECT_NEAR(number(json, "/skew_ms_max"), 1.2, 1e-12);
}

TEST(WaitStats, SkewIsFromFirstToLast) {
  const std::array<Seconds, 3> wait = {milliseconds(0.5), milliseconds(2.0), milliseconds(1.0)};
  EXPECT_NEAR(to_ms(skew_of(wait)), 1.5, 1e-12);
  EXPECT_EQ(skew_of({}), Seconds(0.0));
}

TEST(WaitStats, TheWarmUpIsLeftOut) {
  const std::array<Seconds, 2> wait = {Seconds(0.0), Seconds(0.1)};
  WaitStats stats(Seconds(2.0));
  serving::StepRecord r = step(0, 1.0, 3.0, 4);
  r.wait = wait;
  stats.add(r);
  EXPECT_FALSE(stats.any());
  r.start = Seconds(2.0);
  stats.add(r);
  EXPECT_TRUE(stats.any());
}

TEST(WaitStats, TheSlowestRanksComeFirst) {
  const std::array<Seconds, 2> wait = {Seconds(0.0), Seconds(0.1)};
  WaitStats stats(Seconds(0.0));
  for (std::uint64_t replica = 0; replica < 20; ++replica) {
    serving::StepRecord r = step(replica, 1.0, 2.0, 4);
    r.wait = wait;
    r.slowest_rank = static_cast<std::int64_t>(replica % 2);
    for (std::uint64_t i = 0; i <= replica; ++i) stats.add(r);
  }
  const Json json = stats.json();
  ASSERT_EQ(at_pointer(json, "/slowest")->items().size(), 10U);
  EXPECT_EQ(number(json, "/slowest/0/replica"), 19);
  EXPECT_EQ(number(json, "/slowest/0/rank"), 1);
  EXPECT_EQ(number(json, "/slowest/9/replica"), 10);
}

}  // namespace
}  // namespace brink::telemetry
