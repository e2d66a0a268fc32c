// /disaggregation: prefill and decode on separate pools of replicas, each with an engine of its own.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "models/base/object_reader.h"
#include "models/fabric/cluster.h"
#include "models/fabric/placement.h"
#include "models/gpu/gpu_spec.h"
#include "models/memory/memory_budget.h"
#include "models/transformer/model.h"
#include "sim/scenario/read_engine.h"

namespace brink::scenario {

struct PoolSettings {
  EngineSettings engine;         // data_parallel_size: its replicas
  memory::MemoryBudget budget;   // of one rank
};

struct DisaggregationSettings {
  PoolSettings prefill, decode;
  bool by_layer = true;          // KV leaves while the prefill runs
  bool whole_blocks = true;

  [[nodiscard]] std::int64_t replicas() const {
    return prefill.engine.memory.data_parallel_size + decode.engine.memory.data_parallel_size;
  }
};

/// What the section stands on.
struct DisaggregationContext {
  const Json* engine = nullptr;  // /engine as given; null: absent
  const transformer::Model& model;
  const gpu::GpuSpec& gpu;
  const fabric::Cluster& cluster;
};

/// Reads the scenario's /disaggregation; nullopt when absent. Each pool takes the fields of /engine and replaces those
/// it gives itself. Throws ConfigError with the pointer of the field, also when the pools do not fit each other or the
/// cluster.
[[nodiscard]] std::optional<DisaggregationSettings> read_disaggregation(ObjectReader& scenario,
                                                                        const DisaggregationContext& context);

/// places[replica][rank]: the prefill replicas packed from the first node on, then the decode replicas on what is left.
[[nodiscard]] std::vector<std::vector<fabric::GpuPlace>> place_pools(const DisaggregationSettings& settings,
                                                                     const fabric::Cluster& cluster);

/// Null when absent.
[[nodiscard]] Json to_json(const std::optional<DisaggregationSettings>& settings);

}  // namespace brink::scenario
