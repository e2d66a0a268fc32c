#include "models/gpu/clocks.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace brink::gpu {

namespace {

const Seconds never(std::numeric_limits<double>::infinity());

/// Steps of the ladder between the highest clock and `fraction` of it.
double steps_below(const ClockLimits& limits, double fraction) { return (1.0 - fraction) * (limits.max / limits.step); }

double fraction_at(const ClockLimits& limits, double steps) { return 1.0 - steps * (limits.step / limits.max); }

}  // namespace

ClockLimits clock_limits(const GpuSpec& spec) {
  ClockLimits out;
  if (spec.clock_max > Hertz(0.0)) out.max = spec.clock_max;
  if (spec.tdp > Watts(0.0)) out.limit = spec.tdp;
  out.min = std::min(out.min, out.max);
  return out;
}

double on_ladder(const ClockLimits& limits, double fraction) {
  // A step that is reached but for rounding counts as reached.
  const double steps = std::ceil(steps_below(limits, std::min(fraction, 1.0)) - 1e-9);
  return std::max(fraction_at(limits, steps), limits.min / limits.max);
}

double clock_under_cap(const ClockLimits& limits, Watts cap, Watts draw) {
  if (draw <= cap) return 1.0;
  const double share = std::max((cap - limits.idle) / (draw - limits.idle), 0.0);
  return on_ladder(limits, std::cbrt(share));
}

double clock_falling(const ClockLimits& limits, double target, Seconds elapsed, Seconds ramp) {
  if (ramp <= Seconds(0.0)) return on_ladder(limits, target);
  // Whole steps fallen so far: the clock holds a step until the lag has passed the next one.
  const double fallen = steps_below(limits, target) * -std::expm1(-(elapsed / ramp));
  return std::max(fraction_at(limits, std::floor(fallen + 1e-9)), on_ladder(limits, target));
}

double clock_rising(const ClockLimits& limits, double from, Seconds elapsed, Seconds ramp) {
  if (ramp <= Seconds(0.0)) return 1.0;
  const double missing = steps_below(limits, from) * std::exp(-(elapsed / ramp));
  return std::max(fraction_at(limits, std::floor(missing + 1e-9)), limits.min / limits.max);
}

Seconds recovery_time(const ClockLimits& limits, double from, Seconds ramp) {
  return ramp * std::log(std::max(steps_below(limits, from), 1.0));
}

Seconds next_fall(const ClockLimits& limits, double target, Seconds elapsed, Seconds ramp) {
  if (ramp <= Seconds(0.0)) return never;
  const double all = steps_below(limits, target);
  const double next = std::floor(all * -std::expm1(-(elapsed / ramp)) + 1e-9) + 1.0;
  return next < all ? ramp * -std::log1p(-next / all) : never;
}

Seconds next_rise(const ClockLimits& limits, double from, Seconds elapsed, Seconds ramp) {
  if (ramp <= Seconds(0.0)) return never;
  const double all = steps_below(limits, from);
  const double now = std::floor(all * std::exp(-(elapsed / ramp)) + 1e-9);
  return now >= 1.0 ? ramp * -std::log(now / all) : never;
}

}  // namespace brink::gpu
