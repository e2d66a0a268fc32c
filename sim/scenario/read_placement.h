// /placement: which GPUs a replica's ranks are put on.
#pragma once

#include "models/base/object_reader.h"
#include "models/fabric/placement.h"

namespace brink::scenario {

struct PlacementSettings {
  fabric::PlacementPolicy policy = fabric::PlacementPolicy::packed;
  Json resolved = Json::object();  // every field with its value
};

/// Reads the scenario's /placement (packed when absent). Throws ConfigError with the pointer of the field.
[[nodiscard]] PlacementSettings read_placement(ObjectReader& scenario);

}  // namespace brink::scenario
