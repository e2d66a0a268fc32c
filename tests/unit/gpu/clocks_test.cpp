#include "models/gpu/clocks.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace brink::gpu {
namespace {

const ClockLimits h100;

TEST(clocks, move_on_a_ladder_of_15_mhz) {
  EXPECT_EQ(on_ladder(h100, 1.0), 1.0);
  EXPECT_EQ(on_ladder(h100, 1.7), 1.0);
  EXPECT_NEAR(on_ladder(h100, 1965.0 / 1980.0), 1965.0 / 1980.0, 1e-12) << "a step itself stays";
  EXPECT_NEAR(on_ladder(h100, 1979.0 / 1980.0), 1965.0 / 1980.0, 1e-12) << "between two steps the lower one";
  EXPECT_NEAR(on_ladder(h100, 0.0), 345.0 / 1980.0, 1e-12) << "not below the lowest clock";
}

TEST(clocks, power_above_idle_goes_with_the_cube_of_the_clock) {
  EXPECT_EQ(clock_under_cap(h100, Watts(700.0), Watts(700.0)), 1.0);
  // (400 - 70) / (700 - 70) = 0.5238; its cube root is 0.8061: 1596 MHz, so 1590 on the ladder.
  EXPECT_NEAR(clock_under_cap(h100, Watts(400.0), Watts(700.0)), 1590.0 / 1980.0, 1e-12);
  // Halving the power above idle costs a fifth of the clock.
  EXPECT_NEAR(clock_under_cap(h100, Watts(385.0), Watts(700.0)), std::cbrt(0.5), 15.0 / 1980.0);
  EXPECT_NEAR(clock_under_cap(h100, Watts(50.0), Watts(700.0)), 345.0 / 1980.0, 1e-12) << "a cap below idle";
}

TEST(clocks, decode_feels_no_cap_above_what_it_draws) {
  // Decode on a 700 W card draws 137 to 300 W (arXiv 2605.11999).
  EXPECT_EQ(clock_under_cap(h100, Watts(300.0), Watts(300.0)), 1.0);
  EXPECT_LT(clock_under_cap(h100, Watts(300.0), Watts(700.0)), 0.75);
}

TEST(clocks, fall_and_rise_as_a_first_order_lag) {
  const Seconds ramp(20.0);
  EXPECT_EQ(clock_falling(h100, 0.8, Seconds(0.0), ramp), 1.0);
  EXPECT_NEAR(clock_falling(h100, 0.8, Seconds(20.0), ramp), 1.0 - 0.2 * (1.0 - std::exp(-1.0)), 15.0 / 1980.0);
  EXPECT_NEAR(clock_falling(h100, 0.8, Seconds(1e4), ramp), 0.8, 15.0 / 1980.0);
  EXPECT_NEAR(clock_rising(h100, 0.8, Seconds(20.0), ramp), 1.0 - 0.2 * std::exp(-1.0), 15.0 / 1980.0);
  EXPECT_EQ(clock_rising(h100, 0.8, recovery_time(h100, 0.8, ramp) + Seconds(1e-6), ramp), 1.0);
  EXPECT_EQ(clock_falling(h100, 0.8, Seconds(0.0), Seconds(0.0)), on_ladder(h100, 0.8)) << "without a ramp at once";
  EXPECT_EQ(clock_rising(h100, 0.8, Seconds(0.0), Seconds(0.0)), 1.0);
}

TEST(clocks, say_when_they_change_next) {
  const Seconds ramp(20.0);
  Seconds now(0.0);
  int steps = 0;
  for (;; ++steps) {
    const Seconds next = next_fall(h100, 0.8, now, ramp);
    if (!is_finite(next)) break;
    ASSERT_GT(next, now);
    const double held = clock_falling(h100, 0.8, now, ramp);
    EXPECT_EQ(clock_falling(h100, 0.8, now + (next - now) * 0.999, ramp), held) << "stays until then";
    EXPECT_NEAR(held - clock_falling(h100, 0.8, next, ramp), 15.0 / 1980.0, 1e-9) << "and falls by one step";
    now = next;
  }
  EXPECT_EQ(steps, 26) << "0.2 of 1980 MHz are 26.4 steps";
  EXPECT_FALSE(is_finite(next_fall(h100, 0.8, Seconds(0.0), Seconds(0.0))));
  const Seconds rise = next_rise(h100, 0.8, Seconds(0.0), ramp);
  EXPECT_EQ(clock_rising(h100, 0.8, rise * 0.999, ramp), clock_rising(h100, 0.8, Seconds(0.0) + rise * 0.5, ramp));
  EXPECT_GT(clock_rising(h100, 0.8, rise * 1.001, ramp), clock_rising(h100, 0.8, rise * 0.999, ramp));
}

TEST(clocks, limits_come_from_the_gpus_facts) {
  GpuSpec spec;
  spec.clock_max = Hertz(1755e6);
  spec.tdp = Watts(350.0);
  EXPECT_EQ(clock_limits(spec).max, Hertz(1755e6));
  EXPECT_EQ(clock_limits(spec).limit, Watts(350.0));
}

}  // namespace
}  // namespace brink::gpu
