#include "models/transformer/operator_graph.h"

#include <gtest/gtest.h>

#include <string>

#include "models/transformer/rank_shape.h"
#include "tests/support/config_error.h"

namespace brink::transformer {
namespace {

using test::expect_config_error;

Model load(const std::string& name) { return load_model(std::string(BRINK_SOURCE_DIR) + "/configs/models/" + name + ".json"); }

double gemm_parameters(const OperatorGraph& graph) {
  double sum = 0.0;
  for (const Operator& op : graph.operators)
    if (op.kind == OperatorKind::gemm) sum += static_cast<double>(op.repeat * op.n * op.k);
  return sum;
}

std::int64_t all_reduces(const OperatorGraph& graph) {
  std::int64_t count = 0;
  for (const Operator& op : graph.operators)
    if (op.kind == OperatorKind::all_reduce) count += op.repeat;
  return count;
}

TEST(OperatorGraph, ShapesOfLlama70BOnFourRanks) {
  const OperatorGraph graph = operator_graph(load("llama-3.1-70b"), 4);
  const Operator* qkv = graph.find("qkv_proj");
  ASSERT_NE(qkv, nullptr);
  EXPECT_EQ(qkv->n, (16 + 2 * 2) * 128);
  EXPECT_EQ(qkv->k, 8192);
  EXPECT_EQ(qkv->repeat, 80);
  EXPECT_EQ(graph.find("o_proj")->k, 2048);
  EXPECT_EQ(graph.find("gate_up_proj")->n, 2 * 28672 / 4);
  EXPECT_EQ(graph.find("down_proj")->k, 7168);
  EXPECT_EQ(graph.find("lm_head")->n, 32064);
  EXPECT_EQ(graph.find("lm_head")->rows, Rows::sampled);
  EXPECT_EQ(graph.find("attention")->kv_heads, 2);
  EXPECT_EQ(graph.find("all_reduce_o")->bytes_per_row.value(), 16384.0);
  EXPECT_EQ(graph.find("all_gather_logits")->bytes_per_row.value(), 2.0 * 32064);
  EXPECT_EQ(graph.find("qk_norm"), nullptr);
}

TEST(OperatorGraph, GemmsHoldEveryParameterButEmbeddingAndNorms) {
  const Model model = load("llama-2-7b");
  const double rest = 32000.0 * 4096 + (2 * 32 + 1) * 4096.0;
  EXPECT_EQ(gemm_parameters(operator_graph(model, 1)) + rest, static_cast<double>(parameter_count(model)));
}

TEST(OperatorGraph, TwoAllReducesALayerAndOneAfterTheEmbedding) {
  EXPECT_EQ(all_reduces(operator_graph(load("llama-3.1-70b"), 2)), 161);
  EXPECT_EQ(all_reduces(operator_graph(load("llama-3.1-70b"), 1)), 0);
}

TEST(OperatorGraph, QwenNormsItsHeads) {
  const OperatorGraph graph = operator_graph(load("qwen3-14b"), 1);
  const Operator* norm = graph.find("qk_norm");
  ASSERT_NE(norm, nullptr);
  EXPECT_EQ(norm->bytes_per_row.value(), 2.0 * 2 * (40 + 8) * 128);
}

TEST(OperatorGraph, EveryOperatorHasWorkAndAName) {
  const OperatorGraph graph = operator_graph(load("qwen3-32b"), 8);
  for (const Operator& op : graph.operators) {
    EXPECT_GE(op.repeat, 1) << op.name;
    const bool shaped = op.bytes_per_row.value() > 0.0 || op.n * op.k > 0 || op.q_heads * op.head_dim > 0;
    EXPECT_TRUE(shaped) << op.name;
    EXPECT_STRNE(kind_name(op.kind), "");
  }
  EXPECT_EQ(graph.kernel_count(), 64 * 12 + 1 + 1 + 1 + 3);
}

TEST(RankShape, VocabularyIsPaddedTo64BeforeTheCut) {
  Model model = load("qwen3-14b");
  model.vocab = 151937;
  EXPECT_EQ(rank_shape(model, 8).vocab, 152000 / 8);
}

TEST(RankShape, AllowedDegrees) {
  EXPECT_EQ(allowed_tensor_parallel(load("llama-3.1-70b"), 8), (std::vector<std::int64_t>{1, 2, 4, 8}));
  // 28 heads, 4 KV heads: 7 is neither a divisor nor a multiple of 4.
  EXPECT_EQ(allowed_tensor_parallel(load("qwen2.5-7b"), 8), (std::vector<std::int64_t>{1, 2, 4}));
}

TEST(RankShape, RefusedDegreesNameTheNearest) {
  const auto cut = [](const char* name, std::int64_t tp) { return [=] { (void)rank_shape(load(name), tp); }; };
  const std::string at = "/engine/tensor_parallel_size";
  expect_config_error(cut("llama-3.1-70b", 3), at,
                      "got 3; a divisor of the 64 attention heads of llama-3.1-70b (nearest: 2 or 4)");
  expect_config_error(cut("qwen2.5-7b", 7), at,
                      "got 7; a divisor or a multiple of the 4 KV heads of qwen2.5-7b (nearest: 4)");
  expect_config_error(cut("llama-2-7b", 0), at, "got 0; at least 1 of llama-2-7b (nearest: 1)");
  expect_config_error(cut("llama-2-7b", 64), at,
                      "got 64; a divisor of the 32 attention heads of llama-2-7b (nearest: 32)");
}

}  // namespace
}  // namespace brink::transformer
