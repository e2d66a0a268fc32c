// Against a recomputation from the whole history, the windows' edges, and what is blamed.
#include "sim/serving/regime_tracker.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "models/base/random.h"

namespace brink::serving {
namespace {

using memory::Regime;

RegimeSample plenty() { return {10'000, 9'000, 0, 0, mib(2), 0, Seconds(0.0)}; }

// ---- the state at one instant, from everything that ever happened ----

struct History {
  memory::RegimeThresholds thresholds;
  bool strict = false;
  std::vector<std::pair<double, double>> scheduled;      // at, queue time
  std::vector<double> paging;
  std::vector<std::pair<double, RegimeSample>> samples;  // at

  /// What holds just after `t` (after = true), or at it.
  [[nodiscard]] memory::RegimeState at(double t, bool after) const {
    memory::RegimeInputs in;
    in.isolation_strict = strict;
    in.effective_free = Bytes(1e300);
    const RegimeSample* last = nullptr;
    for (const auto& [when, sample] : samples) {
      if (when <= t) last = &sample;
    }
    const auto counts = [&](double when, Seconds window) {
      const double until = when + window.value();
      return when <= t && (after ? until > t : until >= t);
    };
    std::vector<double> queue;
    for (const auto& [when, time] : scheduled) {
      if (counts(when, thresholds.queue_window)) queue.push_back(time);
    }
    in.paging = !paging.empty() && std::any_of(paging.begin(), paging.end(), [&](double when) { return counts(when, thresholds.paging_window); });
    if (last != nullptr) {
      const auto free = static_cast<double>(last->free + last->held - last->pinned);
      in.effective_free_ratio = free / static_cast<double>(last->total);
      in.effective_free = last->block * free;
    }
    if (!queue.empty()) {
      std::sort(queue.begin(), queue.end());
      const double p = 0.95 * static_cast<double>(queue.size() - 1);
      const auto i = static_cast<std::size_t>(p);
      in.queue_p95 = Seconds(i + 1 < queue.size() ? queue[i] + (p - std::floor(p)) * (queue[i + 1] - queue[i]) : queue[i]);
    } else if (last != nullptr) {
      in.queue_p95 = last->oldest_wait;
    }
    return memory::classify(in, thresholds);
  }

  /// Time with each label up to `end`: between two neighbouring instants at which anything can change it is one.
  [[nodiscard]] std::vector<double> times(double end) const {
    std::vector<double> edges = {0.0, end};
    for (const auto& [when, time] : scheduled) edges.insert(edges.end(), {when, when + thresholds.queue_window.value()});
    for (const double when : paging) edges.insert(edges.end(), {when, when + thresholds.paging_window.value()});
    for (const auto& [when, sample] : samples) edges.push_back(when);
    std::sort(edges.begin(), edges.end());
    std::vector<double> out(memory::regime_count, 0.0);
    for (std::size_t i = 0; i + 1 < edges.size() && edges[i + 1] <= end; ++i) {
      if (edges[i + 1] > edges[i]) out[static_cast<std::size_t>(at(edges[i], true).label)] += edges[i + 1] - edges[i];
    }
    return out;
  }
};

RegimeSample random_sample(const RandomStream& random, StreamKey key) {
  RegimeSample s;
  s.total = 1000;
  s.block = mib(8);
  s.held = static_cast<std::int64_t>(random.below(100, key, 1));
  s.free = static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(random.uniform(key, 2) < 0.5 ? 900 : 250), key, 3));
  s.pinned = s.held + static_cast<std::int64_t>(random.below(60, key, 4));
  s.oldest_wait = random.uniform(key, 5) < 0.3 ? Seconds(0.2) : Seconds(0.0);
  return s;
}

TEST(RegimeTracker, AgainstRecomputation) {
  const RandomStream random(11, "regimes");
  std::size_t labels_seen = 0;
  for (std::uint64_t run = 0; run < 60; ++run) {
    History history;
    history.strict = run % 20 == 19;
    RegimeTracker tracker(history.thresholds, history.strict);
    Regime label = tracker.state().label;
    std::vector<bool> seen(memory::regime_count, false);
    double now = 0.0;
    for (std::uint64_t i = 0; i < 250; ++i) {
      const StreamKey key{run, i};
      const double u = random.uniform(key);
      if (u > 0.3) now += u > 0.98 ? 6.5 : 0.15 * u;
      if (u < 0.5) {
        const double queue = random.exponential(key, 6) * 0.02;
        tracker.on_scheduled(Seconds(queue), Seconds(now));
        history.scheduled.emplace_back(now, queue);
      } else if (u < 0.56) {
        tracker.on_paging(Seconds(now));
        history.paging.push_back(now);
      } else {
        const RegimeSample sample = random_sample(random, key);
        history.samples.emplace_back(now, sample);
        const memory::RegimeState got = tracker.classify(Seconds(now), sample);
        const memory::RegimeState want = history.at(now, false);
        ASSERT_EQ(int{got.bits}, int{want.bits}) << "run " << run << " at " << now;
        ASSERT_EQ(got.label, want.label);
        seen[static_cast<std::size_t>(got.label)] = true;
      }
      for (const RegimeTransition& t : tracker.take_transitions()) {
        EXPECT_EQ(t.from, label);
        EXPECT_NE(t.to, label);
        label = t.to;
      }
    }
    tracker.finish(Seconds(now + 10.0));
    const std::vector<double> want = history.times(now + 10.0);
    double sum = 0.0;
    for (std::size_t i = 0; i < want.size(); ++i) {
      EXPECT_NEAR(tracker.time_in(static_cast<Regime>(i)).value(), want[i], 1e-9) << memory::name(static_cast<Regime>(i));
      sum += tracker.time_in(static_cast<Regime>(i)).value();
    }
    EXPECT_NEAR(sum, now + 10.0, 1e-9);
    labels_seen += static_cast<std::size_t>(std::count(seen.begin(), seen.end(), true));
  }
  EXPECT_GT(labels_seen, 200U);  // the streams visit most labels
}

