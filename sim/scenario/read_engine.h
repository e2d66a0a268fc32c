// /engine: vLLM's knobs, read with vLLM's defaults.
#pragma once

#include <string>

#include "models/base/object_reader.h"
#include "models/gpu/gpu_spec.h"
#include "models/memory/memory_budget.h"
#include "models/plan/attention_plan.h"
#include "models/transformer/model.h"
#include "sim/scenario/engine_version.h"

namespace brink::scenario {

struct EngineSettings {
  std::string name = "vllm";
  std::string version_text;
  EngineVersion version;
  std::string dtype;             // "float16" or "bfloat16"
  std::string kv_cache_dtype = "auto";
  memory::EngineMemory memory;   // parallel sizes, limits, block size; max_model_len is filled in
  bool max_model_len_given = false;
  bool prefix_caching = true;
  bool chunked_prefill = true;
  bool enforce_eager = false;
  bool async_scheduling = true;
  // What decides execution plans.
  Bytes workspace = mib(32);        // scratch memory of the GEMM library's stream
  bool dynamic_workspace = false;   // scratch memory is what is free at this moment instead
  bool per_rank_allocator = false;  // ranks have block tables of their own
  bool batch_invariant = false;     // one order of summation whatever the batch
  bool autotune = false;            // each replica times the tactics at start-up
  bool symmetric_memory = false;    // multimem all-reduce over symmetric buffers
  plan::AttentionBackend attention = plan::AttentionBackend::fa3_dynamic;
};

/// Reads /engine (an empty object when absent). Throws ConfigError with the pointer of the field.
/// Defaults are vLLM's for its API server (engine/arg_utils.py, config/*.py).
[[nodiscard]] EngineSettings read_engine(ObjectReader in, const transformer::Model& model, const gpu::GpuSpec& gpu);

/// Every field with its value, in a fixed order.
[[nodiscard]] Json to_json(const EngineSettings& engine);

}  // namespace brink::scenario
