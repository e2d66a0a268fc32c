// When a condition acts: an interval, or bursts that repeat within it.
#pragma once

#include <limits>

#include "models/base/units.h"

namespace brink::conditions {

/// An instant inside or outside the bursts of a schedule. The answer holds for [since, until).
struct Phase {
  bool acting = false;
  Seconds since;  // begin of the burst or pause
  Seconds until;
};

/// Acts from `from` until `until`; with a period, only for the first `active` of each period.
struct Schedule {
  Seconds from{0.0};
  Seconds until{std::numeric_limits<double>::infinity()};
  Seconds period{0.0};  // zero: without pauses
  Seconds active{0.0};  // of each period

  [[nodiscard]] Phase at(Seconds time) const;
};

}  // namespace brink::conditions
