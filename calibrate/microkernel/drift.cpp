#include "calibrate/microkernel/step_groups.h"

namespace brink::calibrate {

std::optional<cost::MeasuredDrift> read_drift(const MicrokernelResults& results) {
  cost::MeasuredDrift drift;
  const Range share = Range::between(0.0, 1.0), margin = Range::at_least(0.0, "nats");
  results.each("decode_step", [&](const ResultPoint&, ObjectReader& params, ObjectReader& metrics) {
    if (params.string("what") != "drift") return;
    drift.margin_median = metrics.number("margin_median", margin);
    drift.batches.push_back({params.integer("batch", Range::at_least(1)), metrics.integer("rows", Range::at_least(1)), metrics.number("changed", share),
                             metrics.number("changed_bf16", share), metrics.number("flipped", share), metrics.number("margin_delta_median", margin),
                             metrics.number("margin_delta_p90", margin)});
  });
  if (drift.batches.empty()) return std::nullopt;
  return drift;
}

}  // namespace brink::calibrate
