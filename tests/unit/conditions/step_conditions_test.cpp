#include "sim/conditions/step_conditions.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "tests/unit/conditions/support.h"

namespace brink::conditions {
namespace {

using test::KeptLedger;
using test::query;
using test::slow;
using test::stall;

constexpr double tiny = 1e-12;

TEST(step_conditions, nothing_acts_nothing_added) {
  KeptLedger ledger;
  StepConditions none(8, {}, {}, {}, ledger);
  StepConditions later(8, {slow(0, 5, 2.0, {Seconds(100.0), Seconds(200.0), {}, {}})}, {}, {}, ledger);
  for (StepConditions* conditions : {&none, &later}) {
    const auto effect = conditions->on_step(query(0, 1.0));
    EXPECT_EQ(effect.sync, Seconds(0.0));
    EXPECT_EQ(effect.slowest_rank, -1);
    EXPECT_TRUE(effect.wait.empty());
    EXPECT_EQ(effect.cause, 0U);
    EXPECT_EQ(effect.condition, -1);
  }
  EXPECT_TRUE(ledger.events.empty());
}

// 1.2 ms on one rank of eight: the step is 1.2 ms longer, the other seven show it as a wait in collectives, and
// nothing is sent again.
TEST(step_conditions, a_late_rank_of_eight_is_a_wait_of_seven) {
  KeptLedger ledger;
  StepConditions conditions(8, {stall(0, 5, milliseconds(1.2))}, {}, {}, ledger);
  const auto effect = conditions.on_step(query(0, 3.0));
  EXPECT_NEAR(to_ms(effect.sync), 1.2, tiny);
  EXPECT_EQ(effect.slowest_rank, 5);
  ASSERT_EQ(effect.wait.size(), 8U);
  for (std::size_t r = 0; r < 8; ++r) EXPECT_NEAR(to_ms(effect.wait[r]), r == 5 ? 0.0 : 1.2, tiny) << r;
  EXPECT_EQ(effect.condition, 0);
  ASSERT_EQ(ledger.events.size(), 1U) << "a root and nothing else";
  EXPECT_EQ(ledger.events[0].kind, world::EventKind::condition);
  EXPECT_EQ(effect.cause, 1U);
}

TEST(step_conditions, a_slow_rank_gates_by_its_share_of_compute) {
  KeptLedger ledger;
  StepConditions conditions(8, {slow(0, 2, 1.1)}, {}, {}, ledger);
  const auto effect = conditions.on_step(query(0, 0.0));
  EXPECT_NEAR(to_ms(effect.sync), 1.2, tiny);
  EXPECT_EQ(effect.slowest_rank, 2);
  EXPECT_NEAR(to_ms(effect.wait[2]), 0.0, tiny);
  EXPECT_NEAR(to_ms(effect.wait[0]), 1.2, tiny);
}

TEST(step_conditions, the_slowest_of_several_gates_and_the_others_wait_less) {
  KeptLedger ledger;
  StepConditions conditions(8, {slow(0, 2, 1.1), slow(1, 6, 1.05), slow(2, 2, 1.2)}, {}, {}, ledger);
  const auto effect = conditions.on_step(query(0, 0.0));
  EXPECT_NEAR(to_ms(effect.sync), 12.0 * (1.1 * 1.2 - 1.0), tiny) << "factors on one rank multiply";
  EXPECT_NEAR(to_ms(effect.wait[6]), 12.0 * (0.32 - 0.05), 1e-9);
  EXPECT_EQ(effect.condition, 2) << "the larger part of the slowest rank";
  // The two on rank 2 share the delay; rank 6 delayed nobody.
  EXPECT_NEAR(to_ms(ledger.events[0].total) + to_ms(ledger.events[2].total), 12.0 * 0.32, 1e-9);
  EXPECT_NEAR(ledger.events[2].total / ledger.events[0].total, 2.0, 1e-9);
  EXPECT_EQ(ledger.events[1].total, Seconds(0.0));
}

// Pauses fall before the first collective, slow-downs on all of them: two ranks can gate one step.
TEST(step_conditions, a_pause_and_a_slow_down_on_different_ranks) {
  KeptLedger ledger;
  StepConditions conditions(4, {slow(0, 0, 1.1), stall(1, 3, milliseconds(2.0))}, {}, {}, ledger);
  const auto effect = conditions.on_step(query(0, 0.0, 4));
  const double each = 1.2 / 160;  // rank 0 at every collective
  EXPECT_NEAR(to_ms(effect.sync), 2.0 + 159 * each, 1e-9);
  EXPECT_EQ(effect.slowest_rank, 3);
  EXPECT_NEAR(to_ms(effect.wait[3]), 159 * each, 1e-9);
  EXPECT_NEAR(to_ms(effect.wait[0]), 2.0 - each, 1e-9);
}

TEST(step_conditions, one_gpu_has_nobody_to_wait_for_it) {
  KeptLedger ledger;
  StepConditions conditions(1, {slow(0, 0, 1.5), stall(1, 0, milliseconds(1.0))}, {test::jitter(2, eager_lateness())}, {}, ledger);
  auto alone = query(0, 0.0, 1);
  alone.collectives = 0;
  const auto effect = conditions.on_step(alone);
  EXPECT_NEAR(to_ms(effect.sync), 7.0, tiny);
  EXPECT_EQ(effect.wait[0], Seconds(0.0));
}

// Ranks with clocks of their own that meet at every collective, one by one: the sums above are shortcuts for this.
TEST(step_conditions, closed_form_equals_ranks_that_meet_one_by_one) {
  const RandomStream random(11, "cases");
  for (std::uint64_t i = 0; i < 500; ++i) {
    const auto draw = [&](std::uint32_t d) { return random.uniform({i}, d); };
    const auto ranks = static_cast<std::int64_t>(1 + random.below(16, {i}, 0));
    auto q = query(i, 1.0, ranks);
    q.collectives = static_cast<std::int64_t>(random.below(170, {i}, 1));
    q.compute = milliseconds(20.0 * draw(2));
    std::vector<StepConditions::RankPart> parts;
    std::vector<double> late(static_cast<std::size_t>(ranks)), pause(late);
    for (std::int64_t r = 0; r < ranks; ++r) {
      const auto at = static_cast<std::size_t>(r);
      const auto key = static_cast<std::uint32_t>(10 + 4 * r);
      if (draw(key) < 0.5) {
        late[at] = draw(key + 1) * q.compute.value();
        parts.push_back(slow(static_cast<std::int32_t>(parts.size()), r, 1.0 + draw(key + 1)));
      }
      if (draw(key + 2) < 0.4) {
        pause[at] = 1e-3 * draw(key + 3);
        parts.push_back(stall(static_cast<std::int32_t>(parts.size()), r, milliseconds(draw(key + 3))));
      }
    }
    const auto meetings = static_cast<double>(std::max<std::int64_t>(q.collectives, 1));
    double now = 0.0;
    std::vector<double> waited(late.size());
    for (int k = 0; k < meetings; ++k) {
      std::vector<double> arrival(late.size(), now);
      for (std::size_t r = 0; r < late.size(); ++r) arrival[r] += (q.compute.value() + late[r]) / meetings + (k == 0 ? pause[r] : 0.0);
      now = *std::max_element(arrival.begin(), arrival.end());
      for (std::size_t r = 0; r < late.size(); ++r) waited[r] += now - arrival[r];
    }
    KeptLedger ledger;
    StepConditions conditions(ranks, std::move(parts), {}, {}, ledger);
    const auto effect = conditions.on_step(q);
    EXPECT_NEAR(effect.sync.value(), now - q.compute.value(), 1e-12);
    double blamed = 0.0;
    for (const auto& event : ledger.events) blamed += event.total.value();
    EXPECT_NEAR(blamed, effect.sync.value(), 1e-12) << "every second is somebody's";
    for (std::size_t r = 0; r < effect.wait.size(); ++r) EXPECT_NEAR(effect.wait[r].value(), waited[r], 1e-12) << r;
  }
}

TEST(step_conditions, a_root_for_every_burst_and_replica) {
  KeptLedger ledger;
  const Schedule bursts{Seconds(10.0), Seconds(35.0), Seconds(10.0), Seconds(2.5)};
  StepConditions conditions(8, {stall(3, 5, milliseconds(1.0), bursts)}, {}, {}, ledger);
  int stalled = 0;
  for (int i = 0; i < 400; ++i) {
    for (const std::uint64_t id : {0U, 1U}) {
      auto q = query(static_cast<std::uint64_t>(i), 0.1 * i);
      q.replica = ReplicaId{id};
      const auto effect = conditions.on_step(q);
      if (effect.sync > Seconds(0.0)) {
        ++stalled;
        const auto& root = ledger.events.at(effect.cause - 1);
        EXPECT_EQ(root.replica.value, id);
        EXPECT_LE(root.at, q.launch);
        EXPECT_GT(root.at, q.launch - Seconds(2.6));
      }
    }
  }
  EXPECT_EQ(stalled, 2 * 3 * 25);
  ASSERT_EQ(ledger.events.size(), 6U);
  for (const auto& event : ledger.events) {
    EXPECT_EQ(event.kind, world::EventKind::condition);
    EXPECT_EQ(event.condition, 3);
    EXPECT_EQ(event.rank, 5);
    EXPECT_EQ(event.count, 25);
    EXPECT_NEAR(to_ms(event.total), 25.0, 1e-9);
    EXPECT_EQ(event.detail, "rank 5: 1 ms late in every step");
  }
}

TEST(step_conditions, answers_do_not_depend_on_the_order_of_questions) {
  const auto parts = [] {
    const RandomStream spread(1, "spread");
    std::vector<StepConditions::RankPart> out = {slow(0, 1, 1.05, {Seconds(3.0), Seconds(8.0), {}, {}}),
                                                 stall(1, 4, milliseconds(0.5), {Seconds(0.0), Seconds(9.0), Seconds(2.0), Seconds(1.0)})};
    out.push_back({2, std::make_shared<GpuSpread>(GpuSpreadSettings{}, spread)});
    return out;
  };
  KeptLedger a, b;
  StepConditions forward(8, parts(), {test::jitter(3, graph_lateness())}, {}, a);
  StepConditions shuffled(8, parts(), {test::jitter(3, graph_lateness())}, {}, b);
  std::vector<double> in_order(300);
  for (std::uint64_t i = 0; i < 300; ++i) in_order[i] = forward.on_step(query(i, 0.03 * static_cast<double>(i))).sync.value();
  for (std::uint64_t k = 0; k < 300; ++k) {
    const std::uint64_t i = k * 173 % 300;
    EXPECT_EQ(shuffled.on_step(query(i, 0.03 * static_cast<double>(i))).sync.value(), in_order[i]) << i;
  }
}

TEST(step_conditions, pacing_names_every_rank_alike) {
  KeptLedger ledger;
  StepConditions conditions(8, {}, {test::jitter(0, graph_lateness())}, {}, ledger);
  std::array<int, 8> named{};
  double sync = 0.0, wait = 0.0;
  constexpr int count = 20'000;
  for (std::uint64_t i = 0; i < count; ++i) {
    const auto effect = conditions.on_step(query(i, 0.02 * static_cast<double>(i)));
    ++named.at(static_cast<std::size_t>(effect.slowest_rank));
    sync += effect.sync.value();
    wait += effect.wait[3].value();
  }
  for (const int n : named) EXPECT_NEAR(n, count / 8, 5 * std::sqrt(count / 8.0));
  const double latest = latest_of(graph_lateness(), 8).mean, own = graph_lateness().mean().value();
  EXPECT_NEAR(sync / count / (160 * latest), 1.0, 0.002);
  EXPECT_NEAR(wait / count / (160 * (latest - own)), 1.0, 0.005);
  EXPECT_EQ(ledger.events.size(), 1U);
  EXPECT_NEAR(ledger.events[0].total.value(), sync, 1e-9 * sync);
}

// Pacing and a slow rank together grow a step by less than their sum and by more than either.
TEST(step_conditions, pacing_hides_a_part_of_a_small_slow_down) {
  KeptLedger ledger;
  const auto mean = [&](std::vector<StepConditions::RankPart> parts, std::vector<StepConditions::JitterPart> jitters) {
    StepConditions conditions(8, std::move(parts), std::move(jitters), {}, ledger);
    double sum = 0.0;
    for (std::uint64_t i = 0; i < 2000; ++i) sum += to_ms(conditions.on_step(query(i, 1.0)).sync) / 2000.0;
    return sum;
  };
  const auto j = [] { return std::vector<StepConditions::JitterPart>{test::jitter(1, graph_lateness())}; };
  const double slow_alone = mean({slow(0, 2, 1.2)}, {}), pacing_alone = mean({}, j()), both = mean({slow(0, 2, 1.2)}, j());
  EXPECT_NEAR(slow_alone, 2.4, 1e-9);
  EXPECT_GT(both, pacing_alone);
  EXPECT_LT(both, slow_alone + pacing_alone - 0.3);
  // A stall, once a step, is hidden by one collective's pacing only.
  const double stalled = mean({stall(0, 2, milliseconds(2.0))}, j());
  EXPECT_NEAR(stalled, pacing_alone + 2.0, 0.05);
}

TEST(step_conditions, removing_a_condition_leaves_the_others_draws) {
  KeptLedger ledger;
  StepConditions with(8, {stall(0, 2, milliseconds(3.0))}, {test::jitter(1, graph_lateness(), "mine")}, {}, ledger);
  StepConditions without(8, {}, {test::jitter(0, graph_lateness(), "mine")}, {}, ledger);
  for (std::uint64_t i = 0; i < 200; ++i) {
    const double both = to_ms(with.on_step(query(i, 1.0)).sync), alone = to_ms(without.on_step(query(i, 1.0)).sync);
    EXPECT_NEAR(both, alone + 3.0, 0.25) << "the pacing of 159 collectives is shared, that of one is not";
  }
}

TEST(step_conditions, clocks_slow_only_what_follows_them) {
  KeptLedger ledger;
  ThrottleSettings settings;
  settings.clock = 0.5;
  StepConditions conditions(8, {{0, std::make_shared<Throttle>(settings)}}, {}, {}, ledger);
  auto q = query(0, 1.0);
  q.clock_bound = milliseconds(3.0);
  EXPECT_NEAR(to_ms(conditions.on_step(q).sync), 3.0, 1e-9) << "3 ms at half the clock take 3 ms more";
  q.clock_bound = Seconds(0.0);
  EXPECT_EQ(conditions.on_step(q).sync, Seconds(0.0)) << "memory-bound decode does not notice";
  q.clock_bound = Seconds(-1.0);
  EXPECT_NEAR(to_ms(conditions.on_step(q).sync), 12.0, 1e-9) << "unknown: all of it";
  ASSERT_EQ(ledger.events.size(), 2U);
  EXPECT_EQ(ledger.events[1].kind, world::EventKind::throttle);
  EXPECT_EQ(ledger.events[1].cause, 1U);
}

TEST(step_conditions, a_thermal_ramp_falls_and_recovers) {
  KeptLedger ledger;
  ThrottleSettings settings;
  settings.target.rank = 1;
  settings.schedule = {Seconds(10.0), Seconds(100.0), {}, {}};
  settings.clock = 0.8;
  settings.ramp = Seconds(15.0);
  StepConditions conditions(8, {{0, std::make_shared<Throttle>(settings)}}, {}, {}, ledger);
  double last = 0.0, deepest = 0.0;
  for (int t = 0; t < 100; ++t) {
    const double sync = to_ms(conditions.on_step(query(static_cast<std::uint64_t>(t), t)).sync);
    EXPECT_GE(sync, last) << t;
    last = deepest = sync;
  }
  // Nine tenths of 90 s in, the clock is within a step of its target: 12 ms become 15.
  EXPECT_NEAR(deepest, 3.0, 0.15);
  for (int t = 100; t < 300; ++t) {
    const double sync = to_ms(conditions.on_step(query(static_cast<std::uint64_t>(t), t)).sync);
    EXPECT_LE(sync, last) << t;
    last = sync;
  }
  EXPECT_EQ(last, 0.0);
  EXPECT_EQ(ledger.events.size(), 2U) << "one interval, however many steps of the clock";
}

TEST(step_conditions, gpus_of_one_type_differ_and_stay_so) {
  const RandomStream stream(3, "spread");
  const GpuSpread spread(GpuSpreadSettings{}, stream);
  double sum = 0.0;
  std::vector<double> slower;
  for (std::uint64_t id = 0; id < 2000; ++id) {
    double slowest = 0.0;
    for (std::int64_t r = 0; r < 8; ++r) {
      const double s = spread.load(ReplicaId{id}, r, Seconds(0.0)).slowdown;
      EXPECT_EQ(s, spread.load(ReplicaId{id}, r, Seconds(1e5)).slowdown);
      EXPECT_GE(s, 0.0);
      slowest = std::max(slowest, s);
    }
    sum += slowest / 2000.0;
  }
  EXPECT_NEAR(sum, 0.015 * 1.42, 0.001) << "the slowest of eight lies 1.42 deviations out";

  GpuSpreadSettings outliers;
  outliers.outlier_share = 0.05;
  const GpuSpread some(outliers, stream);
  int slow_cards = 0;
  for (std::uint64_t id = 0; id < 2000; ++id) slow_cards += some.load(ReplicaId{id}, 0, Seconds(0.0)).slowdown > 0.45 ? 1 : 0;
  EXPECT_NEAR(slow_cards, 100, 5 * std::sqrt(95.0));
}

TEST(step_conditions, few_collectives_are_drawn_one_by_one) {
  KeptLedger ledger;
  StepConditions conditions(2, {}, {test::jitter(0, eager_lateness())}, {}, ledger);
  double sum = 0.0;
  for (std::uint64_t i = 0; i < 100'000; ++i) {
    auto q = query(i, 1.0, 2);
    q.collectives = 5;
    sum += conditions.on_step(q).sync.value();
  }
  EXPECT_NEAR(sum / 1e5 / (5 * latest_of(eager_lateness(), 2).mean), 1.0, 0.02);
}

TEST(timing_hypotheses, off_by_default_and_a_late_rank_is_sent_again_when_on) {
  KeptLedger ledger;
  TimingHypotheses claims;
  claims.retransmit = LateRankRetransmit{milliseconds(1.0), milliseconds(0.5)};
  StepConditions off(8, {stall(0, 5, milliseconds(1.2))}, {}, {}, ledger);
  StepConditions on(8, {stall(0, 5, milliseconds(1.2))}, {}, claims, ledger);
  EXPECT_NEAR(to_ms(off.on_step(query(0, 0.0)).sync), 1.2, tiny);
  EXPECT_NEAR(to_ms(on.on_step(query(0, 0.0)).sync), 1.2 + 0.5 + 2.0 / 160, 1e-9) << "one collective again";
  StepConditions early(8, {stall(0, 5, milliseconds(0.9))}, {}, claims, ledger);
  EXPECT_NEAR(to_ms(early.on_step(query(0, 0.0)).sync), 0.9, tiny) << "below the threshold it stays a wait";
}

TEST(timing_hypotheses, spills_lengthen_what_is_late) {
  KeptLedger ledger;
  TimingHypotheses claims;
  claims.spills = RunTimeSpills{0.2};
  StepConditions on(8, {slow(0, 5, 1.1)}, {}, claims, ledger);
  EXPECT_NEAR(to_ms(on.on_step(query(0, 0.0)).sync), 1.2 / 0.8, 1e-9);
}

}  // namespace
}  // namespace brink::conditions
