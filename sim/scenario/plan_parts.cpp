#include "sim/scenario/plan_parts.h"

#include <utility>

#include "models/plan/cuda_graphs.h"
#include "models/transformer/operator_graph.h"
#include "sim/serving/card_workspace.h"
#include "sim/serving/reference_plan.h"

namespace brink::scenario {

namespace {

plan::GemmSelector gemm_selector(const Scenario& scenario, plan::TacticNames& names, std::uint64_t replica) {
  plan::GemmSelectorOptions options;
  options.batch_invariant = scenario.engine.batch_invariant;
  options.autotune = scenario.engine.autotune;
  options.seed = scenario.seed;
  options.replica = replica;
  options.scalar_fp16_at_17 = scenario.hypotheses.scalar_fp16_at_17;
  std::shared_ptr<const cost::GemmTactics> measured;
  if (scenario.inputs.profile->tactics() != nullptr) {
    measured = std::shared_ptr<const cost::GemmTactics>(scenario.inputs.profile, scenario.inputs.profile->tactics());
  }
  return {scenario.gemm_tactics, options, names, std::move(measured)};
}

plan::PlannerSettings planner_settings(const Scenario& scenario, const transformer::OperatorGraph& graph) {
  const EngineSettings& engine = scenario.engine;
  plan::PlannerSettings out;
  const transformer::Operator& attention = *graph.find("attention");
  out.attention_hardware.sm_count = scenario.inputs.gpu.sms;
  out.attention_hardware.q_heads = attention.q_heads;
  out.attention_hardware.kv_heads = attention.kv_heads;
  out.attention_hardware.head_dim = attention.head_dim;
  out.attention_hardware.page_size = engine.memory.block_size;
  out.attention_hardware.kv_element_bytes = engine.memory.kv_element_bytes;
  out.attention.backend = engine.attention;
  out.attention.batch_invariant = engine.batch_invariant;
  out.attention.length_2047_changes_splits = scenario.hypotheses.length_2047_changes_splits;
  out.all_reduce.setting = {engine.memory.tensor_parallel_size, scenario.inputs.cluster.has_nvlink, engine.symmetric_memory};
  out.all_reduce.batch_invariant = engine.batch_invariant;
  out.all_reduce.collectives_keep_order = scenario.hypotheses.collectives_keep_order;
  out.precision = engine.dtype == "float16" ? plan::Precision::fp16 : plan::Precision::bf16;
  out.hidden = scenario.inputs.model.hidden;
  out.batch_invariant = engine.batch_invariant;
  out.live_rows_matter = scenario.hypotheses.scalar_fp16_at_17;
  return out;
}

memory::RankMemoryOptions rank_memory(const Scenario& scenario, std::uint64_t replica) {
  const EngineSettings& engine = scenario.engine;
  memory::RankMemoryOptions out;
  out.workspace = engine.workspace;
  out.dynamic_workspace = engine.dynamic_workspace || scenario.hypotheses.free_memory_changes_tactics;
  out.per_rank_allocator = engine.per_rank_allocator || scenario.hypotheses.per_rank_fragmentation_diverges;
  out.ranks = engine.memory.tensor_parallel_size;
  out.graphs = engine.enforce_eager ? 0 : static_cast<std::int64_t>(plan::cuda_graph_sizes(engine.memory.max_num_seqs).size());
  out.seed = scenario.seed;
  out.replica = replica;
  return out;
}

}  // namespace

std::shared_ptr<plan::Planner> make_planner(const Scenario& scenario, plan::TacticNames& names, std::uint64_t replica) {
  auto graph = transformer::operator_graph(scenario.inputs.model, scenario.engine.memory.tensor_parallel_size);
  const plan::PlannerSettings settings = planner_settings(scenario, graph);
  return std::make_shared<plan::Planner>(std::move(graph), gemm_selector(scenario, names, replica), settings, names);
}

std::unique_ptr<serving::IWorkspace> make_workspace(const Scenario& scenario, std::uint64_t replica) {
  const memory::RankMemoryOptions options = rank_memory(scenario, replica);
  if (!options.dynamic_workspace && !options.per_rank_allocator) return nullptr;
  return std::make_unique<serving::CardWorkspace>(scenario.budget, options);
}

Bytes idle_workspace(const Scenario& scenario) {
  const auto workspace = make_workspace(scenario, 0);
  return workspace ? workspace->workspace(0) : scenario.engine.workspace;
}

std::shared_ptr<const serving::IReferencePlan> reference_plan(const Scenario& scenario, std::shared_ptr<plan::Planner> planner) {
  const std::int64_t graph_max = scenario.engine.enforce_eager ? 0 : plan::cuda_graph_max(scenario.engine.memory.max_num_seqs);
  return std::make_shared<serving::ReferencePlan>(std::move(planner), graph_max, idle_workspace(scenario));
}

}  // namespace brink::scenario
