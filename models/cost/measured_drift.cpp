#include "models/cost/measured_drift.h"

#include <algorithm>
#include <utility>

#include "models/cost/significant.h"

namespace brink::cost {
namespace {

constexpr double kMarginMax = 1e3;  // logits are of order 1 to 100
const Range kShare = Range::between(0.0, 1.0);
const Range kMargin = Range::between(0.0, kMarginMax, "nats");

/// Mean of a share over batches, by rows.
double by_rows(const std::vector<MeasuredDrift::Batch>& batches, double MeasuredDrift::Batch::*share) {
  double sum = 0.0, rows = 0.0;
  for (const MeasuredDrift::Batch& batch : batches) {
    sum += batch.*share * static_cast<double>(batch.rows);
    rows += static_cast<double>(batch.rows);
  }
  return rows > 0.0 ? sum / rows : 0.0;
}

}  // namespace

double MeasuredDrift::changed_share() const { return by_rows(batches, &Batch::changed_share); }
double MeasuredDrift::flipped_share() const { return by_rows(batches, &Batch::flipped_share); }

double MeasuredDrift::margin_delta() const {
  std::vector<std::pair<double, double>> medians;  // delta, rows that changed
  double total = 0.0;
  for (const Batch& batch : batches) {
    const double rows = batch.changed_share * static_cast<double>(batch.rows);
    if (rows <= 0.0) continue;
    medians.emplace_back(batch.margin_delta_median, rows);
    total += rows;
  }
  std::sort(medians.begin(), medians.end());
  double seen = 0.0;
  for (const auto& [delta, rows] : medians)
    if ((seen += rows) >= 0.5 * total) return delta;
  return 0.0;
}

MeasuredDrift MeasuredDrift::from_json(ObjectReader reader) {
  MeasuredDrift drift;
  drift.margin_median = reader.number("margin_median_nats", kMargin);
  reader.each("batches", [&](const Json& item, const std::string& pointer) {
    ObjectReader fields(item, pointer);
    Batch batch;
    batch.batch = fields.integer("batch", Range::at_least(1));
    batch.rows = fields.integer("rows", Range::at_least(1));
    batch.changed_share = fields.number("changed_share", kShare);
    batch.changed_bf16_share = fields.number("changed_bf16_share", kShare);
    batch.flipped_share = fields.number("flipped_share", kShare);
    batch.margin_delta_median = fields.number("margin_delta_median_nats", kMargin);
    batch.margin_delta_p90 = fields.number("margin_delta_p90_nats", kMargin);
    fields.finish();
    drift.batches.push_back(batch);
  });
  // Totals are written for readers of the file; they follow from the batches.
  for (const char* total : {"changed_share", "flipped_share", "margin_delta_median_nats"}) reader.ignore(total);
  reader.finish();
  return drift;
}

Json MeasuredDrift::to_json() const {
  Json json = Json::object();
  json.set("changed_share", round_significant(changed_share(), 5));
  json.set("flipped_share", round_significant(flipped_share(), 5));
  json.set("margin_delta_median_nats", round_significant(margin_delta(), 4));
  json.set("margin_median_nats", round_significant(margin_median, 4));
  Json& list = json.set("batches", Json::array());
  for (const Batch& batch : batches) {
    Json& item = list.push_back(Json::object());
    item.set("batch", batch.batch);
    item.set("rows", batch.rows);
    item.set("changed_share", round_significant(batch.changed_share, 5));
    item.set("changed_bf16_share", round_significant(batch.changed_bf16_share, 5));
    item.set("flipped_share", round_significant(batch.flipped_share, 5));
    item.set("margin_delta_median_nats", round_significant(batch.margin_delta_median, 4));
    item.set("margin_delta_p90_nats", round_significant(batch.margin_delta_p90, 4));
  }
  return json;
}

}  // namespace brink::cost
