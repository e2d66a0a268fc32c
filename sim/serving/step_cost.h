// How long a step takes on calibrated hardware: kernels, collectives and the gap between
// steps, for the slowest rank of one tensor-parallel group.
//
// Per-token work depends on the padded token count alone, per-row work on the number of
// sampled rows, decode attention on the number of sequences and their context: each is
// tabulated on first use, so that a step in a steady state is a few look-ups.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <memory>
#include <vector>

#include "models/cost/i_step_cost.h"
#include "models/cost/kernel_profile.h"
#include "models/cost/step_constants.h"
#include "models/gpu/memory_hierarchy.h"
#include "models/plan/planner.h"

namespace brink::serving {

struct StepCostSettings {
  std::int64_t tensor_parallel_size = 1;
  std::int64_t max_num_seqs = 1024;            // bounds sampled rows and decoding sequences
  std::int64_t max_num_batched_tokens = 8192;
  std::int64_t max_model_len = 0;
  cost::KvType kv_type = cost::KvType::bf16;
  bool enforce_eager = false;                  // no CUDA graphs: neither padding nor hidden launches
  std::int64_t vocab = 0;                      // of the whole model: the sampler works on it
  gpu::MemoryHierarchy memory;
  Bytes weights, kv_token, kv_pool;            // of one rank; KV of one token over all layers
  Bytes kv_block_part;                         // K or V of one block in one layer
  bool follow_plans = true;                    // say in StepTime what ran
};

/// Seconds of a step known at each badge, best known first.
class BadgeTimes {
 public:
  void add(Seconds time, cost::Badge badge) { times_[static_cast<std::size_t>(badge)] += time; }
  BadgeTimes& operator+=(const BadgeTimes& other);
  /// The best badge that covers 95 % of the time: a gather of a few microseconds must not
  /// decide what a step of ten milliseconds is called.
  [[nodiscard]] cost::Badge badge() const;

 private:
  std::array<Seconds, 4> times_;
};

class StepCost final : public cost::IStepCost {
 public:
  /// `profile` is shared by the replicas of a run and outlives them. The planner decides what runs; its graph is
  /// that of one rank.
  StepCost(const cost::KernelProfile& profile, const cost::InSitu& in_situ, const cost::HostCost& host,
           std::shared_ptr<plan::Planner> planner, const StepCostSettings& settings);

  cost::StepTime step(const cost::StepShape& shape) override;

 private:
  /// Work of one kind; `compute` < 0 marks a table entry that was not needed yet.
  struct Work {
    Seconds compute = Seconds(-1.0);
    Seconds comm;
    Seconds clock_bound;
    BadgeTimes by_badge;
    const plan::PlanPart* plan = nullptr;
  };
  /// Work by row count, in one state of the replica.
  struct Tables {
    Bytes workspace;
    std::int64_t live_rows = 0;  // 0 unless they matter
    std::vector<Work> tokens, sampled;
  };

  Tables& tables(Bytes workspace, std::int64_t live_rows);
  const Work& token_work(Tables& tables, std::int64_t padded, const plan::PlanState& state);
  const Work& sampled_work(Tables& tables, std::int64_t rows, const plan::PlanState& state);
  [[nodiscard]] Work evaluate(transformer::Rows rows, std::int64_t count, const plan::PlanState& state) const;
  void add(Work& work, const transformer::Operator& op, const plan::Choice* choice, std::int64_t count) const;
  void plan_attention(const cost::StepShape& shape, bool captured);
  void name_plan(cost::StepTime& time, const Work& tokens, const Work& sampled, bool samples);

  [[nodiscard]] double memory_factor(const cost::StepShape& shape, Seconds layer) const;
  cost::Estimate attention(const cost::StepShape& shape);
  cost::Estimate decode_attention(std::int64_t sequences, std::int64_t context);
  const cost::Estimate& decode_knot(std::int64_t sequences, std::size_t knot);

  const cost::KernelProfile& profile_;
  cost::InSitu in_situ_;
  cost::HostCost host_;
  StepCostSettings settings_;
  std::shared_ptr<plan::Planner> planner_;
  plan::ExecutionPlan plan_;                   // of the last step
  cost::AttentionHeads heads_;
  std::int64_t layers_ = 0, vocab_ = 0, graph_max_ = 0, collectives_ = 0;
  Seconds launch_bound_;                       // of a step outside graphs
  cost::Estimate prefill_floor_;               // a launch with next to nothing to do

  std::deque<Tables> tables_;
  std::vector<double> knots_;                  // contexts a sequence, log-spaced
  std::vector<std::vector<cost::Estimate>> decode_;  // [sequences][knot]; time < 0: not needed yet
  Seconds prefill_layer_;                      // of the last step: prefill attention of one layer, bound by the clock
  bool plans_attention_ = false;               // its tactic may cost other than what was measured
  // The bracket of the last look-up: a steady batch stays in it for many steps.
  std::size_t last_knot_ = 0;
};

}  // namespace brink::serving
