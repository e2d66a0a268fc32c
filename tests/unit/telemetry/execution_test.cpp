// What the collector makes of plans, regimes, waits and causes that it is told to follow.
#include <array>
#include <map>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support.h"

namespace brink::telemetry {
namespace {

using namespace testing;
using world::EventKind;

RunFacts all_followed() {
  RunFacts f = facts();
  f.followed = {true, true, true, true};
  f.output = {true, true, true, true, RecordMode::full, true};
  f.hypotheses = {"isr_threshold_512"};
  return f;
}

/// One slow step with its cause and one calm one.
void run_some(Collector& c, const Plans& plans, const plan::ExecutionPlan& plan) {
  c.follow_plans(plans.names, plans.graph);
  const auto root = c.ledger().add(event(EventKind::condition, 0.5, 0));
  const auto wait_event = c.ledger().add(event(EventKind::collective_wait, 0.5, root, 0.25));
  const std::array<Seconds, 2> wait = {Seconds(0.25), Seconds(0.0)};
  serving::StepRecord r = in_regime(memory::Regime::paging, planned(plan, 0.5, 1.0, 4, 0.2));
  r.wait = wait;
  r.sync = Seconds(0.25);
  const std::array<memory::RegimeChange, 1> paging = {{{Seconds(1.0), r.regime}}};
  r.regime_changes = paging;
  r.slowest_rank = 1;
  r.cause = root;
  r.seats = 16;
  r.kv_free = 40;
  c.on_step(r);
  r = planned(plan, 1.0, 1.25, 4, 0.2);
  const std::array<memory::RegimeChange, 1> calm = {{{Seconds(1.5), {}}}};
  r.regime_changes = calm;
  r.step = 1;
  r.seats = 8;
  r.kv_free = 30;
  r.kv_pinned = 5;
  r.plan_switch = true;
  c.on_step(r);
  serving::RequestRecord q = request(0, 0.0, 0.75, 0.5, 5);
  q.cause = wait_event;
  q.caused_delay = Seconds(0.25);
  q.idle_ttft = Seconds(0.25);
  q.idle_e2e = Seconds(0.5);
  c.on_request(q);
}

struct Result {
  Json summary;
  std::map<std::string, std::string> files;
};

Result run(RunFacts f) {
  Plans plans;
  const plan::Choice first = plans.choice("a"), second = plans.choice("b", plan::Fallback::workspace);
  plan::PlanPart part = plans.tokens(0, 8, first, second);
  part.fallbacks = 1;
  const plan::PlanPart head = plans.sampled(1, 4);
  plan::ExecutionPlan plan;
  plan.tokens = &part;
  plan.sampled = &head;
  plan.decodes = true;
  plan.attention.choice = plans.choice("fa3");
  Collector c(std::move(f));
  run_some(c, plans, plan);
  Result out;
  out.summary = c.summary(Seconds(2.0));
  for (ResultFile& one : c.files()) out.files[one.name] = std::move(one.content);
  return out;
}

TEST(Collector, WhatIsFollowedHasASection) {
  const Result result = run(all_followed());
  const Json& s = result.summary;
  EXPECT_EQ(text(s, "/hypotheses"), R"(["isr_threshold_512"])");
  EXPECT_EQ(number(s, "/plans/steps"), 2);
  EXPECT_EQ(number(s, "/plans/switches_per_s"), 0.5);
  EXPECT_EQ(number(s, "/plans/fallbacks/workspace"), 2);
  EXPECT_NEAR(number(s, "/regimes/label_share/paging"), 0.25, 1e-12);
  EXPECT_EQ(number(s, "/waits/steps"), 1);
  EXPECT_EQ(number(s, "/p99_drift/ttft/p99_ratio"), 3.0);
  EXPECT_EQ(number(s, "/cascades/top/0/requests_touched"), 1);
  EXPECT_EQ(number(s, "/cascades/top/0/amplification"), 1.0);
  EXPECT_EQ(s.members().back().first, "provenance");
  std::vector<std::string> names;
  for (const auto& [name, content] : result.files) names.push_back(name);
  EXPECT_THAT(names, ::testing::ElementsAre("ledger.jsonl", "regimes.csv", "requests.csv", "s.jsonl", "scenario.json",
                                            "steps.jsonl", "summary.json", "tactics.csv", "timeline.json",
                                            "timeseries.csv", "x.jsonl"));
  EXPECT_EQ(lines(result.files.at("ledger.jsonl")).size(), 2U);
  EXPECT_EQ(number(parse_json(result.files.at("x.jsonl")), "/req_id"), 0);
}

TEST(Collector, WhatIsNotFollowedHasNone) {
  RunFacts f = facts();
  f.output.ledger = true;  // there is none to write
  const Result result = run(std::move(f));
  for (const char* section : {"hypotheses", "plans", "regimes", "cascades"}) EXPECT_EQ(result.summary.find(section), nullptr) << section;
  EXPECT_EQ(result.files.size(), 4U);  // summary, scenario, requests, timeseries
}

TEST(Collector, AnUnfollowedLedgerKeepsNothing) {
  Collector c(facts());
  EXPECT_EQ(c.ledger().add(event(EventKind::condition, 0.0, 0)), 0U);
  c.ledger().extend(0, Seconds(1.0), Seconds(1.0));
}

TEST(Collector, StepsSayHowTheyRan) {
  const auto rows = lines(run(all_followed()).files.at("steps.jsonl"));
  ASSERT_EQ(rows.size(), 2U);
  const Json slow = parse_json(rows[0]), calm = parse_json(rows[1]);
  EXPECT_EQ(text(slow, "/regime"), "\"paging\"");
  EXPECT_EQ(number(slow, "/regime_bits"), 4);
  EXPECT_EQ(text(slow, "/wait_ms"), "[250.0,0.0]");
  EXPECT_EQ(number(slow, "/slowest_rank"), 1);
  EXPECT_EQ(number(slow, "/cause"), 1);
  EXPECT_EQ(calm.find("wait_ms"), nullptr);
  EXPECT_EQ(text(calm, "/plan_switch"), "true");
  EXPECT_EQ(number(calm, "/seats"), 8);
  EXPECT_EQ(number(calm, "/kv_pinned"), 5);
  EXPECT_EQ(number(calm, "/fallbacks"), 1);
  EXPECT_EQ(text(calm, "/tactics"),
            R"({"qkv_proj":0,"gate_up_proj":1,"all_reduce_down":2,"lm_head":3,"attention":4})");
}

TEST(Collector, TheWatermarkOfARequestIsOfItsOwnSteps) {
  RunFacts f = all_followed();
  f.records.kv_block = mib(2.0);
  EXPECT_EQ(number(parse_json(run(std::move(f)).files.at("x.jsonl")), "/vram_watermark_mb"), 60.0);
}

TEST(Timeline, DrawsWaitsRegimesAndCauses) {
  const Json trace = parse_json(run(all_followed()).files.at("timeline.json"));
  std::map<std::string, int> phases;
  std::set<std::string> threads, counters;
  double from_us = 0.0, to_us = 0.0;
  for (const Json& one : trace.find("traceEvents")->items()) {
    const std::string phase = one.find("ph")->as_string(), name = one.find("name")->as_string();
    ++phases[phase];
    if (name == "thread_name") threads.insert(at_pointer(one, "/args/name")->as_string());
    if (phase == "C") counters.insert(name);
    if (phase == "s") from_us = number(one, "/ts");
    if (phase == "f") {
      to_us = number(one, "/ts");
      EXPECT_EQ(text(one, "/bp"), "\"e\"");
    }
    if (name == "waited for") {
      EXPECT_EQ(number(one, "/ts"), 750'000.0);
      EXPECT_EQ(number(one, "/dur"), 250'000.0);
      EXPECT_EQ(number(one, "/tid"), 2);  // rank 1
    }
  }
  EXPECT_THAT(threads, ::testing::UnorderedElementsAre("scheduler", "rank 1", "ledger: condition", "ledger: collective_wait"));
  EXPECT_THAT(counters, ::testing::IsSupersetOf({"seats", "kv_pinned"}));
  EXPECT_EQ(phases["i"], 2);  // into paging and out of it
  EXPECT_EQ(phases["s"], 1);
  EXPECT_EQ(phases["f"], 1);
  EXPECT_EQ(from_us, 500'000.5);  // inside the mark of its event
  EXPECT_EQ(to_us, 500'000.5);
}

TEST(Collector, IsTheSameEveryTime) {
  const Result first = run(all_followed()), second = run(all_followed());
  EXPECT_EQ(first.files, second.files);
}

}  // namespace
}  // namespace brink::telemetry
