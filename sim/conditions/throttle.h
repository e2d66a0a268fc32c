// SM clocks below their highest: a power cap or a thermal limit, reached by a ramp or at once.
#pragma once

#include "models/gpu/clocks.h"
#include "sim/conditions/i_rank_condition.h"
#include "sim/conditions/target.h"

namespace brink::conditions {

struct ThrottleSettings {
  Target target;
  Schedule schedule;         // without pauses
  double clock = 1.0;        // fraction of the highest clock it settles at
  Seconds ramp{0.0};         // time constant of falling and of recovering; zero: at once
  double clock_bound = -1.0; // share of compute that follows the clock; < 0: what the step says of itself
  gpu::ClockLimits limits;
};

class Throttle final : public IRankCondition {
 public:
  explicit Throttle(const ThrottleSettings& settings);

  [[nodiscard]] Phase phase(ReplicaId replica, Seconds time) const override;
  [[nodiscard]] Seconds steady_until(Seconds time, const Phase& phase) const override;
  [[nodiscard]] RankLoad load(ReplicaId replica, std::int64_t rank, Seconds time) const override;
  [[nodiscard]] std::int64_t rank() const override { return settings_.target.rank; }
  [[nodiscard]] world::EventKind kind() const override { return world::EventKind::throttle; }
  [[nodiscard]] std::string describe() const override;

  /// Fraction of the highest clock at `time`.
  [[nodiscard]] double clock(Seconds time) const;

 private:
  ThrottleSettings settings_;
  double lowest_ = 1.0;  // reached when the limit is lifted
  Seconds recovered_;    // the clock is back from then on
};

}  // namespace brink::conditions
