// Unchanged config.json files as published: dense ones read to the same shape as the shipped
// files, the others are refused at the field that makes them something else.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <string>

#include "models/base/error.h"
#include "models/transformer/model.h"

namespace brink::transformer {
namespace {

std::filesystem::path published_models() {
  const char* set = std::getenv("BRINK_SHARED_DATA");
  const std::filesystem::path root = set ? set : std::string(BRINK_SOURCE_DIR) + "/../shared/data";
  return root / "models";
}

class PublishedConfigs : public testing::Test {
 protected:
  void SetUp() override {
    if (!std::filesystem::exists(published_models()))
      GTEST_SKIP() << "no published configs at " << published_models() << "; set BRINK_SHARED_DATA";
  }
};

TEST_F(PublishedConfigs, DenseOnesEqualTheShippedFiles) {
  const std::pair<const char*, const char*> pairs[] = {
      {"llama-2-7b-hf", "llama-2-7b"},           {"llama-3.1-8b-instruct", "llama-3.1-8b"},
      {"llama-3.1-70b-instruct", "llama-3.1-70b"}, {"codellama-34b-instruct-hf", "codellama-34b"},
      {"yi-34b", "yi-34b"},                      {"mistral-nemo-instruct-2407", "mistral-nemo-12b"},
      {"qwen2.5-7b-instruct", "qwen2.5-7b"},     {"qwen3-14b", "qwen3-14b"}};
  for (const auto& [published, shipped] : pairs) {
    const Model a = load_model((published_models() / (std::string(published) + ".json")).string());
    const Model b = load_model(std::string(BRINK_SOURCE_DIR) + "/configs/models/" + shipped + ".json");
    EXPECT_EQ(a.name, published);
    EXPECT_EQ(parameter_count(a), parameter_count(b)) << shipped;
    EXPECT_EQ(a.max_position, b.max_position) << shipped;
    EXPECT_EQ(a.dtype, b.dtype) << shipped;
    EXPECT_EQ(a.kv_heads * a.head_dim, b.kv_heads * b.head_dim) << shipped;
    EXPECT_EQ(a.architecture, b.architecture) << shipped;
  }
}

TEST_F(PublishedConfigs, OthersAreRefusedAtTheField) {
  const std::pair<const char*, const char*> refusals[] = {
      {"mixtral-8x7b-v0.1", "/num_local_experts"},
      {"qwen3-30b-a3b", "/num_experts"},
      {"deepseek-v2-lite", "/n_routed_experts"},
      {"glm-5.2-fp8", "/n_routed_experts"},
      {"llama-4-scout-17b-16e-instruct-fp8-dynamic", "/quantization_config"}};
  for (const auto& [name, pointer] : refusals) {
    try {
      (void)load_model((published_models() / (std::string(name) + ".json")).string());
      ADD_FAILURE() << name << " was read";
    } catch (const ConfigError& error) {
      EXPECT_EQ(error.pointer(), pointer) << name;
      EXPECT_NE(error.allowed().find("outside what this version simulates"), std::string::npos) << name;
    }
  }
}

}  // namespace
}  // namespace brink::transformer
