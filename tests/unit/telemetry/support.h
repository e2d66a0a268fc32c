// A run made by hand.
#pragma once

#include <cmath>
#include <limits>
#include <sstream>
#include <string>
#include <vector>

#include "sim/telemetry/collector.h"

namespace brink::telemetry::testing {

inline constexpr double nan = std::numeric_limits<double>::quiet_NaN();

inline RunFacts facts() {
  RunFacts f;
  f.slo = {nan, nan, nan};
  f.kv_blocks = 100;
  f.scenario = Json::object();
  f.provenance = Json::object();
  return f;
}

inline serving::RequestRecord request(std::uint64_t id, double sent_s, double ttft_s, double decode_s,
                                      std::int64_t output_tokens) {
  serving::RequestRecord r;
  r.id = RequestId{id};
  r.arrival = r.sent = r.queued = Seconds(sent_s);
  r.scheduled = Seconds(sent_s + ttft_s / 2);
  r.first_token = Seconds(sent_s + ttft_s);
  r.finish = Seconds(sent_s + ttft_s + decode_s);
  r.input_tokens = 100;
  r.output_tokens = output_tokens;
  return r;
}

inline serving::RequestRecord unfinished(std::uint64_t id, double arrival_s, serving::Outcome outcome) {
  serving::RequestRecord r;
  const Seconds none(nan);
  r.id = RequestId{id};
  r.arrival = r.sent = Seconds(arrival_s);
  r.queued = r.scheduled = r.first_token = r.finish = none;
  r.input_tokens = 100;
  r.outcome = outcome;
  return r;
}

inline serving::StepRecord step(std::uint64_t replica, double start_s, double end_s, std::int64_t decode,
                                std::int64_t prefill = 0) {
  serving::StepRecord r;
  r.replica = ReplicaId{replica};
  r.start = Seconds(start_s);
  r.end = Seconds(end_s);
  r.decode_sequences = decode;
  r.prefill_tokens = prefill;
  r.tokens_out = decode;
  r.running = decode;
  return r;
}

inline world::LedgerEvent event(world::EventKind kind, double at_s, world::CauseId cause, double delay_s = 0.0) {
  world::LedgerEvent e;
  e.kind = kind;
  e.at = Seconds(at_s);
  e.cause = cause;
  e.delay = Seconds(delay_s);
  return e;
}

/// Two GEMMs, attention and the head of a model, and plans of them by number.
struct Plans {
  plan::TacticNames names;
  transformer::OperatorGraph graph;

  Plans() {
    using transformer::OperatorKind;
    add("qkv_proj", OperatorKind::gemm, 6144, 4096);
    add("attention", OperatorKind::attention, 0, 0);
    add("gate_up_proj", OperatorKind::gemm, 28672, 4096);
    add("all_reduce_down", OperatorKind::all_reduce, 0, 0);
    add("lm_head", OperatorKind::gemm, 128256, 4096);
    graph.operators.back().rows = transformer::Rows::sampled;
    graph.operators[3].bytes_per_row = Bytes(8192.0);
  }

  [[nodiscard]] plan::Choice choice(const std::string& tactic, plan::Fallback fallback = plan::Fallback::none) {
    plan::Choice out;
    out.tactic_id = names.intern(tactic);
    out.fallback = fallback;
    return out;
  }

  /// Choices for qkv_proj, gate_up_proj and the all-reduce.
  [[nodiscard]] plan::PlanPart tokens(std::uint32_t number, std::int64_t rows, const plan::Choice& qkv,
                                      const plan::Choice& gate_up) {
    plan::PlanPart out;
    out.number = number;
    out.rows = rows;
    out.operators = {0, 2, 3};
    out.choices = {qkv, gate_up, choice("nvls")};
    return out;
  }
  [[nodiscard]] plan::PlanPart sampled(std::uint32_t number, std::int64_t rows) {
    plan::PlanPart out;
    out.number = number;
    out.rows = rows;
    out.operators = {4};
    out.choices = {choice("head")};
    return out;
  }

 private:
  void add(const char* name, transformer::OperatorKind kind, std::int64_t n, std::int64_t k) {
    transformer::Operator op;
    op.name = name;
    op.kind = kind;
    op.n = n;
    op.k = k;
    op.repeat = 32;
    graph.operators.push_back(op);
  }
};

inline serving::StepRecord planned(const plan::ExecutionPlan& plan, double start_s, double end_s, std::int64_t decode,
                                   double compute_s) {
  serving::StepRecord r = step(0, start_s, end_s, decode);
  r.plan = &plan;
  r.compute = Seconds(compute_s);
  return r;
}

/// Enters a regime by its one predicate.
inline serving::StepRecord in_regime(memory::Regime regime, serving::StepRecord record) {
  record.regime.label = regime;
  if (regime != memory::Regime::normal) record.regime.bits = static_cast<std::uint8_t>(1U << static_cast<unsigned>(regime));
  return record;
}

inline std::vector<std::string> lines(const std::string& text) {
  std::vector<std::string> out;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) out.push_back(line);
  return out;
}

inline std::vector<std::string> fields(const std::string& line) {
  std::vector<std::string> out(1);
  for (const char c : line) {
    if (c == ',')
      out.emplace_back();
    else
      out.back() += c;
  }
  return out;
}

inline double number(const Json& summary, const std::string& pointer) {
  const Json* value = at_pointer(summary, pointer);
  return value && value->is_number() ? value->as_double() : nan;
}

inline std::string text(const Json& summary, const std::string& pointer) {
  const Json* value = at_pointer(summary, pointer);
  return value ? value->dump() : "absent";
}

inline std::string file(Collector& collector, const std::string& name) {
  for (const ResultFile& f : collector.files()) {
    if (f.name == name) return f.content;
  }
  return "absent";
}

}  // namespace brink::telemetry::testing
