// Says why a layout is impossible and the smallest change that makes it possible.
#pragma once

#include "models/fabric/cluster.h"
#include "models/gpu/gpu_spec.h"
#include "models/memory/memory_budget.h"
#include "models/transformer/model.h"

namespace brink::memory {

/// Throws ConfigError at the engine field to change when the heads do not divide over the
/// ranks, the ranks exceed a node or the cluster, max_model_len exceeds the model, weights do
/// not fit, or the KV pool cannot hold one request of max_model_len. Returns the budget.
MemoryBudget check_layout(const transformer::Model& model, const gpu::GpuSpec& gpu, const fabric::Cluster& cluster,
                          const EngineMemory& engine);

}  // namespace brink::memory
