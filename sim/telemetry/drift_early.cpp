#include "sim/telemetry/drift_early.h"

#include <algorithm>

#include "models/drift/divergence.h"

namespace brink::telemetry {

void DriftEarly::add(std::int32_t tenant, const serving::DriftOutcome& drift, std::int64_t output_tokens) {
  // Exposed tokens are the last ones of an answer.
  const std::int64_t in_order = output_tokens - drift.exposed_tokens;
  const std::int64_t exposed = std::max<std::int64_t>(std::min(budget_.tokens, output_tokens) - in_order, 0);
  const double flips = drift::divergence(hazard_, exposed);
  Tenant& t = tenants_[tenant];
  ++t.requests;
  t.exposed += exposed;
  t.flips += flips;
  if (flips > budget_.flips) ++t.over;
}

Json DriftEarly::json() const {
  Json out = Json::object();
  out.set("tokens", budget_.tokens);
  out.set("flip_budget", budget_.flips);
  Json& list = out.set("tenants", Json::array());
  for (const auto& [number, t] : tenants_) {
    const auto requests = static_cast<double>(t.requests);
    const double exposed = static_cast<double>(t.exposed) / requests;
    Json& item = list.push_back(Json::object());
    item.set("tenant", std::int64_t{number});
    item.set("requests", t.requests);
    item.set("exposed_tokens", exposed);
    item.set("margin_moved_nats", exposed * law_.changed_share * law_.delta_median.value());
    item.set("flip_probability", t.flips / requests);
    item.set("share_of_budget", budget_.flips > 0.0 ? Json(t.flips / requests / budget_.flips) : Json());
    item.set("requests_over_budget", t.over);
  }
  return out;
}

}  // namespace brink::telemetry
