// Parameter counts against the checkpoints' published totals (sum of tensor sizes in the
// safetensors headers on the model pages).
#include <gtest/gtest.h>

#include <string>

#include "models/transformer/model.h"
#include "models/transformer/rank_shape.h"

namespace brink::transformer {
namespace {

Model load(const std::string& name) { return load_model(std::string(BRINK_SOURCE_DIR) + "/configs/models/" + name + ".json"); }

struct Published {
  const char* name;
  std::int64_t parameters;
};

class ParameterCount : public testing::TestWithParam<Published> {};

TEST_P(ParameterCount, EqualsPublishedTotal) {
  EXPECT_EQ(parameter_count(load(GetParam().name)), GetParam().parameters);
}

INSTANTIATE_TEST_SUITE_P(
    Models, ParameterCount,
    testing::Values(Published{"llama-2-7b", 6738415616}, Published{"llama-2-70b", 68976648192},
                    Published{"llama-3.1-8b", 8030261248}, Published{"llama-3.1-70b", 70553706496},
                    Published{"llama-3.1-405b", 405853388800}, Published{"codellama-34b", 33743970304},
                    Published{"yi-34b", 34388917248}, Published{"mistral-nemo-12b", 12247782400},
                    Published{"qwen2.5-7b", 7615616512}, Published{"qwen3-14b", 14768307200},
                    Published{"qwen3-32b", 32762123264}));

TEST(WeightBytes, OneRankHoldsTwoBytesAParameter) {
  const Model model = load("llama-3.1-8b");
  EXPECT_EQ(weight_bytes_per_rank(model, 1).value(), 2.0 * 8030261248.0);
}

TEST(WeightBytes, RanksTogetherHoldTheModelAndTheReplicatedNorms) {
  const Model model = load("llama-3.1-70b");
  // Norms are kept by every rank: (2 * layers + 1) * hidden parameters, three extra copies.
  const double norms = 2.0 * (2.0 * 80 + 1) * 8192;
  EXPECT_EQ(4.0 * weight_bytes_per_rank(model, 4).value(), 2.0 * 70553706496.0 + 3.0 * norms);
}

TEST(WeightBytes, TiedEmbeddingsAreHeldOnce) {
  Model model = load("llama-3.1-8b");
  const double untied = weight_bytes_per_rank(model, 1).value();
  const std::int64_t parameters = parameter_count(model);
  model.tied_embeddings = true;
  EXPECT_EQ(untied - weight_bytes_per_rank(model, 1).value(), 2.0 * 128256 * 4096);
  EXPECT_EQ(parameters - parameter_count(model), 128256 * 4096);
}

TEST(WeightBytes, BiasesCount) {
  Model model = load("llama-2-7b");
  const std::int64_t bare = parameter_count(model);
  model.o_bias = true;
  EXPECT_EQ(parameter_count(model) - bare, 32 * 4096);
  model.mlp_bias = true;
  EXPECT_EQ(parameter_count(model) - bare, 32 * (4096 + 2 * 11008 + 4096));
  EXPECT_EQ(weight_bytes_per_rank(model, 1).value(), 2.0 * static_cast<double>(parameter_count(model)));
}

TEST(KvBytes, KnownAnswers) {
  // 2 (K and V) * 32 layers * 32 heads * 128 * 2 bytes = 512 KiB.
  EXPECT_EQ(kv_bytes_per_token_per_rank(load("llama-2-7b"), 1, 2).value(), 524288.0);
  EXPECT_EQ(kv_bytes_per_token_per_rank(load("llama-3.1-8b"), 1, 2).value(), 131072.0);
  EXPECT_EQ(kv_bytes_per_token_per_rank(load("llama-3.1-70b"), 4, 2).value(), 81920.0);
  EXPECT_EQ(kv_bytes_per_token_per_rank(load("llama-3.1-70b"), 4, 1).value(), 40960.0);
  // Eight KV heads over sixteen ranks: each still holds one whole head.
  EXPECT_EQ(kv_bytes_per_token_per_rank(load("llama-3.1-405b"), 16, 2).value(),
            kv_bytes_per_token_per_rank(load("llama-3.1-405b"), 8, 2).value());
}

}  // namespace
}  // namespace brink::transformer
