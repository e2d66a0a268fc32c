#include "sim/telemetry/steps_jsonl.h"

#include <iterator>

#include <fmt/format.h>

namespace brink::telemetry {

void StepsJsonl::add(const serving::StepRecord& r) {
  auto to = std::back_inserter(lines_);
  fmt::format_to(to, R"({{"replica":{},"step":{},"start_s":{:.9f},"end_s":{:.9f},)", r.replica.value, r.step,
                 r.start.value(), r.end.value());
  fmt::format_to(to, R"("compute_ms":{:.6f},"comm_ms":{:.6f},"sync_ms":{:.6f},"host_ms":{:.6f},)", to_ms(r.compute),
                 to_ms(r.comm), to_ms(r.sync), to_ms(r.host));
  fmt::format_to(to, R"("decode_sequences":{},"prefill_tokens":{},"prefill_chunks":{},"padded_tokens":{},)",
                 r.decode_sequences, r.prefill_tokens, r.prefill_chunks, r.padded_tokens);
  fmt::format_to(to, R"("context_tokens":{},"running":{},"waiting":{},"kv_blocks_used":{},)", r.context_tokens,
                 r.running, r.waiting, r.kv_blocks_used);
  fmt::format_to(to, R"("preemptions":{},"tokens_out":{},"finished":{},"badge":"{}")", r.preemptions, r.tokens_out,
                 r.finished, cost::name(r.badge));
  add_state(r);
  if (followed_.plans) add_plan(r);
  add_waits(r);
  lines_ += "}\n";
}

void StepsJsonl::add_state(const serving::StepRecord& r) {
  auto to = std::back_inserter(lines_);
  fmt::format_to(to, R"(,"seats":{},"kv_free":{},"kv_pinned":{})", r.seats, r.kv_free, r.kv_pinned);
  if (r.tenant >= 0) fmt::format_to(to, R"(,"tenant":{})", r.tenant);
  if (!followed_.regimes) return;
  fmt::format_to(to, R"(,"regime":"{}","regime_bits":{},"queue_p95_ms":{:.6f})", memory::name(r.regime.label),
                 static_cast<int>(r.regime.bits), to_ms(r.queue_p95));
}

void StepsJsonl::add_plan(const serving::StepRecord& r) {
  if (r.plan == nullptr || r.plan->tokens == nullptr || graph_ == nullptr) return;
  auto to = std::back_inserter(lines_);
  fmt::format_to(to, R"(,"plan_switch":{},"captured":{},"fallbacks":{},"tile_efficiency":{:.6f},"wave_efficiency":{:.6f})",
                 r.plan_switch, r.plan->captured, r.plan->tokens->fallbacks, r.plan->tokens->tile_efficiency,
                 r.plan->tokens->wave_efficiency);
  fmt::format_to(to, R"(,"workspace_mb":{:.3f},"tactics":{{{})", r.workspace / mib(1.0), tactics(*r.plan->tokens));
  if (r.plan->sampled != nullptr && !r.plan->sampled->operators.empty()) lines_ += ',' + tactics(*r.plan->sampled);
  if (r.plan->decodes) fmt::format_to(to, R"(,"attention":{})", r.plan->attention.choice.tactic_id);
  lines_ += '}';
}

void StepsJsonl::add_waits(const serving::StepRecord& r) {
  if (r.wait.empty()) return;
  auto to = std::back_inserter(lines_);
  fmt::format_to(to, R"(,"slowest_rank":{},"cause":{},"wait_ms":[)", r.slowest_rank, r.cause);
  for (std::size_t i = 0; i < r.wait.size(); ++i) fmt::format_to(to, "{}{:.6f}", i == 0 ? "" : ",", to_ms(r.wait[i]));
  lines_ += ']';
}

const std::string& StepsJsonl::tactics(const plan::PlanPart& part) {
  if (part.number >= tactics_.size()) tactics_.resize(part.number + 1);
  std::optional<std::string>& text = tactics_[part.number];
  if (text) return *text;
  text.emplace();
  for (std::size_t i = 0; i < part.operators.size(); ++i) {
    fmt::format_to(std::back_inserter(*text), R"({}"{}":{})", i == 0 ? "" : ",",
                   graph_->operators[part.operators[i]].name, part.choices[i].tactic_id);
  }
  return *text;
}

}  // namespace brink::telemetry
