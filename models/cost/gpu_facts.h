// Hardware facts the kernel costs bound themselves with, as stored in a profile.
#pragma once

#include <cstdint>
#include <string>

#include "models/base/json.h"
#include "models/base/object_reader.h"
#include "models/base/units.h"

namespace brink::cost {

/// Rates of one GPU. `peak` is the data sheet, `sustained` the best rate of long runs (power-limited
/// clocks), which long prefills meet while the short measured kernels run at burst clock.
struct GpuFacts {
  std::string name;
  std::int64_t sm_count = 0;
  Hertz clock{0.0};
  FlopsPerSecond peak_bf16{0.0};
  FlopsPerSecond sustained_bf16{0.0};
  FlopsPerSecond peak_fp8{0.0};
  FlopsPerSecond sustained_fp8{0.0};
  BytesPerSecond hbm_peak{0.0};
  BytesPerSecond hbm_copy{0.0};  ///< achieved by a copy kernel, read plus write
  BytesPerSecond l2_bandwidth{0.0};
  Bytes l2_size{0.0};

  /// Throws ConfigError on a missing, unknown or non-positive field.
  static GpuFacts from_json(ObjectReader reader);
  [[nodiscard]] Json to_json() const;
};

}  // namespace brink::cost
