#include "sim/telemetry/ledger.h"

#include <gtest/gtest.h>

#include "models/base/error.h"
#include "support.h"

namespace brink::telemetry {
namespace {

using namespace testing;
using world::EventKind;

TEST(Ledger, EventsFormTrees) {
  Ledger ledger;
  const auto stall = ledger.add(event(EventKind::condition, 1.0, 0));
  const auto wait = ledger.add(event(EventKind::collective_wait, 1.0, stall));
  const auto load = ledger.add(event(EventKind::offered_load, 1.5, 0));
  const auto cut = ledger.add(event(EventKind::batch_cut, 2.0, wait));
  EXPECT_EQ(stall, 1U);
  EXPECT_EQ(cut, 4U);
  EXPECT_EQ(ledger.root(stall), stall);
  EXPECT_EQ(ledger.root(cut), stall);
  EXPECT_EQ(ledger.root(load), load);
  EXPECT_EQ(ledger.root(0), 0U);
  EXPECT_EQ(ledger[stall].depth, 0U);
  EXPECT_EQ(ledger[cut].depth, 2U);
}

TEST(Ledger, WhatGoesOnIsOneEvent) {
  Ledger ledger;
  const auto id = ledger.add(event(EventKind::collective_wait, 1.0, 0, 0.001));
  for (int i = 1; i <= 1000; ++i) ledger.extend(id, Seconds(1.0 + 0.01 * i), Seconds(0.001), 2.0);
  ledger.extend(id, Seconds(0.5), Seconds(0.0), 0.0, 5);  // ends no earlier than it did
  ledger.extend(0, Seconds(99.0), Seconds(99.0));         // nothing was kept
  EXPECT_EQ(ledger.size(), 1U);
  EXPECT_NEAR(ledger[id].event.delay.value(), 1.001, 1e-12);
  EXPECT_EQ(ledger[id].event.amount, 2000.0);
  EXPECT_EQ(ledger[id].count, 1006);
  EXPECT_EQ(ledger[id].until, Seconds(11.0));
}

TEST(Ledger, PastItsLimitItCountsWhatItDrops) {
  Ledger ledger(2);
  const auto root = ledger.add(event(EventKind::condition, 1.0, 0));
  const auto kept = ledger.add(event(EventKind::preemption, 1.0, root));
  const auto dropped = ledger.add(event(EventKind::preemption, 2.0, root, 0.25));
  EXPECT_EQ(dropped, 0U);
  EXPECT_EQ(ledger.add(event(EventKind::regime_change, 3.0, dropped, 0.5)), 0U);
  EXPECT_EQ(ledger.size(), 2U);
  EXPECT_EQ(ledger.dropped(), 2);
  EXPECT_EQ(ledger.dropped_delay(), Seconds(0.75));
  ledger.extend(kept, Seconds(4.0), Seconds(0.1));  // what is kept still grows
  EXPECT_EQ(ledger[kept].count, 2);
}

TEST(Ledger, ACauseComesBeforeItsEffect) {
  Ledger ledger;
  EXPECT_THROW(ledger.add(event(EventKind::preemption, 1.0, 1)), Error);
  EXPECT_THROW(ledger.extend(1, Seconds(1.0), Seconds(0.0)), Error);
  ledger.add(event(EventKind::preemption, 1.0, 0));
  EXPECT_THROW(ledger.add(event(EventKind::preemption, 1.0, 2)), Error);
}

TEST(Ledger, HasALineAnEvent) {
  Ledger ledger;
  world::LedgerEvent root = event(EventKind::condition, 1.5, 0);
  root.replica = ReplicaId{2};
  root.rank = 5;
  root.condition = 3;
  root.detail = "a \"slow\" rank";
  const auto id = ledger.add(root);
  ledger.add(event(EventKind::collective_wait, 1.75, id, 0.0125));
  ledger.extend(2, Seconds(2.0), Seconds(0.0005), 4.0, 3);
  EXPECT_EQ(ledger.jsonl(),
            R"({"id":1,"kind":"condition","at_s":1.500000000,"until_s":1.500000000,"replica":2,"rank":5,"cause":0,)"
            R"("delay_s":0.000000000,"amount":0.0,"count":1,"condition":3,"detail":"a \"slow\" rank"})"
            "\n"
            R"({"id":2,"kind":"collective_wait","at_s":1.750000000,"until_s":2.000000000,"replica":0,"rank":-1,"cause":1,)"
            R"("delay_s":0.013000000,"amount":4.0,"count":4,"condition":-1,"detail":""})"
            "\n");
}

}  // namespace
}  // namespace brink::telemetry
