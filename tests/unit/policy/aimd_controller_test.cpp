#include "sim/policy/aimd_controller.h"

#include <vector>

#include <gtest/gtest.h>

namespace brink::policy {
namespace {

// An engine of 256 seats and 8192 tokens whose batch holds `running` sequences.
ControlView step(double ms, std::int64_t running = 100) {
  ControlView view;
  view.step_time = milliseconds(ms);
  view.decode_sequences = view.running = running;
  view.prefill_tokens = 400;
  view.max_num_seqs = 256;
  view.max_num_batched_tokens = 8192;
  return view;
}

AimdSettings every_step(double target_ms) {
  AimdSettings s;
  s.target = milliseconds(target_ms);
  s.interval_steps = 1;
  return s;
}

constexpr ControlLimits open{256, 8192};

TEST(aimd, halves_what_is_used_not_the_limit_nobody_reaches) {
  AimdController c(every_step(20));
  ControlLimits limits = open;
  c.on_step(step(20.001, 100), limits);
  EXPECT_EQ(limits, (ControlLimits{50, 8192}));
}

TEST(aimd, a_step_at_the_target_is_no_reason_to_cut_and_none_to_raise) {
  AimdController c(every_step(20));
  ControlLimits limits{50, 8192};
  c.on_step(step(20.0), limits);
  EXPECT_EQ(limits.seats, 50);
  c.on_step(step(19.601), limits);
  EXPECT_EQ(limits.seats, 50) << "inside the hysteresis band of 2 %";
  c.on_step(step(19.599), limits);
  EXPECT_EQ(limits.seats, 52);
}

TEST(aimd, does_not_cut_again_while_an_earlier_cut_is_still_working) {
  AimdController c(every_step(20));
  ControlLimits limits = open;
  c.on_step(step(30, 100), limits);
  c.on_step(step(30, 80), limits);
  c.on_step(step(30, 51), limits);
  EXPECT_EQ(limits.seats, 50);
  c.on_step(step(30, 50), limits);
  EXPECT_EQ(limits.seats, 25);
}

TEST(aimd, keeps_the_minimum_and_climbs_back_to_the_engines_seats) {
  AimdController c(every_step(20));
  ControlLimits limits = open;
  for (int i = 0; i < 20; ++i) c.on_step(step(30, limits.seats), limits);
  EXPECT_EQ(limits.seats, 8);
  for (int i = 0; i < 123; ++i) c.on_step(step(10, limits.seats), limits);
  EXPECT_EQ(limits.seats, 254);
  for (int i = 0; i < 2; ++i) c.on_step(step(10, limits.seats), limits);
  EXPECT_EQ(limits, open);
}

TEST(aimd, decides_by_the_median_of_the_interval) {
  AimdSettings s = every_step(20);
  s.interval_steps = 5;
  AimdController c(s);
  ControlLimits limits = open;
  for (const double ms : {19.9, 900.0, 19.9, 900.0, 19.9}) c.on_step(step(ms), limits);
  EXPECT_EQ(limits, open) << "two prefills in five steps are no slow engine";
  for (const double ms : {19.9, 21.0, 21.0, 21.0}) c.on_step(step(ms), limits);
  EXPECT_EQ(limits, open) << "not before the interval is over";
  c.on_step(step(19.9), limits);
  EXPECT_EQ(limits.seats, 50);
}

TEST(aimd, steps_that_only_prefill_do_not_count) {
  AimdController c(every_step(20));
  ControlLimits limits = open;
  ControlView prefill = step(500, 3);
  prefill.decode_sequences = 0;
  for (int i = 0; i < 10; ++i) c.on_step(prefill, limits);
  EXPECT_EQ(limits, open);
}

TEST(aimd, learns_the_calm_median_after_the_steps_it_skips) {
  AimdSettings s;
  s.calm_skip_steps = 3;
  s.calm_steps = 5;
  s.interval_steps = 1;
  AimdController c(s);
  ControlLimits limits = open;
  for (const double ms : {500.0, 500.0, 500.0, 20.0, 21.0, 19.0, 90.0}) c.on_step(step(ms), limits);
  EXPECT_FALSE(c.target());
  c.on_step(step(20.5), limits);
  ASSERT_TRUE(c.target());
  EXPECT_DOUBLE_EQ(c.target()->value(), 1.05 * 20.5e-3);
  EXPECT_EQ(limits, open) << "nothing is cut while it learns";
  c.on_step(step(21.6), limits);
  EXPECT_EQ(limits.seats, 50);
}

TEST(aimd, takes_a_calm_step_that_is_given) {
  AimdSettings s;
  s.calm_step = milliseconds(10);
  s.target_ratio = 2.0;
  EXPECT_EQ(AimdController(s).target()->value(), 0.02);
}

TEST(aimd, may_limit_tokens_instead_of_seats) {
  AimdSettings s = every_step(20);
  s.limit_seats = false;
  s.limit_tokens = true;
  AimdController c(s);
  ControlLimits limits = open;
  c.on_step(step(30), limits);
  EXPECT_EQ(limits, (ControlLimits{256, 256})) << "half of the 500 tokens used, but not below the minimum";
  c.on_step(step(10), limits);
  EXPECT_EQ(limits, (ControlLimits{256, 512}));
}

}  // namespace
}  // namespace brink::policy
