// Memory evaporation: nothing here knows a threshold. What is pinned is what was written less what was sent, so it
// appears where requests turn over faster than the link and vanishes where consumers share a budget.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "sim/conditions/kv_consumers.h"
#include "tests/support/kv_driver.h"

namespace brink::conditions {
namespace {

using testing::FakeClock;
using testing::KvDriver;
using testing::ListLedger;

constexpr double link_rate = 8e9;         // bytes/s
constexpr std::int64_t request_blocks = 33;
constexpr double lifetime_s = 16 * 0.02;

// 8 GiB of KV, 128 KiB a token, steps of 20 ms. A request holds 33 blocks for 16 steps; two requests a step write
// 6.9 GB/s, three 10.4 GB/s.
KvDriver::Settings traffic(double requests_per_step) {
  KvDriver::Settings s;
  s.requests_per_step = requests_per_step;
  s.prompt = 512;
  s.output = 16;
  s.steps = 1500;
  return s;
}

ReplicationSettings replication(bool coordinated, double rate = link_rate) {
  ReplicationSettings s;
  s.rate = BytesPerSecond(rate);
  s.coordinated = coordinated;
  s.condition = 0;
  return s;
}

CheckpointSettings checkpoint(bool coordinated) {
  CheckpointSettings s;
  s.link = "nic";
  s.rate = BytesPerSecond(link_rate);
  s.from = Seconds(5.0);
  s.period = Seconds(5.0);
  s.chunk = mib(64);
  s.coordinated = coordinated;
  s.condition = 1;
  return s;
}

struct Scene {
  Scene(double requests_per_step, const KvConsumerSettings& settings)
      : driver(traffic(requests_per_step), clock), consumers(settings, {ReplicaId{0}, 1, clock, driver, ledger}) {
    driver.attach(consumers);
    driver.run();
    EXPECT_EQ(driver.retained, driver.returned);
    EXPECT_EQ(consumers.pinned(), 0);
  }
  [[nodiscard]] std::int64_t events(world::EventKind kind) const {
    return std::count_if(ledger.events.begin(), ledger.events.end(), [&](const auto& e) { return e.kind == kind; });
  }

  FakeClock clock;
  ListLedger ledger;
  KvDriver driver;
  KvConsumers consumers;
};

KvConsumerSettings both(bool coordinated) {
  KvConsumerSettings s;
  s.replications.push_back(replication(coordinated));
  s.checkpoints.push_back(checkpoint(coordinated));
  return s;
}

TEST(Evaporation, NoneAtLowThroughput) {
  for (const double rate : {0.5, 1.0, 1.5, 2.0}) {
    const Scene scene(rate, both(false));
    EXPECT_EQ(scene.driver.evaporated_steps, 0U) << rate;
    EXPECT_EQ(scene.driver.preemptions, 0) << rate;
    EXPECT_EQ(scene.driver.finished, std::lround(1500 * rate));
  }
}

TEST(Evaporation, EmergesAtHighThroughput) {
  for (const double rate : {2.5, 3.0, 4.0}) {
    const Scene scene(rate, both(false));
    EXPECT_GT(scene.driver.evaporated_steps, 750U) << rate;
    EXPECT_GT(scene.driver.preemptions, 0) << rate;
    EXPECT_LT(scene.driver.finished, std::lround(1500 * rate));
    EXPECT_GT(scene.events(world::EventKind::pin), 0);
  }
}

TEST(Evaporation, AbsentWithoutTheConsumers) {
  const Scene scene(4.0, {});
  EXPECT_TRUE(scene.consumers.empty());
  EXPECT_EQ(scene.driver.evaporated_steps, 0U);
  EXPECT_EQ(scene.driver.preemptions, 0);
}

TEST(Evaporation, VanishesWhenCoordinated) {
  for (const double rate : {2.5, 3.0, 4.0}) {
    const Scene scene(rate, both(true));
    EXPECT_EQ(scene.driver.evaporated_steps, 0U) << rate;
    EXPECT_EQ(scene.driver.preemptions, 0) << rate;
    EXPECT_EQ(scene.driver.finished, std::lround(1500 * rate));
    EXPECT_GE(scene.driver.lowest_share, 0.1);  // the budget
  }
}

// The rate at which it appears is the link's, not a number of sequences.
TEST(Evaporation, MovesWithTheLink) {
  KvConsumerSettings s;
  s.replications.push_back(replication(false, 20e9));
  EXPECT_EQ(Scene(4.0, s).driver.evaporated_steps, 0U);
  s.replications[0] = replication(false, 3e9);
  EXPECT_GT(Scene(1.0, s).driver.evaporated_steps, 0U);
}

// Requests leave evenly over their lifetime: while a snapshot of S blocks is written for T seconds, T / lifetime
// of it is withheld at the end.
TEST(Evaporation, WithheldIsRateTimesHold) {
  for (const double rate : {0.5, 1.0, 2.0, 3.0}) {
    KvConsumerSettings s;
    s.checkpoints.push_back(checkpoint(false));
    const Scene scene(rate, s);
    const double snapshot = rate * 16 * request_blocks;
    const double hold_s = snapshot * mib(2).value() / link_rate;
    const double expected = snapshot * std::min(1.0, hold_s / lifetime_s);
    EXPECT_NEAR(static_cast<double>(scene.driver.highest_held), expected, 2.0 * std::ceil(rate) * request_blocks) << rate;
  }
}

TEST(Evaporation, PinsNameTheirCondition) {
  const Scene scene(3.0, both(false));
  for (const world::LedgerEvent& e : scene.ledger.events) {
    if (e.kind == world::EventKind::condition) {
      EXPECT_EQ(e.cause, 0U);
      EXPECT_EQ(e.detail, e.condition == 0 ? "replication" : "checkpoint");
      continue;
    }
    ASSERT_EQ(e.kind, world::EventKind::pin);
    ASSERT_GT(e.cause, 0U);
    const world::LedgerEvent& root = scene.ledger.events[e.cause - 1];
    EXPECT_EQ(root.kind, world::EventKind::condition);
    EXPECT_EQ(root.detail, e.detail);
    EXPECT_GE(e.amount, PinEvents::noticeable * 4096);
  }
}

}  // namespace
}  // namespace brink::conditions
