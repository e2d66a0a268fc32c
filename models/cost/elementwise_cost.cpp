#include "models/cost/elementwise_cost.h"

#include <algorithm>
#include <stdexcept>

namespace brink::cost {

Estimate ElementwiseCost::estimate(Bytes traffic, std::int64_t kernels) const {
  if (kernels < 1 || traffic.value() < 0.0) throw std::invalid_argument("elementwise: needs at least one kernel and no negative bytes");
  // A kernel ramps up while its first bytes arrive: the longer of the two, not their sum.
  const Seconds each = std::max(floor, (traffic / static_cast<double>(kernels)) / bandwidth);
  return {each * static_cast<double>(kernels), Badge::hypothetical};
}

ElementwiseCost ElementwiseCost::from_json(ObjectReader reader) {
  ElementwiseCost cost;
  cost.bandwidth = BytesPerSecond(reader.number("bandwidth_bytes_per_s", Range::positive("B/s")));
  cost.floor = microseconds(reader.number("floor_us", Range::at_least(0.0, "us")));
  reader.ignore("source");
  reader.finish();
  return cost;
}

Json ElementwiseCost::to_json() const {
  Json json = Json::object();
  json.set("bandwidth_bytes_per_s", bandwidth.value());
  json.set("floor_us", to_us(floor));
  return json;
}

}  // namespace brink::cost
