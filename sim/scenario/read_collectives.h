// /collectives: what runs instead of the engine's own choice.
#pragma once

#include <vector>

#include "models/base/object_reader.h"
#include "models/fabric/nccl_tuning.h"
#include "models/plan/collective_selector.h"

namespace brink::scenario {

struct CollectiveSettings {
  std::vector<plan::CollectiveRule> rules;
  fabric::NcclSetting nccl;        // `network_per_gpu` is the cluster's to say
  std::int64_t per_step_max = 16;  // fidelity "rank": equal collectives of a step beyond this are folded; 0: never
  Json resolved = Json::object();  // every field with its value
};

/// Reads the scenario's /collectives {"rules": [{"op", "algorithm", "protocol", "from_bytes", "below_bytes"}],
/// "nvls", "host_cpu": "intel|amd", "per_step_max"}; defaults when absent. Throws ConfigError with the field's pointer.
[[nodiscard]] CollectiveSettings read_collectives(ObjectReader& scenario);

}  // namespace brink::scenario
