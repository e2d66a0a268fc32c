#include "sim/telemetry/regime_stats.h"

#include <algorithm>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support.h"

namespace brink::telemetry {
namespace {

using namespace testing;
using memory::Regime;

memory::RegimeState state(std::initializer_list<Regime> holds) {
  memory::RegimeState out;
  for (const Regime regime : holds) {
    out.bits = static_cast<std::uint8_t>(out.bits | 1U << static_cast<unsigned>(regime));
    out.label = std::min(out.label, regime);
  }
  return out;
}

/// A step in which these changes were noticed.
void notice(RegimeStats& stats, std::uint64_t replica, const std::vector<memory::RegimeChange>& changes) {
  serving::StepRecord r = step(replica, 0.0, 1.0, 4);
  r.regime_changes = changes;
  stats.add(r);
}

TEST(RegimeStats, ARegimeHoldsUntilTheNextChange) {
  RegimeStats stats(Seconds(0.0), 1);
  notice(stats, 0, {{Seconds(2.0), state({Regime::paging})}});
  notice(stats, 0, {});
  notice(stats, 0, {{Seconds(6.0), state({})}, {Seconds(7.0), state({Regime::queue_degraded})}});  // one between steps
  const Json json = stats.json(Seconds(10.0));
  EXPECT_EQ(number(json, "/replica_s"), 10.0);
  EXPECT_NEAR(number(json, "/label_share/normal"), 0.3, 1e-12);
  EXPECT_NEAR(number(json, "/label_share/paging"), 0.4, 1e-12);
  EXPECT_NEAR(number(json, "/label_share/queue_degraded"), 0.3, 1e-12);
  EXPECT_EQ(number(json, "/transitions"), 3);
  EXPECT_EQ(text(json, "/transitions_by_pair"),
            R"([{"from":"paging","to":"normal","count":1},{"from":"normal","to":"paging","count":1},)"
            R"({"from":"normal","to":"queue_degraded","count":1}])");
}

TEST(RegimeStats, EveryPredicateHasItsOwnTime) {
  RegimeStats stats(Seconds(0.0), 1);
  notice(stats, 0, {{Seconds(0.0), state({Regime::paging, Regime::queue_degraded})}});
  notice(stats, 0, {{Seconds(3.0), state({Regime::paging})}});  // the queue recovered, the label stays
  const Json json = stats.json(Seconds(4.0));
  EXPECT_EQ(number(json, "/label_share/paging"), 1.0);
  EXPECT_EQ(number(json, "/holds_share/paging"), 1.0);
  EXPECT_NEAR(number(json, "/holds_share/queue_degraded"), 0.75, 1e-12);
  EXPECT_EQ(number(json, "/holds_share/normal"), 0.0);
  EXPECT_EQ(number(json, "/transitions"), 1);  // from normal at the start
}

TEST(RegimeStats, TheWarmUpIsLeftOut) {
  RegimeStats stats(Seconds(2.0), 1);
  notice(stats, 0, {{Seconds(1.0), state({Regime::paging})}, {Seconds(3.0), state({})}});
  const Json json = stats.json(Seconds(6.0));
  EXPECT_EQ(number(json, "/replica_s"), 4.0);
  EXPECT_NEAR(number(json, "/label_share/paging"), 0.25, 1e-12);
  EXPECT_EQ(number(json, "/transitions"), 1);
  // A run that ends in its warm-up has no time at all.
  EXPECT_EQ(text(RegimeStats(Seconds(2.0), 1).json(Seconds(1.0)), "/label_share/normal"), "null");
}

TEST(RegimeStats, TheTableHasReplicasAndTheirSum) {
  RegimeStats stats(Seconds(0.0), 2);
  notice(stats, 1, {{Seconds(1.0), state({Regime::memory_pressured})}});
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
