#include "models/transformer/model.h"

#include <filesystem>
#include <fmt/format.h>
#include <initializer_list>
#include <vector>

#include "models/base/error.h"
#include "models/base/object_reader.h"

namespace brink::transformer {
namespace {

// What a family adds to the shared shape and does not say in its config.
struct Family {
  const char* model_type;
  bool qkv_bias;
  bool qk_norm;
};

constexpr Family families[] = {
    {"llama", false, false}, {"mistral", false, false}, {"qwen2", true, false},
    {"qwen3", false, true},  {"phi3", false, false},    {"yi", false, false},
};

// Limits far above any published model; they keep every product of two sizes inside int64.
constexpr double layers_max = 1e4, heads_max = 1e4, head_dim_max = 1e4, width_max = 1e6, vocab_max = 1e8,
                 positions_max = 1e9;

void refuse_field(ObjectReader& reader, const char* key, const char* what) {
  if (!reader.has(key)) return;
  const Json& value = reader.value(key);
  // 0 and 1 expert is how dense variants of mixture families are written.
  if (value.kind() == Json::Kind::integer && value.as_integer() <= 1) return;
  throw reader.error(key, value.describe(), what);
}

void refuse_other_kinds(ObjectReader& reader) {
  constexpr auto mixture =
      "mixture-of-experts models are outside what this version simulates; give a dense model";
  constexpr auto latent =
      "multi-head latent attention (MLA) models are outside what this version simulates; give a dense model";
  constexpr auto quantised =
      "quantised checkpoints are outside what this version simulates; give the float16 or bfloat16 model";
  for (const char* key : {"num_experts", "num_local_experts", "n_routed_experts", "moe_intermediate_size"})
    refuse_field(reader, key, mixture);
  for (const char* key : {"kv_lora_rank", "q_lora_rank"}) refuse_field(reader, key, latent);
  refuse_field(reader, "quantization_config", quantised);
}

const Family& family_of(ObjectReader& reader) {
  std::vector<std::string> names;
  for (const Family& family : families) names.emplace_back(family.model_type);
  const std::string type = reader.choice("model_type", names);
  for (const Family& family : families)
    if (type == family.model_type) return family;
  return families[0];
}

std::string first_architecture(ObjectReader& reader) {
  std::string name;
  reader.each("architectures", [&](const Json& item, const std::string& pointer) {
    const std::string text = checked_string(item, pointer);
    if (name.empty()) name = text;
  });
  return name;
}

void read_dtype(ObjectReader& reader, Model& model) {
  const std::vector<std::string> names = {"float16", "bfloat16", "float32"};
  std::string dtype = "bfloat16";
  if (reader.has("dtype")) dtype = reader.choice("dtype", names);
  else if (reader.has("torch_dtype")) dtype = reader.choice("torch_dtype", names);
  // vLLM's dtype "auto" casts float32 checkpoints to float16 (vllm/config/model.py).
  model.dtype = dtype == "float32" ? "float16" : dtype;
}

void read_heads(ObjectReader& reader, Model& model) {
  model.q_heads = reader.integer("num_attention_heads", Range::between(1, heads_max));
  model.kv_heads = reader.integer_or("num_key_value_heads", model.q_heads, Range::between(1, heads_max));
  if (model.q_heads % model.kv_heads != 0) {
    throw reader.error("num_key_value_heads", std::to_string(model.kv_heads),
                       fmt::format("a divisor of /num_attention_heads ({})", model.q_heads));
  }
  if (reader.has("head_dim")) {
    model.head_dim = reader.integer("head_dim", Range::between(2, head_dim_max));
  } else if (model.hidden % model.q_heads == 0) {
    model.head_dim = model.hidden / model.q_heads;
  } else {
    throw reader.error("num_attention_heads", std::to_string(model.q_heads),
                       fmt::format("a divisor of /hidden_size ({}), or give /head_dim", model.hidden));
  }
  if (model.head_dim % 2 != 0) {
    throw reader.error("head_dim", std::to_string(model.head_dim), "an even number: rotary positions pair elements");
  }
}

// Within its window sliding attention equals full attention, so the window bounds the context.
void read_window(ObjectReader& reader, Model& model) {
  model.max_position = reader.integer("max_position_embeddings", Range::between(1, positions_max));
  const bool used = reader.boolean_or("use_sliding_window", true);
  if (!reader.has("sliding_window")) return;
  const std::int64_t window = reader.integer("sliding_window", Range::between(1, positions_max));
  if (used && window < model.max_position) model.max_position = window;
}

Model read_dense(ObjectReader& reader) {
  refuse_other_kinds(reader);
  const Family& family = family_of(reader);
  Model model;
  model.architecture = first_architecture(reader);
  model.layers = reader.integer("num_hidden_layers", Range::between(1, layers_max));
  model.hidden = reader.integer("hidden_size", Range::between(1, width_max));
  model.intermediate = reader.integer("intermediate_size", Range::between(1, width_max));
  model.vocab = reader.integer("vocab_size", Range::between(1, vocab_max));
  read_heads(reader, model);
  read_window(reader, model);
  model.tied_embeddings = reader.boolean_or("tie_word_embeddings", false);
  const bool attention_bias = reader.boolean_or("attention_bias", false);
  model.qkv_bias = family.qkv_bias || attention_bias;
  model.o_bias = attention_bias;
  model.mlp_bias = reader.boolean_or("mlp_bias", false);
  model.qk_norm = family.qk_norm;
  reader.choice_or("hidden_act", {"silu", "swish"}, "silu");
  read_dtype(reader, model);
  model.weight_bytes_per_parameter = 2;
  return model;
}

}  // namespace

Model read_model(const Json& config, const std::string& name) {
  ObjectReader root(config, "");
  root.allow_unknown();
  Model model;
  if (root.has("text_config")) {
    ObjectReader text = root.object("text_config");
    text.allow_unknown();
    refuse_other_kinds(root);
    model = read_dense(text);
    if (model.architecture.empty()) model.architecture = first_architecture(root);
    if (!text.has("torch_dtype") && !text.has("dtype")) read_dtype(root, model);
  } else {
    model = read_dense(root);
  }
  model.name = name;
  return model;
}

Model load_model(const std::string& path) {
  const std::filesystem::path file(path);
  std::string name = file.stem().string();
  if (name == "config") {
    const auto folder = std::filesystem::absolute(file).parent_path().filename().string();
    if (!folder.empty()) name = folder;
  }
  try {
    return read_model(load_json(path), name);
  } catch (const ConfigError& error) {
    throw error.in_file(path);
  }
}

std::int64_t parameter_count(const Model& m) {
  const std::int64_t qkv = (m.q_heads + 2 * m.kv_heads) * m.head_dim;
  std::int64_t layer = m.hidden * qkv + m.q_heads * m.head_dim * m.hidden + 3 * m.hidden * m.intermediate + 2 * m.hidden;
  if (m.qkv_bias) layer += qkv;
  if (m.o_bias) layer += m.hidden;
  if (m.mlp_bias) layer += 2 * m.intermediate + m.hidden;
  if (m.qk_norm) layer += 2 * m.head_dim;
  const std::int64_t embedding = m.vocab * m.hidden;
  return (m.tied_embeddings ? 1 : 2) * embedding + m.layers * layer + m.hidden;
}

}  // namespace brink::transformer
