#include "sim/scenario/read_engine.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>
#include <vector>

namespace brink::scenario {

namespace {

const Range count_range = Range{1.0, 1e6, false, {}};
const Range token_range = Range{1.0, 1e9, false, "tokens"};

/// vLLM takes larger batches by default on cards of 70 GiB and more (engine/arg_utils.py,
/// get_batch_defaults, for its API server).
struct BatchDefaults {
  std::int64_t max_num_seqs, max_num_batched_tokens;
};

BatchDefaults batch_defaults(const gpu::GpuSpec& gpu) {
  return gpu.memory_total >= gib(70) ? BatchDefaults{1024, 8192} : BatchDefaults{256, 2048};
}

/// Features with a known name that this version does not simulate: only the value that leaves
/// them out is taken.
void refuse_absent_features(ObjectReader& in) {
  if (const auto pp = in.integer_or("pipeline_parallel_size", 1, count_range); pp != 1) {
    throw in.error("pipeline_parallel_size", std::to_string(pp),
                   "allowed: 1; this version has no pipeline parallelism: use tensor_parallel_size and "
                   "data_parallel_size");
  }
  if (in.boolean_or("enable_expert_parallel", false)) {
    throw in.error("enable_expert_parallel", "true", "allowed: false; this version serves dense models only");
  }
  if (in.has("quantization")) {
    throw in.error("quantization", in.value("quantization").describe(),
                   "allowed: null; this version serves 16-bit weights only");
  }
}

std::string read_dtype(ObjectReader& in, const transformer::Model& model) {
  const std::string name = in.choice_or("dtype", {"auto", "bfloat16", "float16", "half"}, "auto");
  if (name == "auto") return model.dtype;
  return name == "half" ? "float16" : name;
}

std::string read_kv_dtype(ObjectReader& in) {
  static const std::vector<std::string> names = {"auto", "bfloat16", "float16"};
  static const std::vector<std::string> eight_bit = {"fp8", "fp8_e4m3", "fp8_e5m2", "fp8_inc", "fp8_ds_mla"};
  if (!in.has("kv_cache_dtype")) return "auto";
  const Json& given = in.value("kv_cache_dtype");
  if (given.is_string() && std::find(eight_bit.begin(), eight_bit.end(), given.as_string()) != eight_bit.end()) {
    throw in.error("kv_cache_dtype", given.describe(),
                   "allowed: auto, bfloat16, float16; this version keeps keys and values in 16 bits");
  }
  return in.choice("kv_cache_dtype", names);
}

void read_limits(ObjectReader& in, const gpu::GpuSpec& gpu, EngineSettings& out) {
  memory::EngineMemory& m = out.memory;
  const BatchDefaults defaults = batch_defaults(gpu);
  const bool seqs_given = in.has("max_num_seqs"), tokens_given = in.has("max_num_batched_tokens");
  m.max_num_seqs = in.integer_or("max_num_seqs", defaults.max_num_seqs, count_range);
  if (tokens_given) {
    m.max_num_batched_tokens = in.integer("max_num_batched_tokens", token_range);
  } else {
    // As in _set_default_max_num_seqs_and_batched_tokens_args: a whole prompt must fit into a
    // step without chunks, and no step holds more than all seats at full length.
    m.max_num_batched_tokens = defaults.max_num_batched_tokens;
    if (!out.chunked_prefill) m.max_num_batched_tokens = std::max(m.max_num_batched_tokens, m.max_model_len);
    m.max_num_batched_tokens = std::min(m.max_num_batched_tokens, m.max_num_seqs * m.max_model_len);
  }
  if (!seqs_given) m.max_num_seqs = std::min(m.max_num_seqs, m.max_num_batched_tokens);
  if (m.max_num_batched_tokens < m.max_num_seqs) {
    throw in.error("max_num_batched_tokens", std::to_string(m.max_num_batched_tokens),
                   "at least max_num_seqs (" + std::to_string(m.max_num_seqs) + "): every sequence decodes one token a step");
  }
  if (!out.chunked_prefill && m.max_num_batched_tokens < m.max_model_len) {
    throw in.error("max_num_batched_tokens", std::to_string(m.max_num_batched_tokens),
                   "at least max_model_len (" + std::to_string(m.max_model_len) +
                       ") while enable_chunked_prefill is false: a prompt has to fit into one step");
  }
}

void read_memory(ObjectReader& in, EngineSettings& out) {
  memory::EngineMemory& m = out.memory;
  m.gpu_memory_utilization = in.number_or("gpu_memory_utilization", 0.9, Range{0.0, 1.0, true, "share of the card"});
  m.block_size = in.integer_or("block_size", 16, Range{1.0, 256.0, false, "tokens"});
  static const std::vector<std::int64_t> sizes = {1, 8, 16, 32, 64, 128, 256};
  if (std::find(sizes.begin(), sizes.end(), m.block_size) == sizes.end()) {
    throw in.error("block_size", std::to_string(m.block_size), "allowed: 1, 8, 16, 32, 64, 128, 256 (tokens)");
  }
  if (in.has("num_gpu_blocks_override")) {
    m.num_gpu_blocks_override = in.integer("num_gpu_blocks_override", Range{1.0, 1e12, false, "blocks"});
  }
}

// The first is what vLLM runs on Hopper; a scenario may name any of them.
constexpr std::array<std::pair<const char*, plan::AttentionBackend>, 4> attention_backends = {{
    {"fa3", plan::AttentionBackend::fa3_dynamic},
    {"fa3_static", plan::AttentionBackend::fa3_static},
    {"fa2", plan::AttentionBackend::fa2},
    {"flashinfer", plan::AttentionBackend::flashinfer},
}};

void read_plan_options(ObjectReader& in, EngineSettings& out) {
  // PyTorch gives cuBLASLt 32 MiB a stream on Hopper (PyTorch pull request 120925) and never looks at what is free.
  out.workspace = mib(in.number_or("workspace_mib", 32.0, Range{0.0, 1048576.0, false, "MiB"}));
  out.dynamic_workspace = in.boolean_or("dynamic_workspace", false);
  out.per_rank_allocator = in.boolean_or("per_rank_allocator", false);
  out.batch_invariant = in.boolean_or("batch_invariant", false);
  out.autotune = in.boolean_or("autotune", false);
  out.symmetric_memory = in.boolean_or("symmetric_memory", false);
  std::vector<std::string> names;
  for (const auto& entry : attention_backends) names.emplace_back(entry.first);
  const std::string name = in.choice_or("attention_backend", names, names.front());
  for (const auto& entry : attention_backends) {
    if (name == entry.first) out.attention = entry.second;
  }
}

const char* backend_name(plan::AttentionBackend backend) {
  for (const auto& entry : attention_backends) {
    if (entry.second == backend) return entry.first;
  }
  return "";
}

}  // namespace

EngineSettings read_engine(ObjectReader in, const transformer::Model& model, const gpu::GpuSpec& gpu) {
  EngineSettings out;
  out.name = in.choice_or("name", {"vllm"}, "vllm");
  out.version_text = in.string_or("version", "0.15");
  out.version = parse_engine_version(out.version_text, in.pointer_to("version"));
  refuse_absent_features(in);
  out.dtype = read_dtype(in, model);
  out.kv_cache_dtype = read_kv_dtype(in);
  out.memory.tensor_parallel_size = in.integer_or("tensor_parallel_size", 1, count_range);
  out.memory.data_parallel_size = in.integer_or("data_parallel_size", 1, count_range);
  out.prefix_caching = in.boolean_or("enable_prefix_caching", true);
  out.chunked_prefill = in.boolean_or("enable_chunked_prefill", true);
  out.enforce_eager = in.boolean_or("enforce_eager", false);
  // vLLM 0.14 made asynchronous scheduling the default.
  out.async_scheduling = in.boolean_or("async_scheduling", out.version >= EngineVersion{0, 14, 0});
  out.max_model_len_given = in.has("max_model_len");
  out.memory.max_model_len = in.integer_or("max_model_len", model.max_position, token_range);
  read_limits(in, gpu, out);
  read_memory(in, out);
  read_plan_options(in, out);
  in.finish();
  return out;
}

Json to_json(const EngineSettings& engine) {
  const memory::EngineMemory& m = engine.memory;
  Json out = Json::object();
  out.set("name", engine.name);
  out.set("version", engine.version_text);
  out.set("tensor_parallel_size", m.tensor_parallel_size);
  out.set("pipeline_parallel_size", 1);
  out.set("data_parallel_size", m.data_parallel_size);
  out.set("enable_expert_parallel", false);
  out.set("dtype", engine.dtype);
  out.set("quantization", Json());
  out.set("kv_cache_dtype", engine.kv_cache_dtype);
  out.set("max_num_seqs", m.max_num_seqs);
  out.set("max_num_batched_tokens", m.max_num_batched_tokens);
  out.set("max_model_len", m.max_model_len);
  out.set("gpu_memory_utilization", m.gpu_memory_utilization);
  out.set("block_size", m.block_size);
  out.set("enable_prefix_caching", engine.prefix_caching);
  out.set("enable_chunked_prefill", engine.chunked_prefill);
  out.set("num_gpu_blocks_override", m.num_gpu_blocks_override ? Json(*m.num_gpu_blocks_override) : Json());
  out.set("enforce_eager", engine.enforce_eager);
  out.set("async_scheduling", engine.async_scheduling);
  out.set("workspace_mib", engine.workspace / mib(1));
  out.set("dynamic_workspace", engine.dynamic_workspace);
  out.set("per_rank_allocator", engine.per_rank_allocator);
  out.set("batch_invariant", engine.batch_invariant);
  out.set("autotune", engine.autotune);
  out.set("symmetric_memory", engine.symmetric_memory);
  out.set("attention_backend", backend_name(engine.attention));
  return out;
}

}  // namespace brink::scenario
