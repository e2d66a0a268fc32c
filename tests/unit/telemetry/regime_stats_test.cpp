#include "sim/telemetry/regime_stats.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support.h"

namespace brink::telemetry {
namespace {

using namespace testing;
using memory::Regime;

TEST(RegimeStats, ARegimeHoldsUntilTheNextStepStarts) {
  RegimeStats stats(Seconds(0.0), 1);
  stats.add(in_regime(Regime::normal, step(0, 1.0, 2.0, 4)));
  stats.add(in_regime(Regime::paging, step(0, 2.0, 3.0, 4)));
  stats.add(in_regime(Regime::paging, step(0, 3.0, 4.0, 4)));
  stats.add(in_regime(Regime::queue_degraded, step(0, 6.0, 7.0, 4)));  // idle for two seconds before
  const Json json = stats.json(Seconds(10.0));
  EXPECT_EQ(number(json, "/replica_s"), 10.0);
  EXPECT_NEAR(number(json, "/label_share/normal"), 0.2, 1e-12);
  EXPECT_NEAR(number(json, "/label_share/paging"), 0.4, 1e-12);
  EXPECT_NEAR(number(json, "/label_share/queue_degraded"), 0.4, 1e-12);
  EXPECT_EQ(number(json, "/transitions"), 2);
  EXPECT_EQ(text(json, "/transitions_by_pair"),
            R"([{"from":"paging","to":"queue_degraded","count":1},{"from":"normal","to":"paging","count":1}])");
}

TEST(RegimeStats, EveryPredicateHasItsOwnTime) {
  RegimeStats stats(Seconds(0.0), 1);
  serving::StepRecord r = in_regime(Regime::paging, step(0, 0.0, 1.0, 4));
  r.regime.bits = static_cast<std::uint8_t>(r.regime.bits | 1U << static_cast<unsigned>(Regime::queue_degraded));
  stats.add(r);
  stats.add(in_regime(Regime::paging, step(0, 3.0, 4.0, 4)));  // the queue recovered, the label stays
  const Json json = stats.json(Seconds(4.0));
  EXPECT_EQ(number(json, "/label_share/paging"), 1.0);
  EXPECT_EQ(number(json, "/holds_share/paging"), 1.0);
  EXPECT_NEAR(number(json, "/holds_share/queue_degraded"), 0.75, 1e-12);
  EXPECT_EQ(number(json, "/holds_share/normal"), 0.0);
  EXPECT_EQ(number(json, "/transitions"), 1);  // from normal at the start
}

TEST(RegimeStats, TheWarmUpIsLeftOut) {
  RegimeStats stats(Seconds(2.0), 1);
  stats.add(in_regime(Regime::paging, step(0, 1.0, 2.0, 4)));
  stats.add(in_regime(Regime::normal, step(0, 3.0, 4.0, 4)));
  const Json json = stats.json(Seconds(6.0));
  EXPECT_EQ(number(json, "/replica_s"), 4.0);
  EXPECT_NEAR(number(json, "/label_share/paging"), 0.25, 1e-12);
  EXPECT_EQ(number(json, "/transitions"), 1);
  // A run that ends in its warm-up has no time at all.
  EXPECT_EQ(text(RegimeStats(Seconds(2.0), 1).json(Seconds(1.0)), "/label_share/normal"), "null");
}

TEST(RegimeStats, StepsThatOverlapCountOnce) {
  RegimeStats stats(Seconds(0.0), 1);
  stats.add(in_regime(Regime::paging, step(0, 1.0, 3.0, 4)));
  stats.add(in_regime(Regime::normal, step(0, 0.5, 4.0, 4)));  // formed before the change it follows
  EXPECT_EQ(number(stats.json(Seconds(4.0)), "/replica_s"), 4.0);
}

TEST(RegimeStats, TheTableHasReplicasAndTheirSum) {
  RegimeStats stats(Seconds(0.0), 2);
  stats.add(in_regime(Regime::memory_pressured, step(1, 1.0, 2.0, 4)));
  const auto rows = lines(stats.csv(Seconds(4.0)));
  ASSERT_EQ(rows.size(), 1U + 3 * memory::regime_count);
  EXPECT_EQ(rows[0],
            "replica,regime,label_s,label_share,holds_s,holds_share,entered,to_isolation_strict,to_memory_evaporation,"
            "to_paging,to_memory_pressured,to_queue_degraded,to_normal");
  EXPECT_EQ(rows[4], "all,memory_pressured,3.000000000,0.375000,3.000000000,0.375000,1,0,0,0,0,0,0");
  EXPECT_EQ(rows[6], "all,normal,5.000000000,0.625000,5.000000000,0.625000,0,0,0,0,1,0,0");
  EXPECT_EQ(rows[12], "0,normal,4.000000000,1.000000,4.000000000,1.000000,0,0,0,0,0,0,0");
  EXPECT_EQ(rows[16], "1,memory_pressured,3.000000000,0.750000,3.000000000,0.750000,1,0,0,0,0,0,0");
}

}  // namespace
}  // namespace brink::telemetry
