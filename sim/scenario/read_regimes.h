// /regimes: where the lines between regimes are drawn.
#pragma once

#include "models/base/object_reader.h"
#include "models/memory/regime.h"

namespace brink::scenario {

struct RegimeSettings {
  memory::RegimeThresholds thresholds;
  /// Pins of live requests are subtracted from free memory too, as the article does.
  bool count_live_pins = true;
  Json resolved = Json::object();  // every field with its value
};

/// Reads the scenario's /regimes (the article's thresholds when absent). Throws ConfigError with the pointer of the
/// field.
[[nodiscard]] RegimeSettings read_regimes(ObjectReader& scenario);

}  // namespace brink::scenario
