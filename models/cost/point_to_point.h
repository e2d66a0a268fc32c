// Send and receive between two GPUs: measured times by size, over NVLink and between two nodes.
#pragma once

#include "models/base/json.h"
#include "models/base/object_reader.h"
#include "models/base/units.h"
#include "models/cost/all_reduce_cost.h"
#include "models/cost/estimate.h"

namespace brink::cost {

class PointToPoint {
 public:
  /// NCCL send/recv of one pair: two GPUs of a node, and one GPU each of two nodes over one NIC each.
  PointToPoint(CollectiveCurve nvlink, CollectiveCurve network) : nvlink_(std::move(nvlink)), network_(std::move(network)) {}

  [[nodiscard]] Estimate inside(Bytes message) const { return nvlink_.estimate(message); }
  [[nodiscard]] Estimate between(Bytes message) const { return network_.estimate(message); }
  /// What a message between nodes costs more than one inside, at the smallest size measured: a network hop of the
  /// Simple protocol without the launch.
  [[nodiscard]] Seconds network_hop() const;

  /// {"nvlink": CURVE, "network": CURVE}.
  static PointToPoint from_json(ObjectReader reader);
  [[nodiscard]] Json to_json() const;

 private:
  CollectiveCurve nvlink_, network_;
};

}  // namespace brink::cost
