// Curves of the memory hierarchy from measured points.
#pragma once

#include <string>
#include <vector>

#include "calibrate/microkernel/curve.h"
#include "models/base/units.h"
#include "models/cost/memory_curves.h"

namespace brink::calibrate {

/// Points: bytes moved, seconds. The rate stays below `rate_max` (the data sheet's).
[[nodiscard]] cost::TransferCurve fit_transfer(const std::string& name, const Curve& points, BytesPerSecond rate_max);

/// Points: block bytes, bytes per second.
[[nodiscard]] cost::GatherCurve fit_gather(const std::string& name, const Curve& points, BytesPerSecond rate_max);

/// `rates`: working set, bytes per second; `latencies`: working set, seconds a dependent load. The capacity
/// stays between 0.2 and 1.2 of `size`: replacement and the far half's copies can waste L2, nothing adds to it.
/// Rates and latencies are fitted one after the other; the capacity comes from `rates`.
[[nodiscard]] cost::CacheKnee fit_knee(const Curve& rates, const Curve& latencies, Bytes size);

/// `latencies`: reach in bytes, seconds a dependent load. A cliff is stated when it lifts the latency by at
/// least 5 % and by three times the scatter around it.
[[nodiscard]] cost::TranslationReach fit_reach(const Curve& latencies);

}  // namespace brink::calibrate
