#include "models/cost/point_to_point.h"

#include <algorithm>

namespace brink::cost {
namespace {

CollectiveCurve read_curve(ObjectReader reader) {
  CollectiveCurve curve = CollectiveCurve::from_json(reader);
  reader.finish();
  return curve;
}

}  // namespace

Seconds PointToPoint::network_hop() const {
  const Bytes smallest(std::max(nvlink_.surface.low(0), network_.surface.low(0)));
  return std::max(between(smallest).time - inside(smallest).time, Seconds(0.0));
}

PointToPoint PointToPoint::from_json(ObjectReader reader) {
  CollectiveCurve nvlink = read_curve(reader.object("nvlink")), network = read_curve(reader.object("network"));
  reader.finish();
  return {std::move(nvlink), std::move(network)};
}

Json PointToPoint::to_json() const {
  Json json = Json::object();
  nvlink_.add_to(json.set("nvlink", Json::object()));
  network_.add_to(json.set("network", Json::object()));
  return json;
}

}  // namespace brink::cost