TEST(RegimeTracker, PagingLastsOneSecond) {
  RegimeTracker tracker({}, false);
  tracker.on_paging(Seconds(3.0), 7);
  EXPECT_EQ(tracker.classify(Seconds(3.0), plenty()).label, Regime::paging);
  EXPECT_EQ(tracker.classify(Seconds(4.0), plenty()).label, Regime::paging);
  EXPECT_EQ(tracker.classify(Seconds(4.0 + 1e-9), plenty()).label, Regime::normal);
  const auto transitions = tracker.take_transitions();
  ASSERT_EQ(transitions.size(), 2U);
  EXPECT_EQ(transitions[0].reason, RegimeReason::paging);
  EXPECT_EQ(transitions[0].cause, 7U);
  EXPECT_EQ(transitions[1].reason, RegimeReason::relief);
  EXPECT_EQ(transitions[1].at.value(), 4.0);
  EXPECT_EQ(tracker.time_in(Regime::paging).value(), 1.0);
  EXPECT_TRUE(tracker.take_transitions().empty());
}

TEST(RegimeTracker, QueueTimesCountFiveSeconds) {
  RegimeTracker tracker({}, false);
  tracker.on_scheduled(milliseconds(51.0), Seconds(1.0));
  EXPECT_EQ(tracker.classify(Seconds(1.0), plenty()).label, Regime::queue_degraded);
  EXPECT_DOUBLE_EQ(tracker.queue_p95().value(), 0.051);
  // An idle replica asks nobody: the state still ends when the window has passed.
  EXPECT_EQ(tracker.classify(Seconds(60.0), plenty()).label, Regime::normal);
  EXPECT_EQ(tracker.time_in(Regime::queue_degraded).value(), 5.0);
  tracker.on_scheduled(milliseconds(50.0), Seconds(61.0));
  EXPECT_EQ(tracker.classify(Seconds(61.0), plenty()).label, Regime::normal);
}

TEST(RegimeTracker, AStuckQueueCountsByItsHead) {
  RegimeTracker tracker({}, false);
  RegimeSample stuck = plenty();
  stuck.oldest_wait = Seconds(8.0);
  EXPECT_EQ(tracker.classify(Seconds(8.0), stuck).label, Regime::queue_degraded);
  EXPECT_EQ(tracker.queue_p95().value(), 8.0);
  tracker.on_scheduled(milliseconds(1.0), Seconds(8.5));
  EXPECT_EQ(tracker.classify(Seconds(8.5), stuck).label, Regime::normal);
}

TEST(RegimeTracker, PinsAreBlamedOnlyWhereTheyDecide) {
  RegimeTracker tracker({}, false);
  RegimeSample pinned{1000, 600, 100, 680, mib(64), 5, Seconds(0.0)};
  EXPECT_EQ(tracker.classify(Seconds(1.0), pinned).label, Regime::memory_evaporation);  // 600 + 100 - 680 = 2 %
  RegimeSample full{1000, 20, 0, 0, mib(64), 0, Seconds(0.0)};
  EXPECT_EQ(tracker.classify(Seconds(2.0), plenty()).label, Regime::normal);
  EXPECT_EQ(tracker.classify(Seconds(3.0), full).label, Regime::memory_evaporation);
  const auto t = tracker.take_transitions();
  ASSERT_EQ(t.size(), 3U);
  EXPECT_EQ(t[0].reason, RegimeReason::pins);
  EXPECT_EQ(t[0].cause, 5U);
  EXPECT_EQ(t[1].reason, RegimeReason::relief);
  EXPECT_EQ(t[2].reason, RegimeReason::load);
  EXPECT_EQ(t[2].cause, 0U);
}

TEST(RegimeTracker, WithheldBlocksAloneOnRequest) {
  RegimeTracker tracker(RegimeTracker::Settings{{}, false, false});
  const RegimeSample pinned{1000, 600, 100, 680, mib(64), 5, Seconds(0.0)};
  EXPECT_EQ(tracker.classify(Seconds(1.0), pinned).label, Regime::normal);
}

TEST(RegimeTracker, RequestsOfOneInstantAreOneChange) {
  RegimeTracker tracker({}, false);
  for (int i = 0; i < 50; ++i) tracker.on_scheduled(milliseconds(i % 2 == 0 ? 90.0 : 1.0), Seconds(2.0));
  tracker.classify(Seconds(2.0), plenty());
  EXPECT_EQ(tracker.take_transitions().size(), 1U);
}

// The posture of a run is no event, but who adds up times from changes has to hear of it.
TEST(RegimeTracker, WhatHoldsFromTheBeginningIsAChangeAtTimeZero) {
  RegimeTracker strict(memory::RegimeThresholds{}, true), shared(memory::RegimeThresholds{}, false);
  (void)strict.classify(Seconds(1.0), plenty());
  (void)shared.classify(Seconds(1.0), plenty());
  const auto changes = strict.take_changes();
  ASSERT_EQ(changes.size(), 1U);
  EXPECT_EQ(changes[0].at, Seconds(0.0));
  EXPECT_EQ(changes[0].state.label, Regime::isolation_strict);
  EXPECT_TRUE(strict.take_transitions().empty());
  EXPECT_TRUE(shared.take_changes().empty());
}

}  // namespace
}  // namespace brink::serving
