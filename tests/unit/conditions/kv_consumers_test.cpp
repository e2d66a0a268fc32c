// Replication and checkpoints by hand: what they hold, until exactly when, and how they yield to a budget.
#include <gtest/gtest.h>

#include <functional>
#include <utility>
#include <vector>

#include "sim/conditions/kv_consumers.h"
#include "sim/conditions/kv_history.h"
#include "tests/support/fake_clock.h"
#include "tests/support/kv_driver.h"

namespace brink::conditions {
namespace {

using serving::KvDeparture;
using serving::KvView;
using testing::FakeClock;
using testing::ListLedger;

// 16 bytes a token: a link of 16 B/s sends a token a second.
class Owner final : public serving::IKvOwner {
 public:
  explicit Owner(FakeClock& clock) : clock_(clock) {
    view.total = 1000;
    view.free = 600;
    view.block = Bytes(256.0);
  }
  [[nodiscard]] KvView kv_view() const override {
    KvView v = view;
    v.now = clock_.now();
    return v;
  }
  void return_held(std::int64_t blocks) override {
    view.held -= blocks;
    view.free += blocks;
    returns.emplace_back(clock_.now().value(), blocks);
  }
  /// A departing request of which `held` blocks stay.
  void depart(std::int64_t blocks, std::int64_t held) {
    view.held += held;
    view.free += blocks - held;
  }

  KvView view;
  std::vector<std::pair<double, std::int64_t>> returns;

 private:
  FakeClock& clock_;
};

/// Calls `action` at `when`.
class At final : public world::EventHandler {
 public:
  At(FakeClock& clock, double when, std::function<void()> action) : action_(std::move(action)) {
    clock.schedule(Seconds(when), world::Priority::step_start, 0, *this, 0, 0);
  }
  void on_event(std::uint32_t, std::uint64_t) override { action_(); }

 private:
  std::function<void()> action_;
};

KvDeparture request(std::int64_t tokens, std::int64_t decoded, std::uint64_t admitted, std::uint64_t prefilled) {
  KvDeparture d;
  d.tokens = tokens;
  d.blocks = (tokens + 15) / 16;
  d.decoded = decoded;
  d.admitted_batch = admitted;
  d.prefilled_batch = prefilled;
  return d;
}

TEST(KvHistory, TokensBeforeABatch) {
  const KvDeparture d = request(110, 10, 4, 8);  // 100 prompt tokens in batches 4..8, then 10 more in 9..18
  EXPECT_EQ(tokens_before(d, 0, 18), 0);
  EXPECT_EQ(tokens_before(d, 4, 18), 0);
  EXPECT_EQ(tokens_before(d, 5, 18), 20);
  EXPECT_EQ(tokens_before(d, 8, 18), 80);
  EXPECT_EQ(tokens_before(d, 9, 18), 100);
  EXPECT_EQ(tokens_before(d, 10, 18), 101);
  EXPECT_EQ(tokens_before(d, 18, 18), 109);
  EXPECT_EQ(tokens_before(d, 19, 18), 110);
  // One that decodes in every other batch.
  EXPECT_EQ(tokens_before(request(110, 5, 8, 8), 14, 18), 108);
}

struct Replicating {
  explicit Replicating(const ReplicationSettings& settings, KvBudget budget = {})
      : link(clock, 1, BytesPerSecond(16.0), Seconds(0.25)), owner(clock),
        it(settings, {owner, link, budget, PinEvents(ledger, ReplicaId{0}, 3, "replication")}) {}

