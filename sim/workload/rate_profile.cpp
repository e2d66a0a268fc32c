#include "sim/workload/rate_profile.h"

#include <algorithm>
#include <cmath>

namespace brink::workload {

RateProfile::RateProfile(std::vector<Stage> stages) : stages_(std::move(stages)) {}

std::optional<Seconds> RateProfile::at(double requests) {
  for (; stage_ < stages_.size(); ++stage_) {
    const Stage& stage = stages_[stage_];
    const double rate = stage.rate.value();
    // 0 * infinity would be NaN; a silent stage holds no request however long it is.
    const double held = rate == 0.0 ? 0.0 : rate * stage.duration.value();
    const double inside = requests - stage_start_requests_;
    if (inside < held) return stage_start_ + std::min(Seconds(inside / rate), stage.duration);
    stage_start_ += stage.duration;
    stage_start_requests_ += held;
  }
  return std::nullopt;
}

RequestsPerSecond RateProfile::mean_rate() const {
  double requests = 0.0, seconds = 0.0;
  for (const Stage& stage : stages_) {
    if (!is_finite(stage.duration)) return stage.rate;
    requests += stage.rate.value() * stage.duration.value();
    seconds += stage.duration.value();
  }
  return RequestsPerSecond(requests / seconds);
}

}  // namespace brink::workload
