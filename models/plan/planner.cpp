#include "models/plan/planner.h"

#include <utility>

namespace brink::plan {

using transformer::Operator;
using transformer::OperatorKind;
using transformer::Rows;

namespace {

bool is_norm(const Operator& op) { return op.name.starts_with("rms_norm"); }

/// Operators whose sums have an order, or that exist in several shapes.
bool has_tactics(const Operator& op) {
  if (op.kind == OperatorKind::elementwise) return is_norm(op);
  return op.kind == OperatorKind::gemm || op.kind == OperatorKind::all_reduce;
}

}  // namespace

Planner::Planner(transformer::OperatorGraph graph, GemmSelector selector, const PlannerSettings& settings, TacticNames& names)
    : graph_(std::move(graph)), selector_(std::move(selector)), settings_(settings), names_(names),
      attention_(settings.attention_hardware, settings.attention, names) {}

Planner::Table& Planner::table(const PlanState& state) {
  const std::int64_t live = settings_.live_rows_matter ? state.live_rows : 0;
  for (Table& t : tables_) {
    if (t.workspace == state.workspace && t.captured == state.captured && t.live_rows == live) return t;
  }
  tables_.push_back({state.workspace, state.captured, live, {}, {}});
  return tables_.back();
}

const PlanPart& Planner::part(Rows rows, std::int64_t count, const PlanState& state) {
  Table& t = table(state);
  auto& row = rows == Rows::tokens ? t.tokens : t.sampled;
  const auto index = static_cast<std::size_t>(count);
  if (index >= row.size()) row.resize(index + 1, nullptr);
  if (row[index] == nullptr) row[index] = &make(rows, count, t);
  return *row[index];
}

const PlanPart& Planner::make(Rows rows, std::int64_t count, const Table& table) {
  PlanPart part;
  part.number = names_.next_part();
  part.rows = count;
  double flops = 0.0, tile = 0.0, wave = 0.0;
  for (std::size_t i = 0; i < graph_.operators.size(); ++i) {
    const Operator& op = graph_.operators[i];
    if (op.rows != rows || !has_tactics(op)) continue;
    const Choice choice = choose(op, count, table);
    part.operators.push_back(static_cast<std::uint32_t>(i));
    part.choices.push_back(choice);
    part.signature = signature_hash(part.signature, choice.reduction_sig);
    part.repeatable = part.repeatable && choice.repeatable;
    part.fallbacks += choice.fallback == Fallback::none ? 0 : op.repeat;
    if (op.kind != OperatorKind::gemm) continue;
    const double work = static_cast<double>(op.n) * static_cast<double>(op.k) * static_cast<double>(op.repeat);
    flops += work;
    tile += work * choice.tile_efficiency;
    wave += work * choice.wave_efficiency;
  }
  if (flops > 0.0) {
    part.tile_efficiency = tile / flops;
    part.wave_efficiency = wave / flops;
  }
  parts_.push_back(std::move(part));
  return parts_.back();
}

Choice Planner::choose(const Operator& op, std::int64_t count, const Table& table) const {
  switch (op.kind) {
    case OperatorKind::gemm: {
      GemmProblem problem;
      problem.m = count;
      problem.n = op.n;
      problem.k = op.k;
      problem.precision = settings_.precision;
      return selector_.choose(problem, {table.workspace, table.captured, table.live_rows});
    }
    case OperatorKind::all_reduce:
      return all_reduce(op.bytes_per_row * static_cast<double>(count)).choice;
    default: return choose_norm(count, settings_.hidden, settings_.batch_invariant, names_);
  }
}

}  // namespace brink::plan
