// What the journal tells the ledger: who is to blame for what.
#include "sim/serving/journal.h"

#include <gtest/gtest.h>

#include "sim/telemetry/ledger.h"

namespace brink::serving {
namespace {

using world::EventKind;

struct Scene {
  telemetry::Ledger ledger;
  Journal journal{Journal::Settings{ReplicaId{0}, {}, true, 1}, ledger};

  /// A slow rank delayed the step that ends at `at` by `delay`.
  world::CauseId wait(double at, double delay) {
    if (root == 0) {
      world::LedgerEvent event;
      event.kind = EventKind::condition;
      event.at = Seconds(at);
      event.condition = 0;
      root = ledger.add(event);
    }
    StepEffect effect;
    effect.sync = Seconds(delay);
    effect.slowest_rank = 5;
    effect.cause = root;
    effect.condition = 0;
    journal.on_effect(effect, Seconds(at));
    return static_cast<world::CauseId>(ledger.size());
  }
  [[nodiscard]] const telemetry::LedgerEntry& last() const { return ledger[static_cast<world::CauseId>(ledger.size())]; }
  [[nodiscard]] EventKind kind(world::CauseId id) const { return ledger[id].event.kind; }

  world::CauseId root = 0;
};

TEST(Journal, WaitsOfOneCauseGrowIntoOneEvent) {
  Scene s;
  const world::CauseId first = s.wait(1.0, 0.002);
  EXPECT_EQ(s.wait(1.5, 0.003), first);
  EXPECT_EQ(s.ledger[first].count, 2);
  EXPECT_DOUBLE_EQ(s.ledger[first].event.delay.value(), 0.005);
  EXPECT_EQ(s.ledger[first].event.cause, s.root);
  // After a pause longer than causes are taken to act it is a new event.
  EXPECT_NE(s.wait(60.0, 0.001), first);
}

TEST(Journal, CutsAndRecoveryNameWhatLedToThem) {
  Scene s;
  const world::CauseId wait = s.wait(1.0, 0.002);
  s.journal.on_limits(64, 32, 64, Seconds(1.1));
  EXPECT_EQ(s.last().event.kind, EventKind::batch_cut);
  EXPECT_EQ(s.last().event.cause, wait);
  EXPECT_EQ(s.last().event.amount, 32.0);
  const auto cut = static_cast<world::CauseId>(s.ledger.size());
  s.journal.on_limits(32, 48, 64, Seconds(2.0));  // not yet the full limit
  EXPECT_EQ(s.ledger.size(), cut);
  s.journal.on_limits(48, 64, 64, Seconds(3.0));
  EXPECT_EQ(s.last().event.kind, EventKind::batch_recovery);
  EXPECT_EQ(s.last().event.cause, cut);
}

TEST(Journal, WithoutAConditionTheOfferedLoadIsToBlame) {
  Scene s;
  s.journal.on_preempted(Seconds(1.0), 0);
  EXPECT_EQ(s.last().event.kind, EventKind::preemption);
  EXPECT_EQ(s.kind(s.last().event.cause), EventKind::offered_load);
  // What pins KV takes the blame where it holds any.
  Scene pinned;
  const world::CauseId pin = pinned.wait(0.5, 0.001);
  pinned.journal.on_preempted(Seconds(50.0), pin);
  EXPECT_EQ(pinned.last().event.cause, pin);
}

TEST(Journal, ShapedRequestsAreNoted) {
  Scene s;
  Sequence sequence;
  sequence.record.raw_input_tokens = 3000;
  sequence.record.input_tokens = 1000;
  sequence.record.truncation = "latency_guard";
  s.journal.on_shaped(sequence, Seconds(1.0));
  s.journal.on_shaped(sequence, Seconds(2.0));
  EXPECT_EQ(s.last().event.kind, EventKind::shaping);
  EXPECT_EQ(s.last().event.amount, 4000.0);
  EXPECT_EQ(s.last().count, 2);
  EXPECT_EQ(s.last().event.detail, "latency_guard");
  EXPECT_EQ(s.kind(s.last().event.cause), EventKind::offered_load);
}

TEST(Journal, ARequestIsToldItsLargestDelay) {
  Scene s;
  s.wait(1.0, 0.010);
  Sequence late, early;
  early.record.queued = late.record.queued = Seconds(0.5);
  s.journal.on_enqueued(late);  // after the first delay
  s.wait(2.0, 0.004);
  s.journal.on_departed(early);
  s.journal.on_departed(late);
  EXPECT_DOUBLE_EQ(early.record.caused_delay.value(), 0.014);
  EXPECT_DOUBLE_EQ(late.record.caused_delay.value(), 0.004);
  EXPECT_EQ(early.record.cause, s.root);
}

}  // namespace
}  // namespace brink::serving
