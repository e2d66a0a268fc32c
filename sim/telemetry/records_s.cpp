#include "sim/telemetry/records_s.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <iterator>

#include <fmt/format.h>

#include "sim/telemetry/wait_stats.h"

namespace brink::telemetry {

namespace {

using memory::Regime;

/// The article's three KV regimes: what pages, what is short of memory, the rest.
const char* kv_regime(const memory::RegimeState& state) {
  if (state.holds(Regime::paging)) return "paged";
  return state.holds(Regime::memory_evaporation) || state.holds(Regime::memory_pressured) ? "pressured" : "normal";
}

/// Queries and keys of one sequence, means over those that decode; without any, over the prefill chunks.
std::string shape_of(const serving::StepRecord& r, const RecordFacts& facts, std::int64_t tensor_parallel) {
  const auto mean = [](std::int64_t sum, std::int64_t count) {
    return std::llround(static_cast<double>(sum) / static_cast<double>(std::max<std::int64_t>(1, count)));
  };
  const bool decodes = r.decode_sequences > 0;
  const auto q = decodes ? 1 : mean(r.prefill_tokens, r.prefill_chunks);
  const auto k = decodes ? mean(r.context_tokens, r.decode_sequences) : q;
  return fmt::format("q={},k={},h={},d={},tp={}", q, k, facts.heads, facts.hidden, tensor_parallel);
}

}  // namespace

void SRecords::follow_plans(const plan::TacticNames& names, const transformer::OperatorGraph& graph) {
  names_ = &names;
  graph_ = &graph;
  double most = 0.0;
  for (std::size_t i = 0; i < graph.operators.size(); ++i) {
    const transformer::Operator& op = graph.operators[i];
    if (op.rows != transformer::Rows::tokens) continue;
    const auto repeat = static_cast<double>(op.repeat);
    const double work = repeat * static_cast<double>(op.n) * static_cast<double>(op.k);
    if (op.kind == transformer::OperatorKind::gemm && work > most) {
      most = work;
      primary_gemm_ = static_cast<std::uint32_t>(i);
    }
    if (op.kind == transformer::OperatorKind::all_reduce) comm_row_ += op.bytes_per_row * repeat;
  }
}

bool SRecords::wants(const serving::StepRecord& record) {
  if (mode_ == RecordMode::full) return true;
  if (mode_ == RecordMode::none) return false;
  const auto index = static_cast<std::size_t>(record.replica.value);
  if (index >= replicas_.size()) replicas_.resize(index + 1);
  Replica& replica = replicas_[index];
  const bool regime = record.regime.bits != replica.regime.bits || record.regime.label != replica.regime.label;
  const bool switched = record.plan_switch && record.step >= replica.last + steps_between_switches;
  replica.regime = record.regime;
  if (replica.any && !regime && !switched && record.step % steps_between != 0) return false;
  replica.any = true;
  replica.last = record.step;
  return true;
}

const SRecords::Description& SRecords::describe(const plan::PlanPart& part) {
  if (part.number >= descriptions_.size()) descriptions_.resize(part.number + 1);
  std::optional<Description>& description = descriptions_[part.number];
  if (description) return *description;
  description.emplace();
  std::array<bool, static_cast<std::size_t>(plan::Precision::w4a16) + 1> seen{};
  for (std::size_t i = 0; i < part.operators.size(); ++i) {
    const transformer::OperatorKind kind = graph_->operators[part.operators[i]].kind;
    if (kind == transformer::OperatorKind::all_reduce && !description->collective) description->collective = part.choices[i];
    if (kind != transformer::OperatorKind::gemm) continue;
    seen[static_cast<std::size_t>(part.choices[i].precision)] = true;
    if (part.operators[i] == primary_gemm_) description->gemm = part.choices[i];
  }
  for (std::size_t i = 0; i < seen.size(); ++i) {
    if (!seen[i]) continue;
    if (!description->precision_path.empty()) description->precision_path += '+';
    description->precision_path += plan::name(static_cast<plan::Precision>(i));
  }
  return *description;
}

void SRecords::add_plan(const serving::StepRecord& r) {
  auto to = std::back_inserter(lines_);
  if (r.plan == nullptr || r.plan->tokens == nullptr || names_ == nullptr) {
    lines_ += R"("precision_path":null,"algo_id":null,"kernel_variant":null,"collective":null,)";
    return;
  }
  const Description& plan = describe(*r.plan->tokens);
  const auto name_of = [this](const std::optional<plan::Choice>& choice) {
    return choice ? Json((*names_)[choice->tactic_id]).dump() : std::string("null");
  };
  fmt::format_to(to, R"("precision_path":{},)",
                 plan.precision_path.empty() ? std::string("null") : Json(plan.precision_path).dump());
  fmt::format_to(to, R"("algo_id":{},"kernel_variant":{},"collective":{},)",
                 plan.gemm ? std::to_string(plan.gemm->tactic_id) : std::string("null"), name_of(plan.gemm),
                 name_of(plan.collective));
  if (r.plan->decodes) {
    fmt::format_to(to, R"("attention_variant":{},)", name_of(std::optional(r.plan->attention.choice)));
  }
}

void SRecords::add(const serving::StepRecord& r) {
  if (!wants(r)) return;
  auto to = std::back_inserter(lines_);
  fmt::format_to(to, R"({{"req_id":{},"step":{},"replica":{},)",
                 r.request >= 0 ? std::to_string(r.request) : std::string("null"), r.step, r.replica.value);
  if (r.members != 0) {
    fmt::format_to(to, R"("batch_fp":"{:012x}",)", r.members >> 16);
  } else {
    lines_ += R"("batch_fp":null,)";
  }
  const double free_mb = static_cast<double>(r.kv_free) * (facts_.kv_block / mib(1.0));
  fmt::format_to(to, R"("shape":"{}","queue_ms":{:.6f},"gpu_ms":{:.6f},)", shape_of(r, facts_, tensor_parallel_),
                 to_ms(r.queue_p95), to_ms(r.compute + r.comm + r.sync));
  fmt::format_to(to, R"("vram_free_mb":{:.3f},"workspace_free_mb":{:.3f},"kv_regime":"{}","regime":"{}","regime_bits":{},)",
                 free_mb, r.workspace / mib(1.0), kv_regime(r.regime), memory::name(r.regime.label),
                 static_cast<int>(r.regime.bits));
  add_plan(r);
  fmt::format_to(to, R"("isolation_mode":"{}","tenant":{},"decode_sequences":{},"prefill_tokens":{},"padded_tokens":{},)",
                 facts_.isolation, r.tenant, r.decode_sequences, r.prefill_tokens, r.padded_tokens);
  const double gb_per_s = r.comm.value() > 0.0 ? static_cast<double>(r.padded_tokens) * comm_row_.value() / r.comm.value() * 1e-9 : 0.0;
  fmt::format_to(to, R"("comm_ms":{:.6f},"comm_gb_per_s":{:.3f},"sync_ms":{:.6f},"rank_skew_ms":{:.6f},"slowest_rank":{},"cause":{}}})",
                 to_ms(r.comm), gb_per_s, to_ms(r.sync), to_ms(skew_of(r.wait)), r.slowest_rank, r.cause);
  lines_ += '\n';
}

}  // namespace brink::telemetry
