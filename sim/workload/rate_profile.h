// Piecewise constant rate over time, and the time change that gives any renewal process that rate.
#pragma once

#include <optional>
#include <vector>

#include "models/base/units.h"

namespace brink::workload {

struct Stage {
  Seconds duration;  // infinite for an open end
  RequestsPerSecond rate;
};

/// Maps operational time (in expected requests) to seconds: the inverse of the integrated rate.
/// A process with mean-one gaps in operational time has the stage's rate in every stage
/// (time rescaling: Cinlar, Introduction to Stochastic Processes, 1975, section 4.7).
class RateProfile {
 public:
  explicit RateProfile(std::vector<Stage> stages);

  /// The instant at which the integrated rate reaches `requests`; nullopt at or past the end.
  /// Calls must be non-decreasing in `requests`.
  [[nodiscard]] std::optional<Seconds> at(double requests);

  /// Mean over the whole profile; of the open stage when one has no end.
  [[nodiscard]] RequestsPerSecond mean_rate() const;

 private:
  std::vector<Stage> stages_;
  std::size_t stage_ = 0;
  Seconds stage_start_{0.0};
  double stage_start_requests_ = 0.0;
};

}  // namespace brink::workload
