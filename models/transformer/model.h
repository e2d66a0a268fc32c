// A dense decoder-only transformer as its Hugging Face config.json describes it.
#pragma once

#include <cstdint>
#include <string>

#include "models/base/json.h"
#include "models/base/units.h"

namespace brink::transformer {

/// Sizes are counts of elements. Every dense Llama-like family (Llama, Mistral, Qwen2, Qwen3,
/// Yi) is this one shape: gated MLP, RMSNorm, rotary positions, grouped-query attention.
struct Model {
  std::string name;          // file stem, or the folder's name for a file called config.json
  std::string architecture;  // "LlamaForCausalLM"
  std::string dtype;         // as served: "float16" or "bfloat16" (float32 is served as float16)
  std::int64_t layers = 0;
  std::int64_t hidden = 0;
  std::int64_t q_heads = 0;
  std::int64_t kv_heads = 0;
  std::int64_t head_dim = 0;
  std::int64_t intermediate = 0;
  std::int64_t vocab = 0;
  std::int64_t max_position = 0;  // no more than the sliding window: inside it attention is full
  bool tied_embeddings = false;
  bool qkv_bias = false;     // Qwen2, or attention_bias: true (which also biases o)
  bool o_bias = false;
  bool mlp_bias = false;
  bool qk_norm = false;      // Qwen3: RMSNorm over each query and key head
  std::int64_t weight_bytes_per_parameter = 2;
};

/// Reads an unchanged config.json. Other keys are allowed. Throws ConfigError naming the file
/// and the field for anything missing, mistyped, out of range or outside dense models.
[[nodiscard]] Model load_model(const std::string& path);

/// The same from parsed JSON; pointers in errors are relative to `config`.
[[nodiscard]] Model read_model(const Json& config, const std::string& name);

/// Exact number of trained parameters (not padded, embeddings counted once when tied).
[[nodiscard]] std::int64_t parameter_count(const Model& model);

}  // namespace brink::transformer
