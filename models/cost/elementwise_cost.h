// Memory-bound kernels: bytes over the bandwidth a copy reaches, with a floor a launch.
#pragma once

#include <cstdint>

#include "models/base/json.h"
#include "models/base/object_reader.h"
#include "models/base/units.h"
#include "models/cost/estimate.h"

namespace brink::cost {

/// No kernel table stands behind these, so every answer is `hypothetical`.
struct ElementwiseCost {
  BytesPerSecond bandwidth{0.0};
  Seconds floor{0.0};  ///< ramp-up and drain of one kernel inside a CUDA graph

  /// `traffic` bytes read plus written, spread over `kernels` launches.
  [[nodiscard]] Estimate estimate(Bytes traffic, std::int64_t kernels) const;
  static ElementwiseCost from_json(ObjectReader reader);
  [[nodiscard]] Json to_json() const;
};

}  // namespace brink::cost
