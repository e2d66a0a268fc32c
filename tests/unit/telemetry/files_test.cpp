#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cmath>

#include "support.h"

namespace brink::telemetry {
namespace {

using namespace testing;

TEST(RequestsCsv, HasARowARequest) {
  Collector c(facts());
  serving::RequestRecord r = request(3, 1.0, 0.25, 2.0, 9);
  r.replica = ReplicaId{2};
  r.preemptions = 1;
  c.on_request(r);
  c.on_request(unfinished(4, 2.5, serving::Outcome::rejected));
  (void)c.summary(Seconds(4.0));
  EXPECT_THAT(lines(file(c, "requests.csv")),
              ::testing::ElementsAre(
                  "request_id,arrival_s,sent_s,queued_s,scheduled_s,first_token_s,finish_s,input_tokens,output_tokens,"
                  "replica,preemptions,outcome,ttft_s,tpot_s,e2e_s,tenant,raw_input_tokens,cached_tokens,gpu_s,regime,"
                  "plan_switches,drift_from_idle,drift_pairwise,first_flip_token,caused_delay_s,cause",
                  "3,1.000000000,1.000000000,1.000000000,1.125000000,1.250000000,3.250000000,100,9,2,1,completed,"
                  "0.250000000,0.250000000,2.250000000,0,100,0,0.000000000,,,,,,,",
                  "4,2.500000000,2.500000000,,,,,100,0,,0,rejected,,,,0,100,0,0.000000000,,,,,,,"));
}

TEST(RequestsCsv, SaysHowARequestRan) {
  RunFacts f = facts();
  f.followed = {true, true, true, true};
  Collector c(std::move(f));
  serving::RequestRecord r = request(3, 1.0, 0.25, 2.0, 9);
  r.tenant = 2;
  r.raw_input_tokens = 400;
  r.cached_tokens = 64;
  r.gpu = Seconds(1.5);
  r.regime = memory::Regime::queue_degraded;
  r.plan_switches = 17;
  r.drift = {1.0 / 3.0, 2.5e-9, 12.5, 9};
  r.caused_delay = Seconds(0.0625);
  r.cause = c.ledger().add(event(world::EventKind::condition, 1.0, 0));
  c.on_request(r);
  r.drift = {};
  c.on_request(r);
  (void)c.summary(Seconds(4.0));
  const auto rows = lines(file(c, "requests.csv"));
  EXPECT_THAT(rows.at(1), ::testing::EndsWith(",2,400,64,1.500000000,queue_degraded,17,0.333333333,2.5e-09,12.5,0.062500000,1"));
  EXPECT_THAT(rows.at(2), ::testing::EndsWith(",17,0,0,,0.062500000,1"));  // never a flip: no first one
}

TEST(RequestsCsv, OfASingleTokenHasNoTpot) {
  Collector c(facts());
  c.on_request(request(0, 1.0, 0.25, 0.0, 1));
  (void)c.summary(Seconds(4.0));
  const auto row = fields(lines(file(c, "requests.csv")).at(1));
  EXPECT_EQ(row.at(13), "");
  EXPECT_EQ(row.at(14), "0.250000000");
}

TEST(RequestsCsv, GivesTheSummaryBack) {
  Collector c(facts());
  double ttft = 0.0, tokens = 0.0;
  for (std::uint64_t i = 0; i < 200; ++i) {
    c.on_request(request(i, 0.01 * static_cast<double>(i), 0.001 * static_cast<double>(1 + i * 37 % 101), 1.0, 5));
  }
  const Json s = c.summary(Seconds(4.0));
  const auto rows = lines(file(c, "requests.csv"));
  ASSERT_EQ(rows.size(), 201U);
  for (std::size_t i = 1; i < rows.size(); ++i) {
    ttft += std::stod(fields(rows[i]).at(12));
    tokens += std::stod(fields(rows[i]).at(8));
  }
  EXPECT_NEAR(number(s, "/mean_ttft_ms"), ttft / 200 * 1e3, 1e-6);
  EXPECT_EQ(number(s, "/total_output_tokens"), tokens);
}

TEST(TimeSeries, SecondsWithoutStepsHoldTheGauges) {
  RunFacts f = facts();
  f.replicas = 2;
  Collector c(std::move(f));
  serving::StepRecord r = step(0, 0.5, 1.25, 4, 512);
  r.waiting = 3;
  r.kv_blocks_used = 25;
  r.preemptions = 1;
  c.on_step(r);
  c.on_queue(ReplicaId{1}, Seconds(2.5), 7);
  (void)c.summary(Seconds(3.5));
  EXPECT_THAT(lines(file(c, "timeseries.csv")),
              ::testing::ElementsAre(
                  "t_s,replica,running,waiting,kv_usage,decode_batch,step_ms,prefill_tokens,output_tokens,preemptions,"
                  "steps,busy_fraction,regime,kv_pinned,queue_p95_ms,seats,plan_switches,wait_s",
                  "0,0,0,0,0.000000,,,0,0,0,0,0.500000,,0,,0,,0.000000000",
                  "0,1,0,0,0.000000,,,0,0,0,0,0.000000,,0,,0,,0.000000000",
                  "1,0,4,3,0.250000,4.000000,750.000000,512,4,1,1,0.250000,,0,,0,,0.000000000",
                  "1,1,0,0,0.000000,,,0,0,0,0,0.000000,,0,,0,,0.000000000",
                  "2,0,4,3,0.250000,,,0,0,0,0,0.000000,,0,,0,,0.000000000",
                  "2,1,0,7,0.000000,,,0,0,0,0,0.000000,,0,,0,,0.000000000",
                  "3,0,4,3,0.250000,,,0,0,0,0,0.000000,,0,,0,,0.000000000",
                  "3,1,0,7,0.000000,,,0,0,0,0,0.000000,,0,,0,,0.000000000"));
}

TEST(TimeSeries, TheRegimeOfASecondIsItsWorst) {
  RunFacts f = facts();
  f.followed.regimes = f.followed.plans = true;
  Collector c(std::move(f));
  const std::array<Seconds, 2> wait = {Seconds(0.0), Seconds(0.125)};
  serving::StepRecord r = in_regime(memory::Regime::paging, step(0, 0.0, 0.5, 4));
  r.seats = 64;
  r.kv_pinned = 9;
  r.queue_p95 = Seconds(0.2);
  r.plan_switch = true;
  r.wait = wait;
  c.on_step(r);
  r = in_regime(memory::Regime::queue_degraded, step(0, 0.5, 0.75, 4));
  r.seats = 32;
  r.plan_switch = true;
  r.wait = wait;
  c.on_step(r);
  c.on_step(in_regime(memory::Regime::normal, step(0, 2.25, 2.5, 4)));
  (void)c.summary(Seconds(3.0));
  const auto rows = lines(file(c, "timeseries.csv"));
  EXPECT_THAT(rows.at(1), ::testing::EndsWith(",paging,0,0.000000,32,2,0.250000000"));
  EXPECT_THAT(rows.at(2), ::testing::EndsWith(",queue_degraded,0,0.000000,32,0,0.000000000"));  // still in it
  EXPECT_THAT(rows.at(3), ::testing::EndsWith(",queue_degraded,0,0.000000,0,0,0.000000000"));
}

TEST(TimeSeries, LastSecondMayBeShortAndHoldsTheEnd) {
  Collector c(facts());
  c.on_step(step(0, 0.0, 1.0, 2));
  c.on_step(step(0, 1.0, 2.0, 2));  // ends with the run
  (void)c.summary(Seconds(2.0));
  const auto rows = lines(file(c, "timeseries.csv"));
  ASSERT_EQ(rows.size(), 3U);
  EXPECT_EQ(fields(rows[1]).at(10), "0");
  EXPECT_EQ(fields(rows[2]).at(10), "2");
  EXPECT_EQ(fields(rows[1]).at(11), "1.000000");
  EXPECT_EQ(fields(rows[2]).at(11), "1.000000");
}

TEST(TimeSeries, ConservesTokensStepsAndBusyTime) {
  Collector c(facts());
  double t = 0.0, busy_s = 0.0;
  std::int64_t tokens = 0;
  for (int i = 0; i < 500; ++i) {
    const double length_s = 0.013 + 0.001 * (i % 7);
    c.on_step(step(0, t, t + length_s, 1 + i % 5));
    tokens += 1 + i % 5;
    busy_s += length_s;
    t += length_s + 0.004;
  }
  const Json s = c.summary(Seconds(std::ceil(t)));
  const auto rows = lines(file(c, "timeseries.csv"));
  double row_tokens = 0.0, row_steps = 0.0, row_busy_s = 0.0;
  for (std::size_t i = 1; i < rows.size(); ++i) {
    row_tokens += std::stod(fields(rows[i]).at(8));
    row_steps += std::stod(fields(rows[i]).at(10));
    row_busy_s += std::stod(fields(rows[i]).at(11));
  }
  EXPECT_EQ(row_tokens, static_cast<double>(tokens));
  EXPECT_EQ(row_steps, 500);
  EXPECT_NEAR(row_busy_s, busy_s, 1e-5);
  EXPECT_NEAR(number(s, "/gpu_busy_fraction/0") * std::ceil(t), busy_s, 1e-9);
}

TEST(StepsJsonl, IsOneObjectALine) {
  RunFacts f = facts();
  f.output.steps = true;
  Collector c(std::move(f));
  serving::StepRecord r = step(1, 0.5, 0.512, 4, 100);
  r.step = 7;
  r.compute = milliseconds(9.0);
  r.badge = cost::Badge::extrapolated;
  c.on_step(r);
  c.on_step(step(0, 0.5, 0.6, 4));
  (void)c.summary(Seconds(1.0));
  const auto rows = lines(file(c, "steps.jsonl"));
  ASSERT_EQ(rows.size(), 2U);
  const Json first = parse_json(rows[0]);
  EXPECT_EQ(number(first, "/replica"), 1);
  EXPECT_EQ(number(first, "/step"), 7);
  EXPECT_EQ(number(first, "/end_s"), 0.512);
  EXPECT_EQ(number(first, "/compute_ms"), 9.0);
  EXPECT_EQ(number(first, "/prefill_tokens"), 100);
  EXPECT_EQ(text(first, "/badge"), "\"extrapolated\"");
}

TEST(Timeline, AStepEndsWhereTheNextBegins) {
  RunFacts f = facts();
  f.output.timeline = true;
  Collector c(std::move(f));
  // Steps of 1000.0004 us: printed on its own, that duration falls short of or passes the next start.
  double at = 0.0010000004;
  for (int i = 0; i < 200; ++i) {
    const double end = at + 0.0010000004;
    c.on_step(step(0, at, end, 4));
    at = end;
  }
  (void)c.summary(Seconds(at));
  const Json trace = parse_json(file(c, "timeline.json"));
  std::int64_t end_ns = -1;
  for (const Json& event : trace.find("traceEvents")->items()) {
    if (event.find("ph")->as_string() != "X") continue;
    const std::int64_t ts_ns = std::llround(number(event, "/ts") * 1e3);
    if (end_ns >= 0) {
      EXPECT_EQ(ts_ns, end_ns);
    }
    end_ns = ts_ns + std::llround(number(event, "/dur") * 1e3);
  }
}

TEST(Timeline, IsAChromeTrace) {
  RunFacts f = facts();
  f.output.timeline = true;
  Collector c(std::move(f));
  c.on_queue(ReplicaId{0}, Seconds(0.0001), 1);
  c.on_step(step(0, 0.5, 0.5125, 4, 100));
  c.on_step(step(1, 0.5, 0.6, 4));
  c.on_request(request(0, 0.0, 0.2, 0.3, 5));
  c.on_request(unfinished(1, 0.0, serving::Outcome::rejected));
  (void)c.summary(Seconds(1.0));
  const Json trace = parse_json(file(c, "timeline.json"));
  EXPECT_EQ(text(trace, "/displayTimeUnit"), "\"ms\"");
  int slices = 0, counters = 0, begins = 0, ends = 0, names = 0;
  for (const Json& event : trace.find("traceEvents")->items()) {
    const std::string phase = event.find("ph")->as_string();
    slices += phase == "X";
    counters += phase == "C";
    begins += phase == "b";
    ends += phase == "e";
    names += phase == "M";
    if (phase == "X" && number(event, "/pid") == 0) {
      EXPECT_EQ(number(event, "/ts"), 500'000.0);
      EXPECT_EQ(number(event, "/dur"), 12'500.0);
      EXPECT_EQ(text(event, "/name"), "\"mixed\"");
    }
  }
  EXPECT_EQ(slices, 2);
  EXPECT_EQ(counters, 7);  // three a step and one queue
  EXPECT_EQ(begins, 3);
  EXPECT_EQ(ends, 3);
  EXPECT_EQ(names, 4);
}

TEST(Timeline, OfNothingIsStillJson) {
  RunFacts f = facts();
  f.output.timeline = true;
  Collector c(std::move(f));
  (void)c.summary(Seconds(1.0));
  EXPECT_TRUE(parse_json(file(c, "timeline.json")).find("traceEvents")->items().empty());
}

TEST(Files, AreThoseAskedFor) {
  const auto names = [](bool all) {
    RunFacts f = facts();
    f.output = {all, all, all, all};
    Collector c(std::move(f));
    (void)c.summary(Seconds(1.0));
    std::vector<std::string> out;
    for (const ResultFile& one : c.files()) out.push_back(one.name);
    return out;
  };
  EXPECT_THAT(names(false), ::testing::ElementsAre("summary.json", "scenario.json"));
  EXPECT_THAT(names(true), ::testing::ElementsAre("summary.json", "scenario.json", "requests.csv", "timeseries.csv",
                                                  "steps.jsonl", "timeline.json"));
}

TEST(Files, AreTheSameEveryTime) {
  const auto run = [] {
    RunFacts f = facts();
    f.output = {true, true, true, true};
    Collector c(std::move(f));
    for (std::uint64_t i = 0; i < 50; ++i) {
      const double t = 0.1 * static_cast<double>(i);
      c.on_step(step(i % 3, t, t + 0.0731, 5));
      c.on_intervals({Seconds(t), Seconds(0.0731), 5});
      c.on_request(request(i, t, 0.03, 0.2, 6));
    }
    (void)c.summary(Seconds(6.0));
    std::string all;
    for (const ResultFile& one : c.files()) all += one.name + one.content;
    return all;
  };
  EXPECT_EQ(run(), run());
}

}  // namespace
}  // namespace brink::telemetry
