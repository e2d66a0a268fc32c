// /observe: what a run follows besides time. Following costs time of the simulator, never simulated time.
#pragma once

#include "models/base/object_reader.h"

namespace brink::scenario {

struct ObserveSettings {
  bool plans = true;    // which tactic every operator runs, and when that changes
  bool regimes = true;  // memory and queue regimes
  bool drift = true;    // how far answers drift from those of the calm system; needs plans
};

/// Throws ConfigError, also when drift is to be followed without plans.
[[nodiscard]] ObserveSettings read_observe(ObjectReader& in);
[[nodiscard]] Json to_json(const ObserveSettings& observe);

}  // namespace brink::scenario
