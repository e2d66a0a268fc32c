// A predicted duration together with how well it is known.
#pragma once

#include "models/base/units.h"
#include "models/cost/badge.h"

namespace brink::cost {

/// A default estimate is the neutral element of +: no time, nothing uncertain.
struct Estimate {
  Seconds time{0.0};
  Badge badge = Badge::measured;

  Estimate& operator+=(const Estimate& other) {
    time += other.time;
    badge = worse(badge, other.badge);
    return *this;
  }
  friend Estimate operator+(Estimate a, const Estimate& b) { return a += b; }
  /// The same kernel run `times` times in a row (layers of a model).
  friend Estimate operator*(Estimate a, double times) { return {a.time * times, a.badge}; }
  friend bool operator==(const Estimate&, const Estimate&) = default;
};

}  // namespace brink::cost
