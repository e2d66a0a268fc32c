// Statistics over engine steps that start after the warm-up.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "models/base/histogram.h"
#include "sim/serving/records.h"

namespace brink::telemetry {

class StepStats {
 public:
  StepStats(Seconds warmup, std::size_t replicas, std::int64_t kv_blocks);

  void add(const serving::StepRecord& record);

  [[nodiscard]] std::int64_t steps() const { return static_cast<std::int64_t>(duration_.count()); }
  [[nodiscard]] const LogHistogram& duration() const { return duration_; }
  /// Mean number of decode sequences over the steps that had any; NaN when none had.
  [[nodiscard]] double mean_decode_batch() const;
  /// Part of [warm-up, end] in which the replica was inside a step.
  [[nodiscard]] double busy_fraction(std::size_t replica, Seconds end) const;
  [[nodiscard]] std::size_t replicas() const { return replicas_.size(); }
  /// Used KV blocks over all: mean over time and replicas within [warm-up, end]; NaN without a pool.
  [[nodiscard]] double kv_usage_mean(Seconds end) const;
  [[nodiscard]] double kv_usage_max() const;
  /// Worst badge of the steps that produced or delayed the metric.
  [[nodiscard]] cost::Badge worst_badge(bool decode_only) const { return decode_only ? decode_badge_ : badge_; }
  /// Step time by badge.
  [[nodiscard]] Seconds badge_time(cost::Badge badge) const { return badge_time_[static_cast<std::size_t>(badge)]; }

 private:
  struct Replica {
    Seconds busy{0.0};
    Seconds last_end{0.0};
    double kv_seconds = 0.0;  // integral of used blocks since the warm-up
    std::int64_t kv_used = 0;
  };

  Seconds warmup_;
  std::int64_t kv_blocks_;
  std::vector<Replica> replicas_;
  LogHistogram duration_;
  std::int64_t decode_steps_ = 0, decode_sequences_ = 0;
  std::int64_t kv_used_max_ = 0;
  cost::Badge badge_ = cost::Badge::measured, decode_badge_ = cost::Badge::measured;
  std::array<Seconds, 4> badge_time_{};
};

}  // namespace brink::telemetry
