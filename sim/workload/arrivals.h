// Open arrival processes: renewal processes whose gaps have mean one, run through a rate profile.
#pragma once

#include <optional>

#include "models/base/random.h"
#include "sim/workload/rate_profile.h"

namespace brink::workload {

enum class ArrivalKind {
  constant,  // evenly spaced, the first at instant 0
  poisson,   // exponential gaps
  gamma,     // gamma gaps of shape `burstiness` (vLLM bench's --burstiness): variance 1/burstiness
  weibull,   // Weibull gaps of shape `burstiness`
};

class Arrivals {
 public:
  Arrivals(ArrivalKind kind, double burstiness, RateProfile profile, std::uint64_t seed);

  /// The next arrival; nullopt for ever once the profile has ended.
  std::optional<Seconds> next();

 private:
  [[nodiscard]] double gap(std::uint64_t index) const;

  ArrivalKind kind_;
  double burstiness_;
  double weibull_scale_;
  RateProfile profile_;
  RandomStream stream_;
  std::uint64_t index_ = 0;
  double requests_ = 0.0;  // operational time
};

}  // namespace brink::workload
