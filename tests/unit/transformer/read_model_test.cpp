#include <gtest/gtest.h>

#include <cstdio>
#include <fstream>
#include <filesystem>

#include "models/transformer/model.h"
#include "tests/support/config_error.h"
#include "tests/support/temp_path.h"

namespace brink::transformer {
namespace {

using test::BadField;
using test::expect_config_error;
using test::with_bad_field;

Json good() {
  return parse_json(R"({"architectures": ["LlamaForCausalLM"], "model_type": "llama", "vocab_size": 32000,
    "hidden_size": 4096, "intermediate_size": 11008, "num_hidden_layers": 32, "num_attention_heads": 32,
    "num_key_value_heads": 8, "max_position_embeddings": 4096, "torch_dtype": "float16", "rope_scaling": null})");
}

TEST(ReadModel, NullAndMissingFieldsHaveTheirDefaults) {
  Json config = good();
  config.set("num_key_value_heads", Json());
  config.set("head_dim", Json());
  const Model model = read_model(config, "m");
  EXPECT_EQ(model.kv_heads, 32);
  EXPECT_EQ(model.head_dim, 128);
  EXPECT_EQ(model.dtype, "float16");
  EXPECT_FALSE(model.tied_embeddings || model.qkv_bias || model.o_bias || model.mlp_bias || model.qk_norm);
}

TEST(ReadModel, NestedTextConfig) {
  Json outer = Json::object();
  outer.set("architectures", Json::array_of(std::vector<std::string>{"Mistral3ForConditionalGeneration"}));
  outer.set("dtype", "float32");
  Json text = good();
  text.set("torch_dtype", Json());
  text.set("architectures", Json());
  outer.set("text_config", text);
  const Model model = read_model(outer, "m");
  EXPECT_EQ(model.hidden, 4096);
  EXPECT_EQ(model.architecture, "Mistral3ForConditionalGeneration");
  EXPECT_EQ(model.dtype, "float16");
}

TEST(ReadModel, SlidingWindowBoundsTheContext) {
  Json config = good();
  config.set("sliding_window", 2048);
  EXPECT_EQ(read_model(config, "m").max_position, 2048);
  config.set("use_sliding_window", false);
  EXPECT_EQ(read_model(config, "m").max_position, 4096);
}

TEST(ReadModel, FamiliesAddBiasesAndNorms) {
  Json config = good();
  config.set("model_type", "qwen2");
  EXPECT_TRUE(read_model(config, "m").qkv_bias);
  EXPECT_FALSE(read_model(config, "m").o_bias);
  config.set("model_type", "qwen3");
  config.set("attention_bias", true);
  EXPECT_TRUE(read_model(config, "m").qk_norm && read_model(config, "m").o_bias);
}

TEST(ReadModel, OneExpertIsDense) {
  Json config = good();
  config.set("num_experts", 0);
  config.set("num_local_experts", 1);
  EXPECT_EQ(read_model(config, "m").layers, 32);
}

TEST(LoadModel, NamesTheFileOrItsFolder) {
  const test::TempPath place("tiny-model");
  const std::filesystem::path folder = place.str();
  std::filesystem::create_directories(folder);
  std::ofstream(folder / "config.json") << good().dump();
  EXPECT_EQ(load_model((folder / "config.json").string()).name, folder.filename().string());
  std::ofstream(folder / "other.json") << R"({"model_type": "llama"})";
  try {
    (void)load_model((folder / "other.json").string());
    ADD_FAILURE() << "a config without layers was read";
  } catch (const ConfigError& error) {
    EXPECT_EQ(error.file(), (folder / "other.json").string());
    EXPECT_EQ(error.pointer(), "/num_hidden_layers");
  }
}

class BadModel : public testing::TestWithParam<BadField> {};

TEST_P(BadModel, SaysWhereAndWhat) {
  const BadField& bad = GetParam();
  expect_config_error([&] { (void)read_model(with_bad_field(good(), bad), "m"); }, bad.pointer, bad.message);
}

constexpr auto moe = "mixture-of-experts models are outside what this version simulates; give a dense model";
constexpr auto mla =
    "multi-head latent attention (MLA) models are outside what this version simulates; give a dense model";

INSTANTIATE_TEST_SUITE_P(
    Fields, BadModel,
    testing::Values(
        BadField{"/num_hidden_layers", "", "/num_hidden_layers", "got nothing; required: an integer"},
        BadField{"/num_hidden_layers", "0", "/num_hidden_layers",
                 "got the integer 0; allowed: an integer >= 1 and <= 10000"},
        BadField{"/num_hidden_layers", "\"32\"", "/num_hidden_layers",
                 "got the string \"32\"; allowed: an integer >= 1 and <= 10000"},
        BadField{"/num_hidden_layers", "32.5", "/num_hidden_layers",
                 "got the number 32.5; allowed: an integer >= 1 and <= 10000"},
        BadField{"/hidden_size", "-4096", "/hidden_size",
                 "got the integer -4096; allowed: an integer >= 1 and <= 1e+06"},
        BadField{"/hidden_size", "", "/hidden_size", "got nothing; required: an integer"},
        BadField{"/intermediate_size", "null", "/intermediate_size", "got nothing; required: an integer"},
        BadField{"/intermediate_size", "[11008]", "/intermediate_size",
                 "got an array; allowed: an integer >= 1 and <= 1e+06"},
        BadField{"/vocab_size", "0", "/vocab_size", "got the integer 0; allowed: an integer >= 1 and <= 1e+08"},
        BadField{"/vocab_size", "", "/vocab_size", "got nothing; required: an integer"},
        BadField{"/num_attention_heads", "31", "/num_key_value_heads",
                 "got 8; a divisor of /num_attention_heads (31)"},
        BadField{"/num_attention_heads", "24", "/num_attention_heads",
                 "got 24; a divisor of /hidden_size (4096), or give /head_dim"},
        BadField{"/num_key_value_heads", "5", "/num_key_value_heads",
                 "got 5; a divisor of /num_attention_heads (32)"},
        BadField{"/num_key_value_heads", "64", "/num_key_value_heads",
                 "got 64; a divisor of /num_attention_heads (32)"},
        BadField{"/head_dim", "127", "/head_dim", "got 127; an even number: rotary positions pair elements"},
        BadField{"/head_dim", "true", "/head_dim", "got true; allowed: an integer >= 2 and <= 10000"},
        BadField{"/max_position_embeddings", "", "/max_position_embeddings", "got nothing; required: an integer"},
        BadField{"/sliding_window", "0", "/sliding_window",
                 "got the integer 0; allowed: an integer >= 1 and <= 1e+09"},
        BadField{"/tie_word_embeddings", "1", "/tie_word_embeddings", "got the integer 1; allowed: true or false"},
        BadField{"/model_type", "\"lama\"", "/model_type",
                 "got the string \"lama\"; did you mean 'llama'? allowed: llama, mistral, qwen2, qwen3, phi3, yi"},
        BadField{"/model_type", "", "/model_type", "got nothing; required: a name"},
        BadField{"/architectures", "\"LlamaForCausalLM\"", "/architectures",
                 "got the string \"LlamaForCausalLM\"; allowed: an array"},
        BadField{"/architectures", "[7]", "/architectures/0", "got the integer 7; allowed: a string"},
        BadField{"/torch_dtype", "\"int8\"", "/torch_dtype",
                 "got the string \"int8\"; allowed: float16, bfloat16, float32"},
        BadField{"/hidden_act", "\"gelu\"", "/hidden_act", "got the string \"gelu\"; allowed: silu, swish"},
        BadField{"/num_local_experts", "8", "/num_local_experts", std::string("got the integer 8; ") + moe},
        BadField{"/num_experts", "128", "/num_experts", std::string("got the integer 128; ") + moe},
        BadField{"/n_routed_experts", "64", "/n_routed_experts", std::string("got the integer 64; ") + moe},
        BadField{"/kv_lora_rank", "512", "/kv_lora_rank", std::string("got the integer 512; ") + mla},
        BadField{"/quantization_config", "{\"quant_method\": \"fp8\"}", "/quantization_config",
                 "got an object; quantised checkpoints are outside what this version simulates; give the float16 or "
                 "bfloat16 model"},
        BadField{"/text_config", "{\"model_type\": \"llama\"}", "/text_config/num_hidden_layers",
                 "got nothing; required: an integer"},
        BadField{"/text_config", "3", "/text_config", "got the integer 3; allowed: an object"}));

TEST(ReadModel, RefusesWhatIsNotAnObject) {
  expect_config_error([] { (void)read_model(parse_json("[1]"), "m"); }, "", "got an array; allowed: an object");
}

}  // namespace
}  // namespace brink::transformer
