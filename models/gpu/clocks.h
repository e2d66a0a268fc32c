// How fast the SMs are clocked under a power cap or a thermal limit.
#pragma once

#include "models/base/units.h"
#include "models/gpu/gpu_spec.h"

namespace brink::gpu {

/// What the clock governor of one GPU works with.
struct ClockLimits {
  Hertz max{1980e6};    // H100 SXM (nvidia-smi)
  Hertz min{345e6};     // H100 SXM idle clock (nvidia-smi)
  Hertz step{15e6};     // clocks move in these steps: nvidia-smi --query-supported-clocks on data-centre GPUs
  Watts limit{700.0};   // board power limit as shipped
  Watts idle{70.0};     // an idle H100 SXM draws 70 to 75 W (nvidia-smi)
};

/// The governor of `spec`; the rest as on H100 SXM.
[[nodiscard]] ClockLimits clock_limits(const GpuSpec& spec);

/// The next lower step of the clock ladder, as a fraction of the highest clock; at least the lowest clock.
[[nodiscard]] double on_ladder(const ClockLimits& limits, double fraction);

/// Fraction of the highest clock that keeps a kernel which would draw `draw` at that clock under `cap`.
/// Dynamic power is C V^2 f and the voltage follows the clock near its top, so what is above idle goes with the cube
/// of the clock (textbook; Chandrakasan, Sheng & Brodersen 1992, "Low-power CMOS digital design", JSSC 27(4), not looked up).
/// 1 when the cap does not bind: decode draws 137 to 300 W of 700 and feels no cap above that (arXiv 2605.11999).
[[nodiscard]] double clock_under_cap(const ClockLimits& limits, Watts cap, Watts draw);

/// Fraction `elapsed` after a thermal limit began to pull the clock from 1 towards `target`: a first-order lag of
/// time constant `ramp` (the heat sink's), on the clock ladder. `ramp` zero: at once.
[[nodiscard]] double clock_falling(const ClockLimits& limits, double target, Seconds elapsed, Seconds ramp);
/// The same `elapsed` after the limit was lifted at `from`.
[[nodiscard]] double clock_rising(const ClockLimits& limits, double from, Seconds elapsed, Seconds ramp);
/// Time after which clock_rising() is within one step of the highest clock.
[[nodiscard]] Seconds recovery_time(const ClockLimits& limits, double from, Seconds ramp);

/// Time at which clock_falling() or clock_rising() goes to its next step; infinity when it stays.
[[nodiscard]] Seconds next_fall(const ClockLimits& limits, double target, Seconds elapsed, Seconds ramp);
[[nodiscard]] Seconds next_rise(const ClockLimits& limits, double from, Seconds elapsed, Seconds ramp);

}  // namespace brink::gpu