  FakeClock clock;
  ListLedger ledger;
  FifoLink link;
  Owner owner;
  Replication it;
};

TEST(Replication, HoldsWhatIsNotSentUntilItIs) {
  Replicating r({});
  At first(r.clock, 10.0, [&] { r.it.on_batch(r.owner.kv_view(), 100); });   // sent at 110.25
  At second(r.clock, 20.0, [&] { r.it.on_batch(r.owner.kv_view(), 1); });    // sent at 111.25
  At leaves(r.clock, 30.0, [&] {
    const std::int64_t kept = r.it.retain(r.owner.kv_view(), request(101, 1, 0, 0), 0);
    EXPECT_EQ(kept, 7);
    r.owner.depart(7, kept);
    EXPECT_EQ(r.it.held(), 7);
    EXPECT_EQ(r.it.lag(), 101);
    EXPECT_GE(r.it.pinned(), 7);
  });
  At between(r.clock, 110.5, [&] { EXPECT_EQ(r.it.lag(), 1); });
  r.clock.run();
  EXPECT_EQ(r.owner.returns, (std::vector<std::pair<double, std::int64_t>>{{111.25, 7}}));
  EXPECT_EQ(r.it.pinned(), 0);
  EXPECT_EQ(r.it.counts().sent, 101);
}

TEST(Replication, KeepsOnlyTheTailOfAnOldRequest) {
  Replicating s({});
  At a(s.clock, 0.0, [&] { s.it.on_batch(s.owner.kv_view(), 64); });        // batch 0, sent at 64.25
  At b(s.clock, 70.0, [&] { s.it.on_batch(s.owner.kv_view(), 1); });        // batch 1, sent at 71.25
  At c(s.clock, 70.5, [&] { s.it.on_batch(s.owner.kv_view(), 1); });        // batch 2, sent at 72.25
  At d(s.clock, 70.75, [&] {
    // 64 prompt tokens are there; tokens 65 and 66 are on their way, in the fifth block.
    EXPECT_EQ(s.it.retain(s.owner.kv_view(), request(66, 2, 0, 0), 0), 1);
    s.owner.depart(5, 1);
  });
  At e(s.clock, 80.0, [&] { EXPECT_EQ(s.it.retain(s.owner.kv_view(), request(66, 2, 0, 0), 0), 0); });
  s.clock.run();
  EXPECT_EQ(s.owner.returns, (std::vector<std::pair<double, std::int64_t>>{{72.25, 1}}));
}

TEST(Replication, NeverHoldsWhatAnotherConsumerHolds) {
  Replicating r({});
  At a(r.clock, 0.0, [&] { r.it.on_batch(r.owner.kv_view(), 160); });
  At b(r.clock, 1.0, [&] {
    EXPECT_EQ(r.it.retain(r.owner.kv_view(), request(160, 0, 0, 0), 4), 6);
    r.owner.depart(10, 6);
    EXPECT_EQ(r.it.retain(r.owner.kv_view(), request(160, 0, 0, 0), 10), 0);
  });
  r.clock.run();
}

TEST(Replication, ActsFromUntil) {
  ReplicationSettings settings;
  settings.from = Seconds(5.0);
  settings.until = Seconds(6.0);
  Replicating r(settings);
  for (const double at : {4.999, 5.0, 5.999, 6.0}) EXPECT_EQ(r.it.active(Seconds(at)), at >= 5.0 && at < 6.0);
  At a(r.clock, 4.999, [&] { r.it.on_batch(r.owner.kv_view(), 10); });
  At b(r.clock, 5.0, [&] { r.it.on_batch(r.owner.kv_view(), 10); });
  At c(r.clock, 6.0, [&] { r.it.on_batch(r.owner.kv_view(), 10); });
  r.clock.run();
  EXPECT_EQ(r.it.counts().written, 10);
  ASSERT_EQ(r.ledger.events.size(), 1U);
  EXPECT_EQ(r.ledger.events[0].condition, 3);
}

TEST(Replication, WaitsForTheBudgetAndSkipsWhatLeaves) {
  ReplicationSettings settings;
  settings.coordinated = true;
  std::vector<const serving::IKvConsumer*> all;
  Replicating r(settings, KvBudget(0.1, all));
  all.push_back(&r.it);
  r.owner.view.free = 90;  // below the budget of 100 blocks
  At a(r.clock, 0.0, [&] {
    r.it.on_batch(r.owner.kv_view(), 64);
    EXPECT_EQ(r.it.pinned(), 0);
    EXPECT_EQ(r.it.lag(), 64);
    EXPECT_EQ(r.it.counts().waits, 1);
  });
  At b(r.clock, 1.0, [&] {
    EXPECT_EQ(r.it.retain(r.owner.kv_view(), request(32, 0, 0, 0), 0), 0);
    EXPECT_EQ(r.it.lag(), 32);
    EXPECT_EQ(r.it.counts().skipped, 32);
    r.owner.view.free = 103;  // room for three blocks
    r.it.on_batch(r.owner.kv_view(), 32);
    EXPECT_EQ(r.it.pinned(), 3);
    EXPECT_EQ(r.it.lag(), 64);
  });
  r.clock.run();
  EXPECT_EQ(r.it.counts().sent, 64);
  EXPECT_EQ(r.it.lag(), 0);
}

TEST(Replication, MakesStepsLonger) {
  ReplicationSettings settings;
  settings.condition = 3;
  Replicating r(settings);
  ReplicationOverhead overhead;
  overhead.add(ReplicaId{2}, r.it);
  serving::StepQuery q;
  q.replica = ReplicaId{2};
  q.compute = milliseconds(8.0);
  q.comm = milliseconds(2.0);
  const serving::StepEffect e = overhead.on_step(q);
  EXPECT_NEAR(to_ms(e.sync), 0.2, 1e-12);  // 2 %
  EXPECT_EQ(e.condition, 3);
  EXPECT_EQ(e.cause, 1U);
  q.replica = ReplicaId{1};
  EXPECT_EQ(overhead.on_step(q).sync.value(), 0.0);
}

struct Checkpointing {
  explicit Checkpointing(CheckpointSettings settings, KvBudget budget = {})
      : link(clock, 1, BytesPerSecond(16.0), Seconds(0.0)), owner(clock),
        it(settings, {owner, link, budget, PinEvents(ledger, ReplicaId{0}, 0, "checkpoint")}) {}

