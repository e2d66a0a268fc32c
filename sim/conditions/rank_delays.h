// How late each rank of a replica is by itself in one step, and what the slowest make of it: the part of a step's
// growth that needs no draw.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "sim/conditions/i_rank_condition.h"

namespace brink::conditions {

/// What all conditions together do to one rank.
struct RankSum {
  double factor = 1.0;        // of compute
  double clock = 1.0;
  double clock_bound = -1.0;
  double pause_s = 0.0;

  void add(const RankLoad& load);
  /// Added to the step's compute, as a share of it; `bound` of which follows the clock where no condition says.
  [[nodiscard]] double late_share(double bound) const;
  bool operator==(const RankSum&) const = default;
};

/// Seconds, by rank and of the step.
struct RankDelays {
  std::vector<double> late;      // in proportion to compute
  std::vector<double> pause;     // once
  double late_max = 0.0;
  double pause_max = 0.0;        // what pauses add at the first collective
  std::int64_t late_rank = -1, pause_rank = -1;  // the gating ones; -1: nothing added

  /// Every second of delay counts `times`.
  void set(std::span<const RankSum> ranks, double compute_s, double bound, std::int64_t collectives, double times = 1.0);
  /// By how much the step grows without pacing.
  [[nodiscard]] double growth() const { return late_max + pause_max; }
};

}  // namespace brink::conditions
