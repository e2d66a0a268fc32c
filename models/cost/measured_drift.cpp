#include "models/cost/measured_drift.h"

#include "models/cost/significant.h"

namespace brink::cost {
namespace {

constexpr double kDeltaMax = 1e3;  // logits are of order 1 to 100
const Range kShare = Range::between(0.0, 1.0);
const Range kDelta = Range::between(0.0, kDeltaMax, "nats");

}  // namespace

MeasuredDrift MeasuredDrift::from_json(ObjectReader reader) {
  MeasuredDrift drift;
  drift.changed_share = reader.number("changed_share", kShare);
  drift.delta_median = reader.number("delta_median_nats", kDelta);
  drift.delta_p99 = reader.number("delta_p99_nats", kDelta);
  drift.rows = reader.integer("rows", Range::at_least(1));
  reader.each("pairs", [&](const Json& item, const std::string& pointer) {
    ObjectReader fields(item, pointer);
    Pair pair;
    pair.reference_batch = fields.integer("reference_batch", Range::at_least(1));
    pair.batch = fields.integer("batch", Range::at_least(1));
    pair.changed_share = fields.number("changed_share", kShare);
    pair.delta_median = fields.number("delta_median_nats", kDelta);
    pair.rows = fields.integer("rows", Range::at_least(1));
    fields.finish();
    drift.pairs.push_back(pair);
  });
  reader.finish();
  return drift;
}

Json MeasuredDrift::to_json() const {
  Json json = Json::object();
  json.set("changed_share", round_significant(changed_share, 5));
  json.set("delta_median_nats", round_significant(delta_median, 4));
  json.set("delta_p99_nats", round_significant(delta_p99, 4));
  json.set("rows", rows);
  Json& list = json.set("pairs", Json::array());
  for (const Pair& pair : pairs) {
    Json& item = list.push_back(Json::object());
    item.set("reference_batch", pair.reference_batch);
    item.set("batch", pair.batch);
    item.set("changed_share", round_significant(pair.changed_share, 5));
    item.set("delta_median_nats", round_significant(pair.delta_median, 4));
    item.set("rows", pair.rows);
  }
  return json;
}

}  // namespace brink::cost
