#include "models/memory/layout.h"

#include <gtest/gtest.h>

#include <cmath>
#include <string>

#include "tests/support/config_error.h"

namespace brink::memory {
namespace {

using test::expect_config_error;

const std::string configs = std::string(BRINK_SOURCE_DIR) + "/configs/";

MemoryBudget check(const char* model, const EngineMemory& engine, const char* cluster = "hgx_h100_1node") {
  return check_layout(transformer::load_model(configs + "models/" + model + ".json"),
                      gpu::load_gpu(configs + "gpus/h100_sxm.json"),
                      fabric::load_cluster(configs + "clusters/" + cluster + ".json"), engine);
}

EngineMemory ranks(std::int64_t tp, std::int64_t dp = 1) {
  EngineMemory engine;
  engine.tensor_parallel_size = tp;
  engine.data_parallel_size = dp;
  return engine;
}

EngineMemory with_length(EngineMemory engine, std::int64_t length) {
  engine.max_model_len = length;
  return engine;
}

/// The error of an impossible layout.
ConfigError refusal(const char* model, const EngineMemory& engine) {
  try {
    (void)check(model, engine);
  } catch (const ConfigError& error) {
    return error;
  }
  ADD_FAILURE() << model << " was accepted";
  return ConfigError("", "", "");
}

TEST(CheckLayout, AcceptsWhatRuns) {
  EXPECT_GT(check("llama-2-7b", ranks(1)).kv_blocks, 7000);
  EXPECT_GT(check("llama-3.1-70b", ranks(4, 2)).kv_tokens, 131072);
  EXPECT_GT(check("llama-3.1-8b", ranks(1, 16), "nd_h100_v5_2node").kv_blocks, 0);
}

TEST(CheckLayout, RanksAndReplicas) {
  const std::string tp = "/engine/tensor_parallel_size", dp = "/engine/data_parallel_size";
  expect_config_error([] { (void)check("llama-3.1-70b", ranks(3)); }, tp,
                      "got 3; a divisor of the 64 attention heads of llama-3.1-70b (nearest: 2 or 4)");
  expect_config_error([] { (void)check("llama-3.1-70b", ranks(16), "nd_h100_v5_2node"); }, tp,
                      "got 16; at most the 8 GPUs of a node; set it to 8");
  expect_config_error([] { (void)check("llama-3.1-70b", ranks(4, 3)); }, dp,
                      "got 3; between 1 and 2: 1 nodes of 8 GPUs hold that many replicas of 4 GPUs");
  expect_config_error([] { (void)check("llama-3.1-8b", ranks(1, 0)); }, dp,
                      "got 0; between 1 and 8: 1 nodes of 8 GPUs hold that many replicas of 1 GPUs");
}

TEST(CheckLayout, SettingsOutOfRange) {
  const auto refused = [](const std::string& key, const std::string& message, auto change) {
    EngineMemory engine = ranks(1);
    change(engine);
    expect_config_error([&] { (void)check("llama-2-7b", engine); }, "/engine/" + key, message);
  };
  refused("block_size", "got 0; at least 1", [](EngineMemory& e) { e.block_size = 0; });
  refused("max_num_seqs", "got -1; at least 1", [](EngineMemory& e) { e.max_num_seqs = -1; });
  refused("max_num_batched_tokens", "got 0; at least 1", [](EngineMemory& e) { e.max_num_batched_tokens = 0; });
  refused("num_gpu_blocks_override", "got 0; at least 1", [](EngineMemory& e) { e.num_gpu_blocks_override = 0; });
  const std::string share = "gpu_memory_utilization", allowed = "; more than 0 and at most 1";
  refused(share, "got 0" + allowed, [](EngineMemory& e) { e.gpu_memory_utilization = 0.0; });
  refused(share, "got 1.5" + allowed, [](EngineMemory& e) { e.gpu_memory_utilization = 1.5; });
  refused(share, "got nan" + allowed, [](EngineMemory& e) { e.gpu_memory_utilization = std::nan(""); });
}

TEST(CheckLayout, ContextBeyondTheModel) {
  expect_config_error([] { (void)check("llama-2-7b", with_length(ranks(1), 8192)); }, "/engine/max_model_len",
                      "got 8192; at most 4096, the longest context of llama-2-7b");
}

TEST(CheckLayout, WeightsThatDoNotFitNameTheDegreeThatDoes) {
  const ConfigError error = refusal("llama-3.1-70b", ranks(1));
  EXPECT_EQ(error.pointer(), "/engine/tensor_parallel_size");
  EXPECT_EQ(error.got(), "1 (131.4 GiB of weights and 1.5 GiB of activations and buffers a GPU, of 71.7 GiB usable)");
  EXPECT_EQ(error.allowed(), "the weights do not fit: set /engine/tensor_parallel_size to 4");
  // The proposed change is enough, and the next smaller one is not.
  EXPECT_NO_THROW((void)check("llama-3.1-70b", with_length(ranks(4), 4096)));
  EXPECT_THROW((void)check("llama-3.1-70b", ranks(2)), ConfigError);
}

TEST(CheckLayout, TwoChangesWhenNoDegreeAloneIsEnough) {
  EngineMemory engine = ranks(1);
  engine.gpu_memory_utilization = 0.27;  // 21.5 GiB a GPU: eight hold 70B weights and little else
  const ConfigError error = refusal("llama-3.1-70b", engine);
  const std::string start = "the weights do not fit: set /engine/tensor_parallel_size to 8 and /engine/max_model_len to at most ";
  ASSERT_EQ(error.allowed().rfind(start, 0), 0u) << error.allowed();
  EngineMemory mended = with_length(ranks(8), std::stoll(error.allowed().substr(start.size())));
  mended.gpu_memory_utilization = 0.27;
  EXPECT_NO_THROW((void)check("llama-3.1-70b", mended));
}

TEST(CheckLayout, AModelTooLargeForANodeSaysSo) {
  EXPECT_EQ(refusal("llama-3.1-405b", ranks(8)).allowed(),
            "the weights do not fit: no degree up to the 8 GPUs of a node holds llama-3.1-405b; take GPUs with more "
            "memory or a smaller model");
}

TEST(CheckLayout, OneLongRequestMustFit) {
  // 32.8e9 parameters leave room for a short context only.
  const ConfigError error = refusal("qwen3-32b", ranks(1));
  EXPECT_EQ(error.pointer(), "/engine/max_model_len");
  EXPECT_EQ(error.got(), "40960");
  const std::string start = "the KV pool holds ";
  ASSERT_EQ(error.allowed().rfind(start, 0), 0u) << error.allowed();
  const std::int64_t tokens = std::stoll(error.allowed().substr(start.size()));
  EXPECT_EQ(error.allowed(), "the KV pool holds " + std::to_string(tokens) +
                                 " tokens, less than one such request; set /engine/tensor_parallel_size to 2, or "
                                 "/engine/max_model_len to at most " + std::to_string(tokens));
  // Both proposals are tight.
  EXPECT_NO_THROW((void)check("qwen3-32b", with_length(ranks(1), tokens)));
  EXPECT_THROW((void)check("qwen3-32b", with_length(ranks(1), tokens + 1)), ConfigError);
  EXPECT_NO_THROW((void)check("qwen3-32b", ranks(2)));
}

TEST(CheckLayout, AnOverrideTooSmallNamesTheBlocks) {
  EngineMemory engine = ranks(1);
  engine.num_gpu_blocks_override = 100;
  expect_config_error([&] { (void)check("llama-2-7b", engine); }, "/engine/max_model_len",
                      "got 4096; the KV pool holds 1600 tokens, less than one such request; set "
                      "/engine/max_model_len to at most 1600, or /engine/num_gpu_blocks_override to at least 256");
}

}  // namespace
}  // namespace brink::memory
