// How many KV blocks an engine gets: the share of the card it may use, less weights, the peak
// of the profiling run and what lives outside the allocator (vLLM V1, gpu_worker.py
// determine_available_memory). CUDA graphs are captured afterwards, from the share left over.
#pragma once

#include <cstdint>
#include <optional>

#include "models/base/units.h"
#include "models/gpu/gpu_spec.h"
#include "models/transformer/model.h"

namespace brink::memory {

/// The engine settings that decide memory; names and defaults are vLLM's.
struct EngineMemory {
  std::int64_t tensor_parallel_size = 1;
  std::int64_t data_parallel_size = 1;
  std::int64_t max_num_seqs = 1024;
  std::int64_t max_num_batched_tokens = 8192;
  std::int64_t max_model_len = 0;           // 0: the model's max_position
  std::int64_t block_size = 16;             // tokens
  std::int64_t kv_element_bytes = 2;        // 1 for fp8
  double gpu_memory_utilization = 0.9;
  std::optional<std::int64_t> num_gpu_blocks_override;
};

/// Where every byte of one rank's card goes.
struct MemoryBudget {
  Bytes total{0.0};
  Bytes usable{0.0};             // utilization * total
  Bytes weights{0.0};
  Bytes activations{0.0};        // peak of the profiling run: forward pass or sampler
  Bytes forward_activations{0.0};
  Bytes sampler_buffers{0.0};
  Bytes runtime{0.0};            // allocator-external growth: library workspaces, kernels
  Bytes communicators{0.0};      // NCCL, custom all-reduce and symmetric buffers; 0 for TP 1
  Bytes kv_pool{0.0};            // kv_blocks * kv_block_bytes
  Bytes kv_block{0.0};           // one block on one rank, all layers
  Bytes left_over{0.0};          // total - everything above: context, graphs, fragmentation
  std::int64_t kv_blocks = 0;
  std::int64_t kv_tokens = 0;    // kv_blocks * block_size
  bool overridden = false;       // num_gpu_blocks_override was given
};

/// The budget of one rank. `kv_blocks` is 0 when weights and overheads leave nothing; no throw
/// except for a tensor-parallel degree the model cannot be cut into.
[[nodiscard]] MemoryBudget memory_budget(const transformer::Model& model, const gpu::GpuSpec& gpu,
                                         const EngineMemory& engine);

/// max_model_len, or the model's own maximum when not given.
[[nodiscard]] std::int64_t effective_max_model_len(const transformer::Model& model, const EngineMemory& engine);

}  // namespace brink::memory
