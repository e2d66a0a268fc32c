// Whatever background consumers do, every block they keep comes back exactly once and no block is used twice.
// The driver throws when a block leaks; no right run breaks that, so there are no false failures.
#include <gtest/gtest.h>

#include "models/base/random.h"
#include "sim/conditions/kv_consumers.h"
#include "tests/support/kv_driver.h"

namespace brink::conditions {
namespace {

class Draw {
 public:
  explicit Draw(std::uint64_t seed) : stream_(seed, "kv_consumers") {}
  double between(double low, double high) { return low + (high - low) * stream_.uniform({0}, next_++); }
  std::int64_t of(std::int64_t low, std::int64_t high) {
    return low + static_cast<std::int64_t>(stream_.below(static_cast<std::uint64_t>(high - low + 1), {0}, next_++));
  }
  bool flip() { return of(0, 1) == 1; }

 private:
  RandomStream stream_;
  std::uint32_t next_ = 0;
};

template <class Settings>
void randomise(Draw& draw, Settings& s, std::int64_t number) {
  s.from = Seconds(draw.between(0.0, 1.0));
  if (draw.flip()) s.until = s.from + Seconds(draw.between(0.0, 4.0));
  s.link = draw.flip() ? "a" : "b";
  s.rate = BytesPerSecond(s.link == "a" ? 1e9 : 6e9);
  s.latency = Seconds(draw.flip() ? 0.0 : 1e-3);
  s.coordinated = draw.flip();
  s.budget_ratio = draw.between(0.0, 0.4);
  s.chunk = mib(static_cast<double>(draw.of(1, 256)));
  s.condition = static_cast<std::int32_t>(number);
}

TEST(property, retained_blocks_come_back_once) {
  std::int64_t retained = 0, preempted = 0;
  for (std::uint64_t seed = 0; seed < 400; ++seed) {
    SCOPED_TRACE(::testing::Message() << "seed " << seed);
    Draw draw(seed);
    testing::KvDriver::Settings traffic;
    traffic.blocks = draw.of(200, 3000);
    traffic.block_size = draw.flip() ? 16 : 1 << draw.of(0, 7);
    traffic.block = mib(draw.between(0.01, 4.0));
    traffic.requests_per_step = draw.between(0.05, 3.0);
    traffic.prompt = draw.of(1, 40) * traffic.block_size / 4 + 1;
    traffic.output = draw.of(1, 60);
    traffic.seats = draw.of(1, 200);
    traffic.steps = 300;
    KvConsumerSettings settings;
    settings.replications.resize(static_cast<std::size_t>(draw.of(0, 2)));
    settings.checkpoints.resize(static_cast<std::size_t>(draw.of(0, 2)));
    std::int64_t number = 0;
    for (ReplicationSettings& s : settings.replications) randomise(draw, s, number++);
    for (CheckpointSettings& s : settings.checkpoints) {
      randomise(draw, s, number++);
      s.period = Seconds(draw.between(0.05, 3.0));
    }
    if (draw.of(0, 4) == 0) settings.forced_evaporation = ForcedEvaporationSettings{20.0, Seconds(0.5)};

    testing::FakeClock clock;
    testing::ListLedger ledger;
    testing::KvDriver driver(traffic, clock);
    KvConsumers consumers(settings, {ReplicaId{0}, 1, clock, driver, ledger});
    driver.attach(consumers);
    ASSERT_NO_THROW(driver.run());
    EXPECT_EQ(driver.retained, driver.returned);
    EXPECT_EQ(driver.kv_view().held, 0);
    EXPECT_EQ(consumers.pinned(), 0);
    retained += driver.retained;
    preempted += driver.preemptions;
    for (std::size_t i = 0; i < ledger.events.size(); ++i) EXPECT_LE(ledger.events[i].cause, i);
  }
  EXPECT_GT(retained, 50'000);  // the cases are about something
  EXPECT_GT(preempted, 1'000);
}

}  // namespace
}  // namespace brink::conditions
