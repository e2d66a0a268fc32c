// The article's function and its extension, written out as it stands there, against every combination of inputs.
#include "models/memory/regime.h"

#include <gtest/gtest.h>

#include <string>

namespace brink::memory {
namespace {

std::string article(bool isolation_strict, double ratio, bool paging_on, double effective_free_mb, double queue_p95_ms) {
  if (isolation_strict) return "isolation_strict";
  if (ratio < 0.05) return "memory_evaporation";
  if (paging_on) return "paging";
  if (effective_free_mb < 1024) return "memory_pressured";
  if (queue_p95_ms > 50) return "queue_degraded";
  return "normal";
}

TEST(Regime, LabelsAreTheArticles) {
  for (const bool strict : {false, true}) {
    for (const double ratio : {-0.2, 0.0, 0.0499, 0.05, 0.7}) {
      for (const bool paging : {false, true}) {
        for (const double free_mb : {-1.0, 0.0, 1023.9, 1024.0, 40'000.0}) {
          for (const double queue_ms : {0.0, 50.0, 50.1, 4000.0}) {
            const RegimeInputs in{strict, ratio, mib(free_mb), paging, milliseconds(queue_ms)};
            const RegimeState got = classify(in, {});
            EXPECT_EQ(name(got.label), article(strict, ratio, paging, free_mb, queue_ms));
            EXPECT_EQ(got.holds(Regime::isolation_strict), strict);
            EXPECT_EQ(got.holds(Regime::memory_evaporation), ratio < 0.05);
            EXPECT_EQ(got.holds(Regime::paging), paging);
            EXPECT_EQ(got.holds(Regime::memory_pressured), free_mb < 1024.0);
            EXPECT_EQ(got.holds(Regime::queue_degraded), queue_ms > 50.0);
            EXPECT_EQ(got.bits == 0, got.label == Regime::normal);
          }
        }
      }
    }
  }
}

TEST(Regime, ThresholdsAreTheScenarios) {
  RegimeThresholds t;
  t.evaporation_ratio = 0.2;
  t.pressured = mib(10);
  t.queue_p95 = Seconds(1.0);
  EXPECT_EQ(classify({false, 0.19, gib(50), false, Seconds(0.0)}, t).label, Regime::memory_evaporation);
  EXPECT_EQ(classify({false, 0.21, mib(9), false, Seconds(0.0)}, t).label, Regime::memory_pressured);
  EXPECT_EQ(classify({false, 0.21, mib(11), false, Seconds(0.9)}, t).label, Regime::normal);
}

}  // namespace
}  // namespace brink::memory
