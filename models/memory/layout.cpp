#include "models/memory/layout.h"

#include <fmt/format.h>
#include <optional>
#include <string>

#include "models/base/error.h"
#include "models/transformer/rank_shape.h"

namespace brink::memory {
namespace {

using transformer::Model;

constexpr const char* tp_pointer = "/engine/tensor_parallel_size";

double gib_of(Bytes bytes) { return bytes / gib(1); }

void check_ranks(const Model& model, const fabric::Cluster& cluster, const EngineMemory& engine) {
  const std::int64_t tp = engine.tensor_parallel_size, dp = engine.data_parallel_size;
  (void)transformer::rank_shape(model, tp);
  if (tp > cluster.gpus_per_node) {
    const auto degrees = transformer::allowed_tensor_parallel(model, cluster.gpus_per_node);
    throw ConfigError(tp_pointer, std::to_string(tp),
                      fmt::format("at most the {} GPUs of a node; set it to {}", cluster.gpus_per_node, degrees.back()));
  }
  const std::int64_t replicas_max = cluster.gpus_per_node / tp * cluster.nodes;
  if (dp < 1 || dp > replicas_max) {
    throw ConfigError("/engine/data_parallel_size", std::to_string(dp),
                      fmt::format("between 1 and {}: {} nodes of {} GPUs hold that many replicas of {} GPUs", replicas_max,
                                  cluster.nodes, cluster.gpus_per_node, tp));
  }
}

void check_settings(const EngineMemory& engine) {
  const auto at_least_one = [](const char* key, std::int64_t value) {
    if (value < 1) throw ConfigError(std::string("/engine/") + key, std::to_string(value), "at least 1");
  };
  at_least_one("block_size", engine.block_size);
  at_least_one("max_num_seqs", engine.max_num_seqs);
  at_least_one("max_num_batched_tokens", engine.max_num_batched_tokens);
  at_least_one("num_gpu_blocks_override", engine.num_gpu_blocks_override.value_or(1));
  const double share = engine.gpu_memory_utilization;
  if (!(share > 0.0 && share <= 1.0))
    throw ConfigError("/engine/gpu_memory_utilization", fmt::format("{:g}", share), "more than 0 and at most 1");
}

void check_length(const Model& model, const EngineMemory& engine) {
  if (engine.max_model_len > model.max_position) {
    throw ConfigError("/engine/max_model_len", std::to_string(engine.max_model_len),
                      fmt::format("at most {}, the longest context of {}", model.max_position, model.name));
  }
}

/// The smallest larger degree of a node under which one full request fits.
std::optional<std::int64_t> degree_that_fits(const Model& model, const gpu::GpuSpec& gpu,
                                             const fabric::Cluster& cluster, const EngineMemory& engine,
                                             std::int64_t tokens) {
  for (const std::int64_t tp : transformer::allowed_tensor_parallel(model, cluster.gpus_per_node)) {
    if (tp <= engine.tensor_parallel_size) continue;
    EngineMemory wider = engine;
    wider.tensor_parallel_size = tp;
    if (memory_budget(model, gpu, wider).kv_tokens >= tokens) return tp;
  }
  return std::nullopt;
}

[[noreturn]] void refuse_weights(const Model& model, const gpu::GpuSpec& gpu, const fabric::Cluster& cluster,
                                 const EngineMemory& engine, const MemoryBudget& budget, std::int64_t length) {
  const Bytes overhead = budget.activations + budget.runtime + budget.communicators;
  const std::string got = fmt::format(
      "{} ({:.1f} GiB of weights and {:.1f} GiB of activations and buffers a GPU, of {:.1f} GiB usable)",
      engine.tensor_parallel_size, gib_of(budget.weights), gib_of(overhead), gib_of(budget.usable));
  if (const auto tp = degree_that_fits(model, gpu, cluster, engine, length))
    throw ConfigError(tp_pointer, got, fmt::format("the weights do not fit: set {} to {}", tp_pointer, *tp));
  // No degree holds one request of full length; some may hold a shorter one.
  if (const auto tp = degree_that_fits(model, gpu, cluster, engine, engine.block_size)) {
    EngineMemory wider = engine;
    wider.tensor_parallel_size = *tp;
    throw ConfigError(tp_pointer, got,
                      fmt::format("the weights do not fit: set {} to {} and /engine/max_model_len to at most {}",
                                  tp_pointer, *tp, memory_budget(model, gpu, wider).kv_tokens));
  }
  throw ConfigError(tp_pointer, got,
                    fmt::format("the weights do not fit: no degree up to the {} GPUs of a node holds {}; "
                                "take GPUs with more memory or a smaller model",
                                cluster.gpus_per_node, model.name));
}

[[noreturn]] void refuse_pool(const Model& model, const gpu::GpuSpec& gpu, const fabric::Cluster& cluster,
                              const EngineMemory& engine, const MemoryBudget& budget, std::int64_t length) {
  std::string change = fmt::format("set /engine/max_model_len to at most {}", budget.kv_tokens);
  if (budget.overridden) {
    const std::int64_t blocks = (length + engine.block_size - 1) / engine.block_size;
    change += fmt::format(", or /engine/num_gpu_blocks_override to at least {}", blocks);
  } else if (const auto tp = degree_that_fits(model, gpu, cluster, engine, length)) {
    change = fmt::format("set {} to {}, or /engine/max_model_len to at most {}", tp_pointer, *tp, budget.kv_tokens);
  }
  throw ConfigError("/engine/max_model_len", std::to_string(length),
                    fmt::format("the KV pool holds {} tokens, less than one such request; {}", budget.kv_tokens, change));
}

}  // namespace

MemoryBudget check_layout(const Model& model, const gpu::GpuSpec& gpu, const fabric::Cluster& cluster,
                          const EngineMemory& engine) {
  check_settings(engine);
  check_ranks(model, cluster, engine);
  check_length(model, engine);
  const std::int64_t length = effective_max_model_len(model, engine);
  EngineMemory unforced = engine;
  unforced.num_gpu_blocks_override.reset();
  if (memory_budget(model, gpu, unforced).kv_blocks == 0)
    refuse_weights(model, gpu, cluster, engine, memory_budget(model, gpu, unforced), length);
  const MemoryBudget budget = memory_budget(model, gpu, engine);
  if (budget.kv_tokens < length) refuse_pool(model, gpu, cluster, engine, budget, length);
  return budget;
}

}  // namespace brink::memory
