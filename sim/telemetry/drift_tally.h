// Means of drift over one class of requests.
#pragma once

#include <cstdint>

#include "models/base/json.h"
#include "sim/serving/i_drift_tracker.h"

namespace brink::telemetry {

struct DriftTally {
  std::int64_t requests = 0;
  double from_idle = 0.0, from_idle_square = 0.0;  // sums of probabilities and of their squares
  double pairwise = 0.0, pairwise_square = 0.0;
  double first_flip = 0.0;                         // sum of expected tokens, each weighed with its probability
  std::int64_t output_tokens = 0, exposed_tokens = 0;

  void add(const serving::DriftOutcome& drift, std::int64_t tokens);
  /// Members requests, divergence_from_idle and divergence_pairwise (means, with their standard errors),
  /// exposed_token_share, first_flip_token (mean over flips). Null where there is nothing to divide by.
  void write(Json& object) const;
};

}  // namespace brink::telemetry
