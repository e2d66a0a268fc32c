#include "models/memory/memory_budget.h"

#include <algorithm>
#include <cmath>

#include "models/transformer/rank_shape.h"

namespace brink::memory {
namespace {

using transformer::Model;

// Global constants, the same for every model, degree and engine setting. Fitted together to the
// KV-block counts five vLLM servers logged on 80 GB H100 cards (docs/model/memory.md).
//
// Growth outside the allocator while profiling on one GPU: cuBLAS workspaces (32 MiB), loaded
// modules. The CUDA context is created before the baseline snapshot and is not counted.
constexpr Bytes runtime_growth = mib(64);
// What two or more ranks add: NCCL channels, custom all-reduce and symmetric-memory buffers.
constexpr Bytes communicator_buffers = mib(1088);

double as_double(std::int64_t count) { return static_cast<double>(count); }

// The allocator's peak of one forward pass is in SiLU: the residual stream, the merged gate+up
// output and the product it writes are alive at once, two bytes an element; or in the QKV
// projection of a model whose attention is wider than its MLP.
Bytes forward_peak(const Model& model, const transformer::RankShape& rank, std::int64_t tokens) {
  const std::int64_t mlp = model.hidden + 3 * rank.intermediate;
  const std::int64_t qkv = 2 * model.hidden + (2 * rank.q_heads + 2 * rank.kv_heads) * model.head_dim;
  return Bytes(2.0 * as_double(tokens) * as_double(std::max(mlp, qkv)));
}

// The sampler's dummy run holds, per sequence and vocabulary entry: 16-bit logits (2), their
// fp32 copy (4) and the probabilities (4) (vLLM V1, v1/sample/sampler.py).
Bytes sampler_peak(const Model& model, std::int64_t rows) {
  constexpr double bytes_per_entry = 2.0 + 4.0 + 4.0;
  return Bytes(bytes_per_entry * as_double(rows) * as_double(model.vocab));
}

}  // namespace

std::int64_t effective_max_model_len(const Model& model, const EngineMemory& engine) {
  return engine.max_model_len > 0 ? engine.max_model_len : model.max_position;
}

MemoryBudget memory_budget(const Model& model, const gpu::GpuSpec& gpu, const EngineMemory& engine) {
  const std::int64_t tp = engine.tensor_parallel_size;
  const transformer::RankShape rank = transformer::rank_shape(model, tp);
  MemoryBudget budget;
  budget.total = gpu.memory_total;
  budget.usable = gpu.memory_total * engine.gpu_memory_utilization;
  budget.weights = transformer::weight_bytes_per_rank(model, tp);
  budget.forward_activations = forward_peak(model, rank, engine.max_num_batched_tokens);
  budget.sampler_buffers = sampler_peak(model, std::min(engine.max_num_seqs, engine.max_num_batched_tokens));
  budget.activations = std::max(budget.forward_activations, budget.sampler_buffers);
  budget.runtime = runtime_growth;
  budget.communicators = tp > 1 ? communicator_buffers : Bytes(0.0);
  budget.kv_block = transformer::kv_bytes_per_token_per_rank(model, tp, engine.kv_element_bytes) *
                    as_double(engine.block_size);

  const Bytes fixed = budget.weights + budget.activations + budget.runtime + budget.communicators;
  const double blocks = std::floor((budget.usable - fixed) / budget.kv_block);
  budget.kv_blocks = blocks > 0.0 ? static_cast<std::int64_t>(blocks) : 0;
  if (engine.num_gpu_blocks_override) {
    budget.kv_blocks = *engine.num_gpu_blocks_override;
    budget.overridden = true;
  }
  budget.kv_tokens = budget.kv_blocks * engine.block_size;
  budget.kv_pool = budget.kv_block * as_double(budget.kv_blocks);
  budget.left_over = budget.total - fixed - budget.kv_pool;
  return budget;
}

}  // namespace brink::memory
