#include "sim/app/inspect.h"

#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include "models/cost/i_step_cost.h"
#include "models/fabric/topology.h"
#include "models/plan/cuda_graphs.h"
#include "models/transformer/operator_graph.h"
#include "models/transformer/rank_shape.h"
#include "sim/app/inspect_fabric.h"
#include "sim/app/inspect_plans.h"
#include "sim/scenario/plan_parts.h"
#include "sim/scenario/serving_parts.h"

namespace brink::app {

namespace {

double in_gib(Bytes bytes) { return bytes / gib(1); }

Json layout(const scenario::Scenario& s) {
  const memory::EngineMemory& m = s.engine.memory;
  Json out = Json::object();
  out.set("cluster", s.inputs.cluster.name);
  out.set("gpu", s.inputs.gpu.name);
  out.set("gpus", s.inputs.cluster.gpus());
  out.set("gpus_used", m.tensor_parallel_size * m.data_parallel_size);
  out.set("replicas", m.data_parallel_size);
  out.set("tensor_parallel_size", m.tensor_parallel_size);
  Json& placement = out.set("placement", Json::array());
  const fabric::Topology placed(s.inputs.cluster);
  for (const auto& replica : scenario::placement(s)) {
    Json& ranks = placement.push_back(Json::array());
    for (const fabric::GpuPlace& place : replica) ranks.push_back(placed.gpu_name(place.node, place.index));
  }
  return out;
}

Json model_facts(const scenario::Scenario& s) {
  const transformer::Model& model = s.inputs.model;
  const std::int64_t tp = s.engine.memory.tensor_parallel_size;
  Json out = Json::object();
  out.set("name", model.name);
  out.set("architecture", model.architecture);
  out.set("dtype", model.dtype);
  out.set("parameters", transformer::parameter_count(model));
  out.set("layers", model.layers);
  out.set("kv_bytes_per_token_per_rank", transformer::kv_bytes_per_token_per_rank(model, tp, s.engine.memory.kv_element_bytes).value());
  out.set("kernels_per_step", transformer::operator_graph(model, tp).kernel_count());
  return out;
}

Json memory_facts(const memory::MemoryBudget& b) {
  Json out = Json::object();
  out.set("total_gib", in_gib(b.total));
  out.set("usable_gib", in_gib(b.usable));
  out.set("weights_gib", in_gib(b.weights));
  out.set("activations_gib", in_gib(b.activations));
  out.set("runtime_gib", in_gib(b.runtime));
  out.set("communicators_gib", in_gib(b.communicators));
  out.set("kv_pool_gib", in_gib(b.kv_pool));
  out.set("left_over_gib", in_gib(b.left_over));
  out.set("kv_blocks", b.kv_blocks);
  out.set("kv_tokens", b.kv_tokens);
  out.set("overridden", b.overridden);
  return out;
}

void add_step(Json& out, const cost::StepTime& time) {
  out.set("step_ms", to_ms(time.gpu()));
  out.set("compute_ms", to_ms(time.compute));
  out.set("comm_ms", to_ms(time.comm));
  out.set("sync_ms", to_ms(time.sync));
  out.set("gap_ms", to_ms(time.gap));
  out.set("host_ms", to_ms(time.host_before + time.host_after));
  out.set("padded_tokens", time.padded_tokens);
  out.set("badge", cost::name(time.badge));
}

/// Decode steps of equal contexts, as far as seats, context limit and KV pool allow.
Json decode_steps(const scenario::Scenario& s, cost::IStepCost& cost) {
  Json out = Json::array();
  for (const std::int64_t context : {256, 1024, 4096, 16384}) {
    for (const std::int64_t batch : {1, 8, 32, 128, 256}) {
      const memory::EngineMemory& m = s.engine.memory;
      if (batch > m.max_num_seqs || context > m.max_model_len || batch * context > s.budget.kv_tokens) continue;
      cost::StepShape shape;
      shape.decode_sequences = batch;
      shape.decode_context = batch * context;
      Json row = Json::object();
      row.set("batch", batch);
      row.set("context", context);
      add_step(row, cost.step(shape));
      out.push_back(std::move(row));
    }
  }
  return out;
}

/// A prompt alone on an idle replica, in chunks of the token budget.
Json prefills(const scenario::Scenario& s, cost::IStepCost& cost) {
  const memory::EngineMemory& m = s.engine.memory;
  Json out = Json::array();
  for (const std::int64_t tokens : {512, 2048, 8192}) {
    if (tokens >= m.max_model_len || tokens > s.budget.kv_tokens) continue;
    Seconds total{0.0};
    cost::Badge badge = cost::Badge::measured;
    std::int64_t steps = 0;
    for (std::int64_t done = 0; done < tokens; ++steps) {
      const std::int64_t take = std::min(tokens - done, m.max_num_batched_tokens);
      const std::array chunk = {cost::PrefillChunk{take, done, done + take == tokens}};
      cost::StepShape shape;
      shape.chunks = chunk;
      const cost::StepTime time = cost.step(shape);
      total += time.gpu();
      badge = cost::worse(badge, time.badge);
      done += take;
    }
    Json& row = out.push_back(Json::object());
    row.set("tokens", tokens);
    row.set("steps", steps);
    row.set("time_ms", to_ms(total));
    row.set("badge", cost::name(badge));
  }
  return out;
}

/// Who sums the partial results of a step of so many tokens.
Json all_reduces(const plan::Planner& planner, const plan::TacticNames& names) {
  Json out = Json::array();
  const auto& operators = planner.graph().operators;
  const auto found = std::find_if(operators.begin(), operators.end(), [](const transformer::Operator& op) {
    return op.kind == transformer::OperatorKind::all_reduce;
  });
  if (found == operators.end()) return out;
  for (const std::int64_t tokens : {1, 8, 32, 128, 256, 2048, 8192}) {
    const Bytes message = found->bytes_per_row * static_cast<double>(tokens);
    Json& row = out.push_back(Json::object());
    row.set("tokens", tokens);
    row.set("message_kib", message.value() / 1024.0);
    row.set("tactic", names[planner.all_reduce(message).choice.tactic_id]);
  }
  return out;
}

}  // namespace

Json inspect(const scenario::Scenario& scenario) {
  const cost::HostCost host = scenario::engine_host_cost(scenario);
  plan::TacticNames tactics;
  const auto planner = scenario::make_planner(scenario, tactics);
  const auto cost = scenario::step_cost(scenario, host, planner);
  Json out = Json::object();
  out.set("name", scenario.name);
  out.set("layout", layout(scenario));
  out.set("model", model_facts(scenario));
  out.set("memory_per_rank", memory_facts(scenario.budget));
  out.set("decode_steps", decode_steps(scenario, *cost));
  out.set("prefills", prefills(scenario, *cost));
  out.set("all_reduce", all_reduces(*planner, tactics));
  out.set("cuda_graph_max", scenario.engine.enforce_eager ? 0 : plan::cuda_graph_max(scenario.engine.memory.max_num_seqs));
  Json& engine = out.set("engine", scenario::to_json(scenario.engine));
  engine.set("host_constants_version", host.version);
  engine.set("host_constants_badge", cost::name(host.badge));
  add_plan_facts(out, scenario, *planner, tactics);
  add_fabric_facts(out, scenario.inputs.cluster);
  out.set("tensor_parallel_groups", group_cuts(scenario.inputs.cluster, scenario::placement(scenario)));
  return out;
}

}  // namespace brink::app
