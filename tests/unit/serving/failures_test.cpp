// Replicas that fail: every request ends exactly once, tokens that were delivered stay delivered, and before the
// failure nothing is different.
#include "sim/serving/failures.h"

#include <gtest/gtest.h>

#include <map>
#include <set>

#include "tests/support/random_scene.h"

namespace brink::serving {
namespace {

using brink::testing::FakeClock;
using brink::testing::FunctionCost;
using brink::testing::Recording;
using brink::testing::Requests;
using brink::testing::Rig;

struct NoLedger final : world::ILedger {
  std::vector<world::LedgerEvent> events;
  world::CauseId add(const world::LedgerEvent& event) override {
    events.push_back(event);
    return static_cast<world::CauseId>(events.size());
  }
  void extend(world::CauseId event, Seconds, Seconds, double amount, std::int64_t) override { events[event - 1].amount += amount; }
};

struct Outcomes {
  Recording recording;
  FailureStats stats;
  std::vector<world::LedgerEvent> events;
};

Outcomes run(const Rig& rig, Requests requests, std::vector<Failure> failures) {
  Outcomes out;
  FakeClock clock;
  SequencePool pool;
  const policy::FcfsBatcher batcher;
  const auto router = policy::make_router(rig.router, rig.seed);
  workload::Workload workload;
  workload.source = brink::testing::list_source(std::move(requests));
  workload.max_in_flight = rig.max_in_flight;
  Gateway gateway(0, std::move(workload), rig.front_end, {clock, pool, *router, out.recording});
  std::vector<std::unique_ptr<Replica>> replicas;
  for (std::size_t i = 0; i < rig.replicas; ++i) {
    replicas.push_back(std::make_unique<Replica>(ReplicaId{i}, static_cast<std::uint32_t>(1 + i), rig.engine,
                                                 std::make_shared<FunctionCost>(rig.cost(i)),
                                                 Replica::Parts{clock, pool, batcher, out.recording, gateway}));
    gateway.add_replica(*replicas.back());
  }
  NoLedger ledger;
  Failures driver(1000, std::move(failures), {clock, gateway, ledger});
  gateway.start();
  driver.start(rig.replicas);
  clock.run();
  for (const auto& replica : replicas) EXPECT_TRUE(replica->idle());
  EXPECT_EQ(gateway.in_flight(), 0);
  EXPECT_EQ(pool.active(), 0U);
  out.stats = driver.stats();
  out.events = ledger.events;
  return out;
}

Failure failure(std::size_t replica, double at, std::optional<double> recovers, OnFailure on_failure) {
  Failure f;
  f.replicas = {replica};
  f.at = Seconds(at);
  if (recovers) f.recovers_after = Seconds(*recovers);
  f.on_failure = on_failure;
  return f;
}

// Every token at a client is a first token or follows another one.
std::int64_t tokens_seen(const Recording& recording) {
  std::int64_t count = 0;
  for (const auto& [at, n] : recording.first_tokens) count += n;
  for (const TokenIntervals& i : recording.intervals) {
    EXPECT_GE(i.interval, Seconds(0.0));
    count += i.count;
  }
  return count;
}

void expect_all_ended(const Outcomes& out, const Requests& requests, bool may_fail) {
  std::set<std::uint64_t> ids;
  std::int64_t tokens = 0;
  for (const RequestRecord& r : out.recording.requests) {
    EXPECT_TRUE(ids.insert(r.id.value).second) << "ended twice";
    if (r.outcome == Outcome::completed) {
      EXPECT_EQ(r.output_tokens, requests[r.id.value].output_tokens);
    } else {
      EXPECT_TRUE(may_fail);
      EXPECT_EQ(r.outcome, Outcome::failed);
      EXPECT_LT(r.output_tokens, requests[r.id.value].output_tokens);
    }
    tokens += r.output_tokens;
  }
  EXPECT_EQ(ids.size(), requests.size());
  EXPECT_EQ(tokens_seen(out.recording), tokens);
}

constexpr std::uint64_t seeds = 300;

// Random clusters, with and without asynchronous scheduling, short of KV and not; replicas fail and come back at random.
/// Requests that were on failing replicas.
std::int64_t run_with_failures(std::uint64_t seed) {
  std::int64_t lost = 0;
  for (const OnFailure course : {OnFailure::retry, OnFailure::fail}) {
    const auto scene = brink::testing::random_scene(seed);
    std::mt19937_64 random(seed + 1000);
    std::vector<Failure> list;
    for (std::int64_t i = brink::testing::pick(random, 1, 4); i > 0; --i) {
      const auto replica = static_cast<std::size_t>(brink::testing::pick(random, 0, static_cast<std::int64_t>(scene.rig.replicas) - 1));
      list.push_back(failure(replica, static_cast<double>(brink::testing::pick(random, 0, 1500)) / 16.0,
                             random() % 4 == 0 ? std::nullopt : std::optional(static_cast<double>(brink::testing::pick(random, 1, 400)) / 16.0),
                             course));
    }
    const bool may_die = std::any_of(list.begin(), list.end(), [](const Failure& f) { return !f.recovers_after; });
    const Outcomes out = run(scene.rig, scene.requests, list);
    expect_all_ended(out, scene.requests, course == OnFailure::fail || may_die);
    lost += out.stats.lost;
  }
  return lost;
}

TEST(failures, every_request_ends_once_and_tokens_add_up) {
  std::int64_t lost = 0;
  for (std::uint64_t seed = 0; seed < seeds && !HasFailure(); ++seed) {
    SCOPED_TRACE(::testing::Message() << "seed " << seed);
    lost += run_with_failures(seed);
  }
  EXPECT_GT(lost, 1000);
}

// What ended before the failure is the same, field by field.
void compare_up_to_the_failure(std::uint64_t seed) {
  const auto scene = brink::testing::random_scene(seed);
  const double at = 20.0 + static_cast<double>(seed) / 4.0;
  const Outcomes with = run(scene.rig, scene.requests, {failure(0, at, 3.0, OnFailure::retry)});
  const Outcomes without = run(scene.rig, scene.requests, {});
  const auto before = [at](const Recording& r) {
    std::size_t n = 0;
    while (n < r.steps.size() && r.steps[n].end < Seconds(at)) ++n;
    return n;
  };
  ASSERT_EQ(before(with.recording), before(without.recording));
  for (std::size_t i = 0; i < before(with.recording); ++i) {
    EXPECT_EQ(with.recording.steps[i].end, without.recording.steps[i].end);
    EXPECT_EQ(with.recording.steps[i].tokens_out, without.recording.steps[i].tokens_out);
    EXPECT_EQ(with.recording.steps[i].kv_blocks_used, without.recording.steps[i].kv_blocks_used);
  }
}

TEST(failures, nothing_differs_before_the_instant) {
  for (std::uint64_t seed = 0; seed < seeds && !HasFailure(); ++seed) {
    SCOPED_TRACE(::testing::Message() << "seed " << seed);
    compare_up_to_the_failure(seed);
  }
}

/// Prefill 1 s, a step with a decoding sequence 1 s.
Rig plain(std::size_t replicas) {
  Rig rig;
  rig.replicas = replicas;
  rig.engine.max_num_seqs = 8;
  rig.engine.max_num_batched_tokens = 1000;
  rig.engine.max_model_len = 1000;
  rig.engine.kv_blocks = 100;
  rig.engine.async_scheduling = false;
  rig.cost = [](std::size_t) { return [](const cost::StepShape&) { return brink::testing::gpu_time(Seconds(1.0)); }; };
  return rig;
}

// First token at 1 s, three more until 4 s; at 4.5 s replica 0 dies with the fifth under way. The other one prefills 100 + 4
// tokens by 5.5 s, which gives the fifth token, and the other five follow.
TEST(failures, a_retried_request_goes_on_where_its_client_is) {
  const Outcomes out = run(plain(2), {{RequestId{}, Seconds(0.0), 100, 10}}, {failure(0, 4.5, std::nullopt, OnFailure::retry)});
  const RequestRecord& r = out.recording.request(0);
  EXPECT_EQ(r.first_token.value(), 1.0);
  EXPECT_EQ(r.finish.value(), 10.5);
  EXPECT_EQ(r.output_tokens, 10);
  EXPECT_EQ(r.replica.value, 1U);
  EXPECT_EQ(r.preemptions, 0);
  EXPECT_EQ(r.caused_delay.value(), 0.0);
  std::vector<double> intervals;
  for (const auto& i : out.recording.intervals) intervals.push_back(i.interval.value());
  EXPECT_EQ(intervals, (std::vector<double>{1, 1, 1, 1.5, 1, 1, 1, 1, 1}));
  ASSERT_EQ(out.events.size(), 1U);
  EXPECT_EQ(out.events[0].kind, world::EventKind::failure);
  EXPECT_EQ(out.events[0].amount, 1.0);
  EXPECT_EQ(out.stats.lost, 1);
}

TEST(failures, a_failed_request_keeps_what_was_delivered) {
  const Outcomes out = run(plain(2), {{RequestId{}, Seconds(0.0), 100, 10}}, {failure(0, 4.5, std::nullopt, OnFailure::fail)});
  const RequestRecord& r = out.recording.request(0);
  EXPECT_EQ(r.outcome, Outcome::failed);
  EXPECT_EQ(r.finish.value(), 4.5);
  EXPECT_EQ(r.output_tokens, 4);
}

// The only replica is away from 4.5 to 14.5 s: its request and a newcomer wait at the door.
TEST(failures, requests_wait_for_a_replica_that_comes_back) {
  const Outcomes out = run(plain(1), {{RequestId{}, Seconds(0.0), 100, 10}, {RequestId{}, Seconds(6.0), 100, 1}},
                           {failure(0, 4.5, 10.0, OnFailure::retry)});
  EXPECT_EQ(out.recording.request(0).finish.value(), 20.5);
  EXPECT_EQ(out.recording.request(0).caused_delay.value(), 10.0);
  EXPECT_EQ(out.recording.request(1).first_token.value(), 15.5);
  EXPECT_EQ(out.stats.recoveries, 1);
}

TEST(failures, without_hope_requests_fail_at_the_door) {
  const Outcomes out = run(plain(1), {{RequestId{}, Seconds(0.0), 100, 10}, {RequestId{}, Seconds(6.0), 100, 1}},
                           {failure(0, 4.5, std::nullopt, OnFailure::retry)});
  EXPECT_EQ(out.recording.request(0).outcome, Outcome::failed);
  EXPECT_EQ(out.recording.request(0).output_tokens, 4);
  EXPECT_EQ(out.recording.request(1).outcome, Outcome::failed);
  EXPECT_EQ(out.recording.request(1).finish.value(), 6.0);
}

// Two failures of one replica overlap: it is back when both have passed.
TEST(failures, a_replica_is_back_when_every_reason_has_passed) {
  const Outcomes out = run(plain(1), {{RequestId{}, Seconds(0.0), 100, 3}},
                           {failure(0, 0.5, 4.0, OnFailure::retry), failure(0, 2.5, 10.0, OnFailure::retry)});
  EXPECT_EQ(out.recording.request(0).first_token.value(), 13.5);
  EXPECT_EQ(out.stats.failures, 1);
  EXPECT_EQ(out.stats.recoveries, 1);
}

TEST(failures, routers_skip_the_dead) {
  Requests requests;
  for (int i = 0; i < 9; ++i) requests.push_back({RequestId{}, Seconds(10.0 + i), 10, 1});
  const Outcomes out = run(plain(3), requests, {failure(1, 5.0, std::nullopt, OnFailure::retry)});
  std::map<std::uint64_t, int> count;
  for (const RequestRecord& r : out.recording.requests) ++count[r.replica.value];
  EXPECT_EQ(count, (std::map<std::uint64_t, int>{{0, 5}, {2, 4}}));
}

}  // namespace
}  // namespace brink::serving
