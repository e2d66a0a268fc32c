// KV-block counts that vLLM servers logged on 80 GB H100 cards, against one set of constants.
#include "models/memory/memory_budget.h"

#include <gtest/gtest.h>

#include <string>

namespace brink::memory {
namespace {

transformer::Model model_of(const std::string& name) {
  return transformer::load_model(std::string(BRINK_SOURCE_DIR) + "/configs/models/" + name + ".json");
}
gpu::GpuSpec h100() { return gpu::load_gpu(std::string(BRINK_SOURCE_DIR) + "/configs/gpus/h100_sxm.json"); }

EngineMemory engine_of(std::int64_t tp, std::int64_t tokens, std::int64_t seqs) {
  EngineMemory engine;
  engine.tensor_parallel_size = tp;
  engine.max_num_batched_tokens = tokens;
  engine.max_num_seqs = seqs;
  return engine;
}

struct Logged {
  const char* model;
  std::int64_t tp, tokens, seqs, blocks;
};
void PrintTo(const Logged& logged, std::ostream* out) { *out << logged.model << " tp" << logged.tp; }

class KvBlocks : public testing::TestWithParam<Logged> {};

TEST_P(KvBlocks, WithinTwoPercentOfTheServerLog) {
  const Logged& logged = GetParam();
  const auto budget = memory_budget(model_of(logged.model), h100(), engine_of(logged.tp, logged.tokens, logged.seqs));
  const double error = static_cast<double>(budget.kv_blocks) / static_cast<double>(logged.blocks) - 1.0;
  RecordProperty("error_percent", std::to_string(100.0 * error));
  EXPECT_NEAR(error, 0.0, 0.02) << budget.kv_blocks;
}

INSTANTIATE_TEST_SUITE_P(Servers, KvBlocks,
                         testing::Values(Logged{"llama-2-7b", 1, 2048, 128, 7462},
                                         Logged{"codellama-34b", 2, 2048, 128, 26602},
                                         Logged{"llama-2-70b", 4, 2048, 128, 31356},
                                         Logged{"qwen3-14b", 1, 8192, 256, 18038}));

TEST(MemoryBudget, PartsAddUpToTheCard) {
  for (const char* name : {"llama-3.1-8b", "qwen3-14b", "mistral-nemo-12b"}) {
    const MemoryBudget b = memory_budget(model_of(name), h100(), engine_of(1, 8192, 256));
    const Bytes sum = b.weights + b.activations + b.runtime + b.communicators + b.kv_pool + b.left_over;
    EXPECT_NEAR(sum / b.total, 1.0, 1e-12);
    EXPECT_EQ(b.kv_pool.value(), b.kv_block.value() * static_cast<double>(b.kv_blocks));
    // Within a block of what it may use, never above it.
    const Bytes used = b.total - b.left_over;
    EXPECT_LE(used, b.usable);
    EXPECT_GT(used + b.kv_block, b.usable);
    EXPECT_EQ(b.kv_tokens, b.kv_blocks * 16);
  }
}

TEST(MemoryBudget, MoreOfAnythingLeavesFewerBlocks) {
  const auto blocks = [](const EngineMemory& engine) { return memory_budget(model_of("llama-3.1-8b"), h100(), engine).kv_blocks; };
  const EngineMemory base = engine_of(1, 8192, 256);
  EngineMemory more_tokens = base, more_seqs = base, less_memory = base, small_kv = base;
  more_tokens.max_num_batched_tokens = 16384;
  more_seqs.max_num_seqs = 4096;
  less_memory.gpu_memory_utilization = 0.8;
  small_kv.kv_element_bytes = 1;
  EXPECT_LT(blocks(more_tokens), blocks(base));
  EXPECT_LT(blocks(more_seqs), blocks(base));
  EXPECT_LT(blocks(less_memory), blocks(base));
  EXPECT_NEAR(static_cast<double>(blocks(small_kv)), 2.0 * static_cast<double>(blocks(base)), 1.0);
}

TEST(MemoryBudget, BlockSizeKeepsTheTokens) {
  EngineMemory engine = engine_of(1, 8192, 256);
  const auto tokens = memory_budget(model_of("llama-3.1-8b"), h100(), engine).kv_tokens;
  engine.block_size = 64;
  EXPECT_NEAR(static_cast<double>(memory_budget(model_of("llama-3.1-8b"), h100(), engine).kv_tokens),
              static_cast<double>(tokens), 64.0);
}

TEST(MemoryBudget, OverrideWinsOverTheBudget) {
  EngineMemory engine = engine_of(1, 8192, 256);
  engine.num_gpu_blocks_override = 100;
  const MemoryBudget budget = memory_budget(model_of("llama-3.1-8b"), h100(), engine);
  EXPECT_TRUE(budget.overridden);
  EXPECT_EQ(budget.kv_blocks, 100);
  EXPECT_EQ(budget.kv_tokens, 1600);
}

TEST(MemoryBudget, WeightsThatDoNotFitLeaveNoBlocks) {
  EXPECT_EQ(memory_budget(model_of("llama-3.1-70b"), h100(), engine_of(1, 8192, 256)).kv_blocks, 0);
}

}  // namespace
}  // namespace brink::memory