  FakeClock clock;
  ListLedger ledger;
  FifoLink link;
  Owner owner;
  Checkpoint it;
};

CheckpointSettings snapshot_at(double from) {
  CheckpointSettings s;
  s.from = Seconds(from);
  s.period = Seconds(1e6);
  s.chunk = Bytes(25600.0);  // 100 blocks
  return s;
}

TEST(Checkpoint, PinsWhatIsInUseUntilAllIsWritten) {
  Checkpointing c(snapshot_at(5.0));
  At early(c.clock, 4.0, [&] {
    c.it.on_batch(c.owner.kv_view(), 1);  // batch 0
    EXPECT_FALSE(c.it.running());
  });
  At start(c.clock, 5.0, [&] {
    c.it.on_batch(c.owner.kv_view(), 1);  // batch 1
    EXPECT_EQ(c.it.pinned(), 400);
  });
  At leave(c.clock, 6.0, [&] {
    c.it.on_batch(c.owner.kv_view(), 1);  // batch 2
    // Admitted in batch 0 with 40 tokens, one more in batch 1: three blocks of its four were there.
    KvDeparture old = request(49, 9, 0, 0);
    for (int i = 0; i < 7; ++i) c.it.on_batch(c.owner.kv_view(), 1);  // to batch 9
    EXPECT_EQ(c.it.retain(c.owner.kv_view(), old, 0), 3);
    c.owner.depart(4, 3);
    EXPECT_EQ(c.it.retain(c.owner.kv_view(), request(64, 0, 2, 2), 0), 0);  // younger than the snapshot
    EXPECT_EQ(c.it.pinned(), 400);
  });
  const double end = 5.0 + 400 * 16;
  At before(c.clock, end - 1e-6, [&] { EXPECT_EQ(c.it.held(), 3); });
  At after(c.clock, end + 1e-6, [&] { EXPECT_EQ(c.it.pinned(), 0); });
  c.clock.run();
  EXPECT_EQ(c.owner.returns, (std::vector<std::pair<double, std::int64_t>>{{end, 3}}));
  EXPECT_EQ(c.it.counts().written, 400);
  EXPECT_EQ(c.it.counts().snapshots, 1);
}

TEST(Checkpoint, DueWhileOneRunsIsMissed) {
  CheckpointSettings s = snapshot_at(0.0);
  s.period = Seconds(5000.0);  // a snapshot of 400 blocks takes 6400
  Checkpointing c(s);
  At a(c.clock, 0.0, [&] { c.it.on_batch(c.owner.kv_view(), 1); });
  At b(c.clock, 5000.0, [&] { c.it.on_batch(c.owner.kv_view(), 1); });
  At d(c.clock, 9999.0, [&] {
    c.it.on_batch(c.owner.kv_view(), 1);
    EXPECT_FALSE(c.it.running());
  });
  At e(c.clock, 10000.0, [&] { c.it.on_batch(c.owner.kv_view(), 1); });
  c.clock.run();
  EXPECT_EQ(c.it.counts().missed, 1);
  EXPECT_EQ(c.it.counts().snapshots, 2);
  EXPECT_EQ(c.ledger.events.size(), 2U);  // a root each
}

TEST(Checkpoint, CoordinatedPinsAChunkAtATime) {
  std::vector<const serving::IKvConsumer*> all;
  CheckpointSettings s = snapshot_at(0.0);
  s.coordinated = true;
  Checkpointing c(s, KvBudget(0.1, all));
  all.push_back(&c.it);
  At a(c.clock, 0.0, [&] {
    c.it.on_batch(c.owner.kv_view(), 1);
    EXPECT_EQ(c.it.pinned(), 100);
  });
  At b(c.clock, 1.0, [&] {
    // A quarter of what is there is being written, three quarters wait: of 40 blocks 10 stay and 30 are skipped.
    EXPECT_EQ(c.it.retain(c.owner.kv_view(), request(640, 0, 0, 0), 0), 10);
    c.owner.depart(40, 10);
    EXPECT_EQ(c.it.counts().skipped, 30);
    c.owner.view.free = 50;  // below the budget: the next chunk waits
  });
  At d(c.clock, 1700.0, [&] {
    EXPECT_EQ(c.it.pinned(), 0);
    EXPECT_TRUE(c.it.running());
    c.owner.view.free = 160;
    c.it.on_batch(c.owner.kv_view(), 1);
    EXPECT_EQ(c.it.pinned(), 60);
    c.owner.view.free = 700;
  });
  c.clock.run();
  EXPECT_EQ(c.owner.returns, (std::vector<std::pair<double, std::int64_t>>{{1600.0, 10}}));
  EXPECT_EQ(c.it.counts().written, 370);
  EXPECT_FALSE(c.it.running());
  EXPECT_GE(c.it.counts().waits, 1);
}

TEST(KvConsumers, ShareALinkOfOneName) {
  KvConsumerSettings settings;
  settings.replications.resize(1);
  settings.checkpoints.push_back(snapshot_at(0.0));
  settings.checkpoints[0].link = settings.replications[0].link = "nic";
  settings.checkpoints[0].rate = settings.replications[0].rate = BytesPerSecond(16.0);
  settings.checkpoints[0].latency = settings.replications[0].latency = Seconds(0.0);
  FakeClock clock;
  ListLedger ledger;
  Owner owner(clock);
  owner.view.free = 990;  // a snapshot of 10 blocks takes 160 s
  KvConsumers consumers(settings, {ReplicaId{0}, 1, clock, owner, ledger});
  At a(clock, 0.0, [&] { consumers.on_batch(owner.kv_view(), 16); });
  At b(clock, 165.0, [&] { EXPECT_EQ(consumers.pinned(), 1); });  // the delta stands behind it
  At c(clock, 177.0, [&] { EXPECT_EQ(consumers.pinned(), 0); });
  clock.run();
}

TEST(KvConsumers, OfTheirReplicaOnly) {
  KvConsumerSettings settings;
  settings.replications.resize(1);
  settings.replications[0].target.replica = 1;
  FakeClock clock;
  ListLedger ledger;
  Owner owner(clock);
  EXPECT_TRUE(KvConsumers(settings, {ReplicaId{0}, 1, clock, owner, ledger}).empty());
  EXPECT_FALSE(KvConsumers(settings, {ReplicaId{1}, 1, clock, owner, ledger}).empty());
}

TEST(ForcedEvaporation, HoldsAboveTheRateAlone) {
  KvConsumerSettings settings;
  settings.forced_evaporation = ForcedEvaporationSettings{};
  FakeClock clock;
  ListLedger ledger;
  Owner owner(clock);
  KvConsumers consumers(settings, {ReplicaId{0}, 1, clock, owner, ledger});
  std::int64_t held = 0;
  At a(clock, 1.0, [&] {
    for (int i = 0; i < 512; ++i) held += consumers.retain(owner.kv_view(), request(16, 0, 0, 0), 0);
    EXPECT_EQ(held, 0);
    held = consumers.retain(owner.kv_view(), request(32, 0, 0, 0), 0);
    EXPECT_EQ(held, 2);
    owner.depart(2, 2);
  });
  clock.run();
  EXPECT_EQ(owner.returns, (std::vector<std::pair<double, std::int64_t>>{{2.0, 2}}));
  EXPECT_EQ(consumers.pinned(), 0);
}

TEST(MidCollectiveEviction, OneRankRecomputesAndTheOthersWait) {
  FakeClock clock;
  ListLedger ledger;
  MidCollectiveEviction it({}, PinEvents(ledger, ReplicaId{0}, -1, "kv_evicted_mid_collective"));
  serving::StepQuery q;
  q.ranks = 4;
  q.collectives = 160;
  EXPECT_EQ(it.on_step(q).sync.value(), 0.0);
  KvDeparture d = request(8192, 0, 0, 0);
  it.retain({}, d, 0);
  EXPECT_EQ(it.on_step(q).sync.value(), 0.0);  // it finished
  d.preempted = true;
  EXPECT_EQ(it.retain({}, d, 0), 0);
  const serving::StepEffect e = it.on_step(q);
  EXPECT_DOUBLE_EQ(e.sync.value(), 3.5);
  ASSERT_EQ(e.wait.size(), 4U);
  for (std::int64_t r = 0; r < 4; ++r) {
    EXPECT_EQ(e.wait[static_cast<std::size_t>(r)].value(), r == e.slowest_rank ? 0.0 : e.sync.value());
  }
  EXPECT_EQ(it.on_step(q).sync.value(), 0.0);
}

}  // namespace
}  // namespace brink::conditions
