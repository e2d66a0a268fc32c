#include "sim/scenario/serving_parts.h"

#include <utility>

#include "sim/conditions/confidential_step.h"
#include "sim/scenario/plan_parts.h"
#include "sim/serving/step_cost.h"

namespace brink::scenario {

namespace {

/// As the profile measured it, else as published for H100.
gpu::MemoryHierarchy memory_hierarchy(const cost::KernelProfile& profile) {
  gpu::MemoryHierarchy out;
  const cost::MemoryCurves* measured = profile.memory();
  if (measured == nullptr) return out;
  if (measured->l2) {
    out.cache = {measured->l2->capacity, measured->l2->sharpness, measured->l2->cache_rate, measured->l2->memory_rate};
  }
  if (const cost::GatherCurve* paged = measured->gather_of("paged")) out.gather.half_block = paged->half_block;
  if (measured->random_reads && measured->random_reads->reach) {
    out.translation = {measured->random_reads->reach, measured->random_reads->penalty / measured->random_reads->base};
  }
  return out;
}

}  // namespace

cost::HostCost engine_host_cost(const Scenario& scenario) {
  return cost::host_cost(scenario.inputs.profile->host(), scenario.engine.name, scenario.engine.version_text);
}

serving::FrontEnd front_end(const cost::HostCost& host) {
  serving::FrontEnd out;
  out.request_latency = host.request;
  return out;
}

serving::EngineConfig engine_config(const Scenario& scenario, const cost::HostCost& host) {
  const memory::EngineMemory& m = scenario.engine.memory;
  serving::EngineConfig out;
  out.max_num_seqs = m.max_num_seqs;
  out.max_num_batched_tokens = m.max_num_batched_tokens;
  out.max_model_len = m.max_model_len;
  out.block_size = m.block_size;
  out.kv_blocks = scenario.budget.kv_blocks;
  out.chunked_prefill = scenario.engine.chunked_prefill;
  out.async_scheduling = scenario.engine.async_scheduling;
  out.prefix_caching = scenario.engine.prefix_caching;
  out.ranks = m.tensor_parallel_size;
  out.kv_block = scenario.budget.kv_block;
  out.workspace = idle_workspace(scenario);
  out.stream_per_token = host.stream_per_token;
  return out;
}

std::unique_ptr<cost::IStepCost> step_cost(const Scenario& scenario, const cost::HostCost& host,
                                           std::shared_ptr<plan::Planner> planner) {
  const cost::KernelProfile& profile = *scenario.inputs.profile;
  const memory::EngineMemory& m = scenario.engine.memory;
  serving::StepCostSettings settings;
  settings.tensor_parallel_size = m.tensor_parallel_size;
  settings.max_num_seqs = m.max_num_seqs;
  settings.max_num_batched_tokens = m.max_num_batched_tokens;
  settings.max_model_len = m.max_model_len;
  settings.vocab = scenario.inputs.model.vocab;
  settings.enforce_eager = scenario.engine.enforce_eager;
  settings.memory = memory_hierarchy(profile);
  settings.weights = scenario.budget.weights;
  settings.kv_token = scenario.budget.kv_block / static_cast<double>(m.block_size);
  settings.kv_pool = scenario.budget.kv_pool;
  settings.kv_block_part = scenario.budget.kv_block / (2.0 * static_cast<double>(scenario.inputs.model.layers));
  settings.follow_plans = scenario.observe.plans;
  const auto in_situ = cost::InSitu::from_json(profile.in_situ(), profile.gpu().sustained_bf16);
  auto cost = std::make_unique<serving::StepCost>(profile, in_situ, host, std::move(planner), settings);
  if (!scenario.security.confidential) return cost;
  const conditions::ConfidentialCost confidential(*scenario.security.confidential, scenario.inputs.gpu.pcie_each_way);
  return std::make_unique<conditions::ConfidentialStepCost>(std::move(cost), confidential, m.max_model_len / m.block_size);
}

std::vector<std::vector<fabric::GpuPlace>> placement(const Scenario& scenario) {
  if (scenario.disaggregation) return place_pools(*scenario.disaggregation, scenario.inputs.cluster);
  const memory::EngineMemory& m = scenario.engine.memory;
  return fabric::place_ranks(scenario.inputs.cluster, m.data_parallel_size, m.tensor_parallel_size);
}

}  // namespace brink::scenario
