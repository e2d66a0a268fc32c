#include "sim/policy/pang_controller.h"

#include <cmath>

#include <gtest/gtest.h>

#include "models/base/normal_quantile.h"

namespace brink::policy {
namespace {

ControlView step(double ms, std::int64_t batch, std::int64_t running = 0) {
  ControlView view;
  view.step_time = milliseconds(ms);
  view.decode_sequences = batch;
  view.running = running;
  view.max_num_seqs = 256;
  view.max_num_batched_tokens = 8192;
  view.total_blocks = 1000;
  return view;
}

// The paper's defaults with means over one step, so that each rule shows by itself.
PangSettings immediate() {
  PangSettings s;
  s.window_steps = 1;
  s.memory = false;
  return s;
}

std::int64_t seats_after(PangController& c, const ControlView& view) {
  ControlLimits limits{view.max_num_seqs, view.max_num_batched_tokens};
  c.on_step(view, limits);
  EXPECT_EQ(limits.token_budget, view.max_num_batched_tokens);
  return limits.seats;
}

TEST(pang, defaults_are_the_papers) {
  const PangSettings s;
  EXPECT_EQ(to_ms(s.target), 50.0);
  EXPECT_EQ(to_ms(s.tolerance), 10.0);
  EXPECT_EQ(s.alpha, 20);
  EXPECT_EQ(s.delta, 5);
}

// Known answers of algorithm 2 by hand; the interval starts at [1, 256].
TEST(pang, a_slow_step_pulls_the_interval_down_to_the_batch) {
  PangController c(immediate());
  EXPECT_EQ(seats_after(c, step(60.1, 100)), 50);  // [1, 100]
  EXPECT_EQ(seats_after(c, step(61, 50)), 25);     // [1, 50]
  EXPECT_EQ(seats_after(c, step(61, 10)), 11);     // [1, 1 + alpha]: the width it keeps
}

TEST(pang, a_fast_step_opens_the_interval_upwards) {
  PangController c(immediate());
  EXPECT_EQ(seats_after(c, step(61, 100)), 50);    // [1, 100]
  EXPECT_EQ(seats_after(c, step(39.9, 50)), 77);   // [50, 105]
  EXPECT_EQ(seats_after(c, step(39.9, 77)), 93);   // [77, 110]
  EXPECT_EQ(seats_after(c, step(39.9, 109)), 102); // [90, 115]: the lower end stays alpha below the upper one of before
}

TEST(pang, a_step_within_the_tolerance_closes_the_interval_round_the_batch) {
  PangController c(immediate());
  EXPECT_EQ(seats_after(c, step(60.0, 80)), 80);   // [70, 90]
  EXPECT_EQ(seats_after(c, step(40.0, 84)), 84);   // [74, 94]
  EXPECT_EQ(seats_after(c, step(50.0, 250)), 248); // [240, 256]: within the engine's seats
  EXPECT_EQ(seats_after(c, step(50.0, 3)), 7);     // [1, 13]
}

TEST(pang, never_stops_who_runs) {
  PangController c(immediate());
  EXPECT_EQ(seats_after(c, step(200, 100, 97)), 97);
}

TEST(pang, means_run_over_the_window) {
  PangSettings s = immediate();
  s.window_steps = 4;
  PangController c(s);
  (void)seats_after(c, step(50, 80));
  (void)seats_after(c, step(50, 80));
  (void)seats_after(c, step(50, 80));
  EXPECT_EQ(seats_after(c, step(88, 80)), 80) << "a mean of 59.5 ms is within the tolerance";
  (void)seats_after(c, step(50, 80));
  (void)seats_after(c, step(50, 80));
  (void)seats_after(c, step(50, 80));
  EXPECT_EQ(seats_after(c, step(50, 90)), 82) << "the slow one has left";
  for (int i = 0; i < 4; ++i) (void)seats_after(c, step(94, 80));
  EXPECT_LT(seats_after(c, step(94, 80)), 70);
}

TEST(pang, without_decoding_the_limit_stays) {
  PangController c(immediate());
  ControlLimits limits{33, 8192};
  c.on_step(step(500, 0), limits);
  EXPECT_EQ(limits.seats, 33);
}

// b E + theta sqrt(b Var) <= eta: with equal lengths eta / E; with spread fewer, and the bound is met with equality.
TEST(pang, memory_bounds_the_batch_by_the_lengths_that_ended) {
  PangSettings s = immediate();
  s.memory = true;
  PangController equal(s);
  ControlView view = step(1, 10);
  view.finished = 4;
  view.finished_tokens = 4 * 500;
  view.finished_tokens_squared = 4 * 500.0 * 500.0;
  EXPECT_EQ(seats_after(equal, view), 32) << "16000 tokens hold 32 requests of 500";

  PangController spread(s);
  view.finished_tokens_squared = 200.0 * 200.0 + 200.0 * 200.0 + 800.0 * 800.0 + 800.0 * 800.0;
  const auto seats = seats_after(spread, view);
  const double theta = normal_quantile(0.95);
  const auto tokens = [&](double b) { return b * 500.0 + theta * std::sqrt(b) * 300.0; };
  EXPECT_LE(tokens(static_cast<double>(seats)), 16000.0);
  EXPECT_GT(tokens(static_cast<double>(seats + 1)), 16000.0);
  EXPECT_EQ(seats, 26);
}

TEST(pang, memory_has_no_say_before_a_request_ended) {
  PangSettings s = immediate();
  s.memory = true;
  PangController c(s);
  EXPECT_EQ(seats_after(c, step(1, 10)), 133);  // [10, 256]
}

TEST(pang, lengths_follow_the_traffic) {
  PangSettings s = immediate();
  s.memory = true;
  PangController c(s);
  ControlView view = step(1, 10);
  view.finished = 1000;
  const auto end = [&view](double tokens) {
    view.finished_tokens = static_cast<std::int64_t>(1000 * tokens);
    view.finished_tokens_squared = 1000 * tokens * tokens;
  };
  end(200);
  for (int i = 0; i < 50; ++i) (void)seats_after(c, view);
  EXPECT_EQ(seats_after(c, view), 80);
  end(1000);
  for (int i = 0; i < 50; ++i) (void)seats_after(c, view);
  EXPECT_EQ(seats_after(c, view), 16);
}

}  // namespace
}  // namespace brink::policy
