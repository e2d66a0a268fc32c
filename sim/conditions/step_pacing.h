// One step's draws of host pacing: what the latest rank of every collective adds to it.
#pragma once

#include <cstdint>
#include <span>

#include "models/base/random.h"
#include "models/base/units.h"
#include "sim/conditions/pacing.h"

namespace brink::conditions {

/// Up to this many collectives are drawn one by one; the sum of more comes from its cumulants.
inline constexpr std::int64_t exact_collectives = 8;

/// Draws are keyed by (replica, step, rank) and number within the step.
class StepPacing {
 public:
  StepPacing(const Lateness& lateness, const RandomStream& stream, std::uint64_t replica, std::uint64_t step)
      : lateness_(lateness), stream_(stream), replica_(replica), step_(step) {}

  /// Lateness of a rank at its `collective`-th meeting (from 0), in seconds.
  [[nodiscard]] double own(std::int64_t rank, std::int64_t collective) const;
  /// Sum over the collectives [first, count) of max over r of (lateness_r - ahead_r), in seconds; every rank has
  /// `between` of compute before each and `ranks.lead()` of it in hand.
  [[nodiscard]] double sum_of_latest(PacedRanks& ranks, Seconds between, std::int64_t first, std::int64_t count) const;
  /// Max over r of (late[r] + lateness_r) at the first collective, in seconds. One draw for all ranks that are the
  /// least late, where they are equally so, and one for each of the others.
  [[nodiscard]] double first_latest(std::span<const double> late) const;
  /// Any of `ranks` with equal odds: who was late most.
  [[nodiscard]] std::int64_t somebody(std::int64_t ranks) const;

 private:
  const Lateness& lateness_;
  const RandomStream& stream_;
  std::uint64_t replica_, step_;
};

}  // namespace brink::conditions
