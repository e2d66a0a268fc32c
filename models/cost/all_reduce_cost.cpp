#include "models/cost/all_reduce_cost.h"

#include <algorithm>
#include <cmath>
#include <stdexcept>

#include "models/cost/significant.h"

namespace brink::cost {
namespace {

const std::vector<std::string> kBackends{"custom_graph", "custom_eager", "nccl"};
const std::vector<std::string> kOps{"all_reduce", "all_gather", "reduce_scatter", "all_to_all"};  // in CollectiveOp's order

template <class Enum>
Enum index_of(const std::vector<std::string>& names, const std::string& wanted) {
  return static_cast<Enum>(std::find(names.begin(), names.end(), wanted) - names.begin());
}

}  // namespace

std::string name(CollectiveBackend backend) { return kBackends.at(static_cast<std::size_t>(backend)); }

Seconds CollectiveCurve::law(Bytes message) const {
  const double transfer = (message / rate).value();
  return Seconds(std::pow(std::pow(latency.value(), overlap_power) + std::pow(transfer, overlap_power), 1.0 / overlap_power));
}

Estimate CollectiveCurve::estimate(Bytes message) const {
  const std::vector<double> at{message.value()};
  const Badge badge = !surface.inside(at) ? Badge::extrapolated : surface.has_point(at) ? Badge::measured : Badge::interpolated;
  return {law(message) * std::exp(surface.value(at)), badge};
}

CollectiveCurve CollectiveCurve::from_json(ObjectReader& fields) {
  CollectiveCurve curve;
  curve.latency = Seconds(fields.number("latency_us", Range::at_least(0.0, "us")) * 1e-6);
  curve.rate = BytesPerSecond(fields.number("bytes_per_s", Range::positive("B/s")));
  curve.overlap_power = fields.number("overlap_power", Range::at_least(0.5));
  curve.surface = EfficiencySurface::from_json(fields.object("surface"));
  if (curve.surface.axes().size() != 1 || curve.surface.outputs() != 1)
    throw fields.error("surface", "a surface of another shape", "one axis (bytes) and one output");
  return curve;
}

void CollectiveCurve::add_to(Json& item) const {
  item.set("latency_us", round_significant(to_us(latency)));
  item.set("bytes_per_s", rate.value());
  item.set("overlap_power", overlap_power);
  item.set("surface", surface.to_json());
}

CollectiveCost::CollectiveCost(CollectiveBackend backend, CollectiveOp op, std::vector<CollectiveCurve> curves)
    : backend_(backend), op_(op), curves_(std::move(curves)) {
  std::sort(curves_.begin(), curves_.end(), [](const auto& a, const auto& b) { return a.gpus < b.gpus; });
  const auto twice = std::adjacent_find(curves_.begin(), curves_.end(), [](const auto& a, const auto& b) { return a.gpus == b.gpus; });
  if (curves_.empty() || twice != curves_.end() || curves_.front().gpus < 2)
    throw std::invalid_argument("collective: needs one curve for each GPU count, from two GPUs up");
}

Estimate CollectiveCost::estimate(std::int64_t gpus, Bytes message) const {
  if (gpus < 1 || message.value() < 0.0) throw std::invalid_argument("collective: at least one GPU and no negative size");
  if (gpus == 1 || message.value() == 0.0) return {};
  const auto above = std::find_if(curves_.begin(), curves_.end(), [&](const auto& curve) { return curve.gpus >= gpus; });
  if (above == curves_.end()) return beyond(gpus, message);
  const Estimate high = above->estimate(message);
  if (above->gpus == gpus) return high;
  if (above == curves_.begin()) return {high.time, Badge::extrapolated};
  const CollectiveCurve& below = *(above - 1);
  const Estimate low = below.estimate(message);
  const double g0 = static_cast<double>(below.gpus), g1 = static_cast<double>(above->gpus);
  const double share = std::log(static_cast<double>(gpus) / g0) / std::log(g1 / g0);
  return {low.time * std::pow(high.time / low.time, share), Badge::extrapolated};
}

Estimate CollectiveCost::beyond(std::int64_t gpus, Bytes message) const {
  const CollectiveCurve& last = curves_.back();
  const double g0 = static_cast<double>(last.gpus), g = static_cast<double>(gpus);
  const double traffic_ratio = ((g - 1.0) / g) / ((g0 - 1.0) / g0);
  const double extra_hops = std::log2(g) / std::log2(g0) - 1.0;
  return {last.estimate(message * traffic_ratio).time + last.latency * extra_hops, Badge::hypothetical};
}

CollectiveCost CollectiveCost::from_json(ObjectReader reader) {
  const auto backend = index_of<CollectiveBackend>(kBackends, reader.choice("backend", kBackends));
  const auto op = index_of<CollectiveOp>(kOps, reader.choice("op", kOps));
  std::vector<CollectiveCurve> curves;
  reader.each("curves", [&](const Json& item, const std::string& pointer) {
    ObjectReader fields(item, pointer);
    const std::int64_t gpus = fields.integer("gpus", Range::between(2, 1 << 20));
    CollectiveCurve curve = CollectiveCurve::from_json(fields);
    curve.gpus = gpus;
    for (const CollectiveCurve& other : curves)
      if (other.gpus == curve.gpus) throw fields.error("gpus", std::to_string(curve.gpus) + " twice", "one curve for each GPU count");
    fields.finish();
    curves.push_back(std::move(curve));
  });
  if (curves.empty()) throw reader.error("curves", "no curve", "at least one GPU count");
  reader.finish();
  return CollectiveCost(backend, op, std::move(curves));
}

Json CollectiveCost::to_json() const {
  Json json = Json::object();
  json.set("backend", name(backend_));
  json.set("op", name(op_));
  Json& curves = json.set("curves", Json::array());
  for (const CollectiveCurve& curve : curves_) {
    Json& item = curves.push_back(Json::object());
    item.set("gpus", curve.gpus);
    curve.add_to(item);
  }
  return json;
}

}  // namespace brink::cost
