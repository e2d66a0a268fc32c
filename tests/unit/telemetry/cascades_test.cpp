#include "sim/telemetry/cascades.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support.h"

namespace brink::telemetry {
namespace {

using namespace testing;
using world::EventKind;

serving::RequestRecord delayed(std::uint64_t id, world::CauseId cause, double delay_s, double e2e_s = 1.0) {
  serving::RequestRecord r = request(id, 5.0, 0.1, e2e_s - 0.1, 11);
  r.cause = cause;
  r.caused_delay = Seconds(delay_s);
  return r;
}

SloLimits e2e_limit(double ms) { return {nan, nan, ms}; }

/// A stall of 0.2 s: ranks wait for it, a controller cuts the batch, which preempts twice.
world::CauseId stall(Cascades& cascades, std::int32_t condition = 0, double delay_s = 0.2) {
  Ledger& ledger = cascades.ledger();
  world::LedgerEvent root = event(EventKind::condition, 1.0, 0);
  root.condition = condition;
  root.detail = "stall";
  const auto id = ledger.add(root);
  const auto wait = ledger.add(event(EventKind::collective_wait, 1.0, id, delay_s / 2));
  ledger.extend(wait, Seconds(2.0), Seconds(delay_s / 2));
  const auto cut = ledger.add(event(EventKind::batch_cut, 1.5, wait));
  ledger.add(event(EventKind::preemption, 1.75, cut, 0.05));
  ledger.add(event(EventKind::preemption, 2.5, cut, 0.05));
  return id;
}

TEST(Cascades, AmplificationIsRequestDelayOverDelayAtTheRoot) {
  Cascades cascades(Seconds(0.0), e2e_limit(900.0));
  const auto root = stall(cascades);
  cascades.add(delayed(0, root, 0.2));
  cascades.add(delayed(1, root, 0.15));
  cascades.add(delayed(2, root + 2, 0.05, 0.5));  // its cause is further down the same tree
  cascades.add(delayed(3, 0, 0.0));               // late, and nobody knows why
  const std::vector<Cascade> top = cascades.top();
  ASSERT_EQ(top.size(), 1U);
  EXPECT_EQ(top[0].root, root);
  EXPECT_NEAR(top[0].delay.value(), 0.2, 1e-12);  // the wait: preemptions are no delay at the root
  EXPECT_NEAR(top[0].request_delay.value(), 0.4, 1e-12);
  EXPECT_NEAR(top[0].amplification(), 2.0, 1e-9);
  EXPECT_EQ(top[0].requests, 3);
  EXPECT_EQ(top[0].slo_violations, 2);
  EXPECT_EQ(number(cascades.json(), "/unexplained_slo_violations"), 1);
}

TEST(Cascades, ARootsOwnDelayCountsAlone) {
  Cascades cascades(Seconds(0.0), {nan, nan, nan});
  const auto root = cascades.ledger().add(event(EventKind::throttle, 1.0, 0, 0.5));
  cascades.ledger().add(event(EventKind::slow_step, 1.0, root, 0.4));
  EXPECT_EQ(cascades.top().at(0).delay, Seconds(0.5));
  EXPECT_TRUE(std::isnan(Cascade{}.amplification()));
}

TEST(Cascades, TheChainIsByKindAndDepth) {
  Cascades cascades(Seconds(0.0), e2e_limit(900.0));
  const auto root = stall(cascades);
  cascades.add(delayed(0, root, 0.2));
  const std::vector<CascadeLink> chain = cascades.top().at(0).chain;
  std::vector<std::string> text;
  for (const CascadeLink& link : chain) {
    text.push_back(std::to_string(link.depth) + " " + world::name(link.kind) + " " + std::to_string(link.events) + " " +
                   std::to_string(link.count));
  }
  EXPECT_THAT(text, ::testing::ElementsAre("1 collective_wait 1 2", "1 slo_violation 1 1", "2 batch_cut 1 1",
                                           "3 preemption 2 2"));
  EXPECT_NEAR(chain.back().delay.value(), 0.1, 1e-12);
}

TEST(Cascades, ViolationsOfOneCauseAndReplicaAreOneEvent) {
  Cascades cascades(Seconds(0.0), e2e_limit(900.0));
  const auto root = stall(cascades);
  const std::size_t before = cascades.ledger().size();
  for (std::uint64_t i = 0; i < 100; ++i) {
    serving::RequestRecord r = delayed(i, root, 0.1);
    r.replica = ReplicaId{i % 2};
    cascades.add(r);
  }
  EXPECT_EQ(cascades.ledger().size(), before + 2);
  EXPECT_EQ(cascades.ledger()[static_cast<world::CauseId>(before + 1)].count, 50);
  EXPECT_EQ(cascades.top().at(0).slo_violations, 100);
}

TEST(Cascades, TheWorstComeFirstAndOnlySoMany) {
  Cascades cascades(Seconds(0.0), {nan, nan, nan});
  std::vector<world::CauseId> roots;
  for (int i = 0; i < 20; ++i) roots.push_back(stall(cascades, i % 3, 0.01 * (i + 1)));
  cascades.add(delayed(0, roots[4], 0.3));
  cascades.add(delayed(1, roots[7], 0.5));
  const std::vector<Cascade> top = cascades.top();
  ASSERT_EQ(top.size(), 10U);
  EXPECT_EQ(top[0].root, roots[7]);
  EXPECT_EQ(top[1].root, roots[4]);
  EXPECT_EQ(top[2].root, roots[19]);  // no request: by delay at the root
  EXPECT_EQ(top[3].root, roots[18]);
  const Json json = cascades.json();
  EXPECT_EQ(number(json, "/roots"), 20);
  EXPECT_EQ(number(json, "/events"), 100);
  EXPECT_EQ(number(json, "/by_kind/preemption/events"), 40);
  // Conditions add up over their roots: 7 of condition 0, with 1, 4, 7 ... 19 hundredths of a second.
  EXPECT_EQ(number(json, "/conditions/0/roots"), 7);
  EXPECT_NEAR(number(json, "/conditions/0/delay_s"), 0.70, 1e-9);
  EXPECT_NEAR(number(json, "/conditions/1/request_delay_s"), 0.8, 1e-9);
  EXPECT_EQ(number(json, "/top/0/requests_touched"), 1);
  EXPECT_EQ(text(json, "/top/0/detail"), "\"stall\"");
  EXPECT_EQ(number(json, "/top/0/from_s"), 1.0);
  EXPECT_EQ(number(json, "/top/0/until_s"), 2.5);
  EXPECT_EQ(text(json, "/top/0/rank"), "null");
}

TEST(Cascades, RequestsOfTheWarmUpAreLeftOut) {
  Cascades cascades(Seconds(10.0), e2e_limit(900.0));
  const auto root = stall(cascades);
  cascades.add(delayed(0, root, 0.2));  // arrived at 5 s
  EXPECT_EQ(cascades.top().at(0).requests, 0);
  EXPECT_EQ(cascades.ledger().size(), 5U);
}

TEST(Cascades, OfNothingAreEmpty) {
  const Cascades cascades(Seconds(0.0), {nan, nan, nan});
  const Json json = cascades.json();
  EXPECT_EQ(text(json, "/top"), "[]");
  EXPECT_EQ(text(json, "/by_kind"), "{}");
  EXPECT_EQ(number(json, "/events"), 0);
}

}  // namespace
}  // namespace brink::telemetry
