// Additive increase, multiplicative decrease of the batch limit on step time. AIMD converges to a fair and
// efficient point where other linear controls do not: D. Chiu, R. Jain, Computer Networks and ISDN Systems 17
// (1989). As a batch-size control it is Clipper's (D. Crankshaw et al., NSDI 2017, section 4.3).
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "sim/policy/i_controller.h"

namespace brink::policy {

struct AimdSettings {
  std::optional<Seconds> target;      // of the median step; absent: target_ratio times the calm one
  double target_ratio = 1.05;
  std::optional<Seconds> calm_step;   // the calm median step; absent: learned
  std::int64_t calm_skip_steps = 1000; // decode steps before learning: the batch fills up first
  std::int64_t calm_steps = 2000;     // decode steps the calm median is taken from
  std::int64_t interval_steps = 20;   // decode steps between decisions
  double decrease_factor = 0.5;       // of what the batch holds
  std::int64_t increase_seats = 2;    // an interval
  std::int64_t min_seats = 8;
  double hysteresis = 0.02;           // share below the target where the limit neither rises nor falls
  bool limit_seats = true, limit_tokens = false;
  std::int64_t increase_tokens = 256; // an interval
  std::int64_t min_tokens = 256;
};

class AimdController final : public IController {
 public:
  explicit AimdController(const AimdSettings& settings);

  void on_step(const ControlView& view, ControlLimits& limits) override;

  /// The target in force; absent while the calm step is being learned.
  [[nodiscard]] std::optional<Seconds> target() const { return target_; }

 private:
  void learn(Seconds step_time);
  void decide(const ControlView& view, ControlLimits& limits);
  void cut(const ControlView& view, ControlLimits& limits) const;
  void raise(const ControlView& view, ControlLimits& limits) const;

  AimdSettings settings_;
  std::optional<Seconds> target_;
  std::int64_t skipped_ = 0;
  std::vector<Seconds> times_;       // of the interval, or of the calm steps
  std::int64_t most_running_ = 0;    // in the interval
  std::int64_t most_tokens_ = 0;
};

}  // namespace brink::policy
