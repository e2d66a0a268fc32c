// What recording one engine step costs, feature by feature, on one core.
#include <array>
#include <cstdio>
#include <ctime>
#include <limits>
#include <string>
#include <vector>

#include "sim/telemetry/collector.h"

namespace {

using namespace brink;

constexpr std::int64_t steps = 2'000'000;

telemetry::RunFacts facts() {
  constexpr double none = std::numeric_limits<double>::quiet_NaN();
  telemetry::RunFacts f;
  f.slo = {none, none, none};
  f.kv_blocks = 10'000;
  f.output.requests = false;
  f.scenario = Json::object();
  f.provenance = Json::object();
  return f;
}

/// Plans of a model with four GEMMs, for every padded batch.
struct Plans {
  plan::TacticNames names;
  transformer::OperatorGraph graph;
  std::vector<plan::PlanPart> parts;
  plan::PlanPart sampled;

  Plans() {
    for (const char* name : {"qkv_proj", "attention", "o_proj", "gate_up_proj", "down_proj", "lm_head"}) {
      transformer::Operator op;
      op.name = name;
      op.kind = op.name == "attention" ? transformer::OperatorKind::attention : transformer::OperatorKind::gemm;
      graph.operators.push_back(op);
    }
    for (std::uint32_t i = 0; i < 16; ++i) {
      plan::Choice choice;
      choice.tactic_id = names.intern("tile " + std::to_string(i / 4));
      parts.push_back({i, 8 * i, {0, 2, 3, 4}, std::vector<plan::Choice>(4, choice), i / 4, true, 0, 0.9, 0.8});
    }
    sampled = {16, 64, {5}, std::vector<plan::Choice>(1), 0, true, 0, 0.9, 0.8};
  }
};

/// Nanoseconds a step: steps of 10 ms whose batch and context wander. With `waits`, ranks wait for the fifth.
double step_cost_ns(telemetry::RunFacts run, bool waits) {
  Plans plans;
  const bool followed = run.followed.plans;
  telemetry::Collector collector(std::move(run));
  collector.follow_plans(plans.names, plans.graph);
  const std::array<Seconds, 8> wait = {microseconds(9), microseconds(8), microseconds(7), microseconds(6),
                                       microseconds(9), Seconds(0.0),    microseconds(5), microseconds(9)};
  const std::clock_t begin = std::clock();  // processor time: what else runs matters less
  Seconds now(0.0);
  plan::ExecutionPlan plan;
  for (std::int64_t i = 0; i < steps; ++i) {
    serving::StepRecord r;
    r.step = static_cast<std::uint64_t>(i);
    r.start = now;
    now += milliseconds(10.0 + 0.01 * static_cast<double>(i * 37 % 101));
    r.end = now;
    r.compute = milliseconds(8.0);
    r.decode_sequences = r.running = r.tokens_out = 40 + i / 7 % 60;
    r.padded_tokens = (r.decode_sequences + 7) / 8 * 8;
    r.context_tokens = r.decode_sequences * 900;
    r.kv_blocks_used = 3000 + i % 500;
    r.kv_free = 10'000 - r.kv_blocks_used;
    if (followed) {
      plan.tokens = &plans.parts[static_cast<std::size_t>(r.padded_tokens / 8)];
      plan.sampled = &plans.sampled;
      plan.decodes = true;
      r.plan = &plan;
      r.plan_switch = i % 7 == 0;
    }
    if (i / 300 % 2 == 1) {
      r.regime.bits = 1U << static_cast<unsigned>(memory::Regime::queue_degraded);
      r.regime.label = memory::Regime::queue_degraded;
    }
    const memory::RegimeChange change{now, r.regime};
    if (i % 300 == 0) r.regime_changes = {&change, 1};
    if (waits) {
      r.wait = wait;
      r.slowest_rank = 5;
      r.sync = microseconds(9);
    }
    collector.on_intervals({now, r.end - r.start, r.decode_sequences});
    collector.on_step(r);
  }
  const double took_s = static_cast<double>(std::clock() - begin) / CLOCKS_PER_SEC;
  return took_s * 1e9 / static_cast<double>(steps);
}

void print(const char* what, telemetry::RunFacts run, bool waits = false) {
  std::printf("%-34s %7.1f ns a step\n", what, step_cost_ns(std::move(run), waits));
}

}  // namespace

int main() {
  telemetry::RunFacts run = facts();
  print("nothing followed", run);
  run.followed.plans = true;
  print("plans", run);
  run.followed.regimes = run.followed.causes = true;
  print("plans, regimes, causes", run);
  print("the same, every step with a wait", run, true);
  run.output.records = telemetry::RecordMode::sampled;
  print("the same, sampled records", run);
  run.output.records = telemetry::RecordMode::full;
  print("the same, full records", run);
  return 0;
}
