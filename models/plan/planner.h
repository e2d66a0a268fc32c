// Plans whole steps: asks the selector of every operator and keeps the answers by row count, so that a step in a
// steady state is two look-ups and one rule for attention.
#pragma once

#include <cstdint>
#include <deque>
#include <vector>

#include "models/plan/all_reduce.h"
#include "models/plan/attention_plan.h"
#include "models/plan/execution_plan.h"
#include "models/plan/gemm_selector.h"
#include "models/plan/norm.h"
#include "models/transformer/operator_graph.h"

namespace brink::plan {

struct PlannerSettings {
  AttentionHardware attention_hardware;
  AttentionOptions attention;
  AllReduceOptions all_reduce;
  Precision precision = Precision::bf16;  // of the GEMMs
  std::int64_t hidden = 0;                // width that norms sum over
  bool batch_invariant = false;
  bool live_rows_matter = false;          // a hypothesis looks at rows that are no padding
};

/// What the choices of a step depend on besides its row counts.
struct PlanState {
  Bytes workspace = mib(32);   // scratch memory of the stream
  bool captured = true;        // inside a CUDA graph
  std::int64_t live_rows = 0;  // tokens that are no padding
};

class Planner {
 public:
  /// `names` outlives the planner; all planners of a run share one.
  Planner(transformer::OperatorGraph graph, GemmSelector selector, const PlannerSettings& settings, TacticNames& names);
  Planner(const Planner&) = delete;
  Planner& operator=(const Planner&) = delete;

  /// What the operators on `rows` run as at `count` of them. The same object each time; it lives as long as the
  /// planner. States are few in a run: each has a table of its own.
  const PlanPart& part(transformer::Rows rows, std::int64_t count, const PlanState& state);
  [[nodiscard]] AllReducePlan all_reduce(Bytes message) const { return plan_all_reduce(message, settings_.all_reduce, names_); }
  [[nodiscard]] AttentionPlan attention(const AttentionBatch& batch) { return attention_.plan(batch); }
  [[nodiscard]] AttentionPlan attention_alone(std::int64_t context) { return attention_.alone(context); }

  [[nodiscard]] const transformer::OperatorGraph& graph() const { return graph_; }
  [[nodiscard]] const PlannerSettings& settings() const { return settings_; }

 private:
  struct Table {
    Bytes workspace;
    bool captured = true;
    std::int64_t live_rows = 0;                    // 0 unless they matter
    std::vector<const PlanPart*> tokens, sampled;  // by rows
  };

  Table& table(const PlanState& state);
  const PlanPart& make(transformer::Rows rows, std::int64_t count, const Table& table);
  [[nodiscard]] Choice choose(const transformer::Operator& op, std::int64_t count, const Table& table) const;

  transformer::OperatorGraph graph_;
  GemmSelector selector_;
  PlannerSettings settings_;
  TacticNames& names_;
  AttentionPlanner attention_;
  std::deque<PlanPart> parts_;
  std::deque<Table> tables_;
};

}  // namespace brink::plan
