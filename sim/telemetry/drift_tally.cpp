#include "sim/telemetry/drift_tally.h"

#include <algorithm>
#include <cmath>
#include <string>

namespace brink::telemetry {

namespace {

void write_mean(Json& object, const std::string& name, double sum, double square, std::int64_t requests) {
  const auto n = static_cast<double>(requests);
  const double mean = sum / n;
  object.set(name, requests > 0 ? Json(mean) : Json());
  // Of the mean over requests, as if they were independent.
  object.set(name + "_se", requests > 1 ? Json(std::sqrt(std::max(0.0, square / n - mean * mean) / (n - 1.0))) : Json());
}

}  // namespace

void DriftTally::add(const serving::DriftOutcome& drift, std::int64_t tokens) {
  ++requests;
  from_idle += drift.from_idle;
  from_idle_square += drift.from_idle * drift.from_idle;
  pairwise += drift.pairwise;
  pairwise_square += drift.pairwise * drift.pairwise;
  if (drift.first_flip > 0.0) first_flip += drift.from_idle * drift.first_flip;
  output_tokens += tokens;
  exposed_tokens += drift.exposed_tokens;
}

void DriftTally::write(Json& object) const {
  object.set("requests", requests);
  write_mean(object, "divergence_from_idle", from_idle, from_idle_square, requests);
  write_mean(object, "divergence_pairwise", pairwise, pairwise_square, requests);
  object.set("exposed_token_share",
             output_tokens > 0 ? Json(static_cast<double>(exposed_tokens) / static_cast<double>(output_tokens)) : Json());
  object.set("first_flip_token", from_idle > 0.0 ? Json(first_flip / from_idle) : Json());
}

}  // namespace brink::telemetry
