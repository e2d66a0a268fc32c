#include "sim/scenario/serving_parts.h"

#include "sim/serving/step_cost.h"

namespace brink::scenario {

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
  out.stream_per_token = host.stream_per_token;
  return out;
}

std::unique_ptr<cost::IStepCost> step_cost(const Scenario& scenario, const cost::HostCost& host) {
  const cost::KernelProfile& profile = *scenario.inputs.profile;
  const memory::EngineMemory& m = scenario.engine.memory;
  serving::StepCostSettings settings;
  settings.tensor_parallel_size = m.tensor_parallel_size;
  settings.max_num_seqs = m.max_num_seqs;
  settings.max_num_batched_tokens = m.max_num_batched_tokens;
  settings.max_model_len = m.max_model_len;
  settings.enforce_eager = scenario.engine.enforce_eager;
  const auto in_situ = cost::InSitu::from_json(profile.in_situ(), profile.gpu().sustained_bf16);
  return std::make_unique<serving::StepCost>(profile, in_situ, host, scenario.inputs.model, settings);
}

std::vector<std::vector<fabric::GpuPlace>> placement(const Scenario& scenario) {
  const memory::EngineMemory& m = scenario.engine.memory;
  return fabric::place_ranks(scenario.inputs.cluster, m.data_parallel_size, m.tensor_parallel_size);
}

}  // namespace brink::scenario
