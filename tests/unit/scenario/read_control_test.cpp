// /control: what is filled in, what a policy's parameters are, and what is refused.
#include "sim/scenario/read_control.h"

#include <gtest/gtest.h>

#include "tests/support/config_error.h"

namespace brink::scenario {
namespace {

/// As dump() writes it.
std::string plain(const std::string& text) { return parse_json(text).dump(); }

ControlSettings read(const std::string& control) {
  const Json scenario = parse_json(control.empty() ? "{}" : R"({"control": )" + control + "}");
  ObjectReader in(scenario, "");
  return read_control(in);
}

TEST(read_control, absent_means_none_and_costs_nothing) {
  for (const char* text : {"", "null", "{}", R"({"policy": "none"})"}) {
    const ControlSettings settings = read(text);
    EXPECT_FALSE(settings.active());
    EXPECT_EQ(settings.resolved.dump(), plain(R"({"policy": "none"})"));
    EXPECT_EQ(make_controller(settings), nullptr);
  }
}

TEST(read_control, every_parameter_is_resolved) {
  EXPECT_EQ(read(R"({"policy": "pang"})").resolved.dump(),
            plain(R"({"policy": "pang", "target_ms": 50.0, "epsilon_ms": 10.0, "alpha": 20, "delta": 5, "min_seats": 1, )"
            R"("window_steps": 16, "memory": true, "overflow_probability": 0.05})"));
  EXPECT_EQ(read(R"({"policy": "aimd"})").resolved.dump(),
            plain(R"({"policy": "aimd", "target_ms": null, "target_ratio": 1.05, "calm_ms": null, "calm_skip_steps": 1000, )"
            R"("calm_steps": 2000, "interval_steps": 20, "decrease_factor": 0.5, "hysteresis": 0.02, "limit": "seats", )"
            R"("increase_seats": 2, "min_seats": 8, "increase_tokens": 256, "min_tokens": 256})"));
  EXPECT_EQ(read(R"({"policy": "aimd", "target_ms": 30, "limit": "both"})").resolved.dump(),
            plain(R"({"policy": "aimd", "target_ms": 30.0, "interval_steps": 20, "decrease_factor": 0.5, "hysteresis": 0.02, )"
            R"("limit": "both", "increase_seats": 2, "min_seats": 8, "increase_tokens": 256, "min_tokens": 256})"));
}

TEST(read_control, what_is_resolved_reads_back_to_the_same) {
  for (const char* text : {R"({"policy": "pang", "target_ms": 33.3, "epsilon_ms": 1.7, "memory": false})", R"({"policy": "aimd"})",
                           R"({"policy": "aimd", "calm_ms": 19.3, "target_ratio": 1.1})",
                           R"({"policy": "aimd", "target_ms": 30, "decrease_factor": 0.7, "increase_seats": 4})"}) {
    const std::string once = read(text).resolved.dump();
    EXPECT_EQ(read(once).resolved.dump(), once);
  }
}

TEST(read_control, parameters_reach_the_controller) {
  const auto controller = make_controller(read(R"({"policy": "aimd", "target_ms": 20, "interval_steps": 1, "min_seats": 3, "decrease_factor": 0.25})"));
  policy::ControlView view;
  view.step_time = milliseconds(21);
  view.decode_sequences = view.running = 40;
  view.max_num_seqs = 64;
  view.max_num_batched_tokens = 2048;
  policy::ControlLimits limits = policy::engine_limits(view);
  controller->on_step(view, limits);
  EXPECT_EQ(limits.seats, 10);
  for (; view.running > 0; --view.running) controller->on_step(view, limits);
  EXPECT_EQ(limits.seats, 3);
}

struct Bad {
  const char* control;
  const char* pointer;
  const char* message;
};

TEST(read_control, bad_fields_say_where_and_what_is_allowed) {
  const Bad bads[] = {
      {"3", "/control", "got the integer 3; allowed: an object"},
      {R"({"policy": "aimt"})", "/control/policy", "got the string \"aimt\"; did you mean 'aimd'? allowed: none, pang, aimd"},
      {R"({"policy": "none", "target_ms": 5})", "/control/target_ms", "got an unknown field; allowed: policy"},
      {R"({"policy": "pang", "target_ms": 0})", "/control/target_ms", "got the integer 0; allowed: a number > 0 and <= 1e+06 (ms)"},
      {R"({"policy": "pang", "epsilon_ms": 50})", "/control/epsilon_ms", "got the number 50.0; allowed: less than target_ms (50.0)"},
      {R"({"policy": "pang", "alpha": 0})", "/control/alpha", "got the integer 0; allowed: an integer >= 1 and <= 1e+06 (sequences)"},
      {R"({"policy": "pang", "delta": -1})", "/control/delta", "got the integer -1; allowed: an integer >= 0 and <= 1e+06 (sequences)"},
      {R"({"policy": "pang", "memory": 1})", "/control/memory", "got the integer 1; allowed: true or false"},
      {R"({"policy": "pang", "overflow_probability": 0.6})", "/control/overflow_probability",
       "got the number 0.6; allowed: a number >= 1e-09 and <= 0.5"},
      {R"({"policy": "aimd", "target_ratio": 1})", "/control/target_ratio",
       "got the integer 1; allowed: a number > 1 and <= 1000 (times the calm median step)"},
      {R"({"policy": "aimd", "target_ms": 20, "target_ratio": 2})", "/control/target_ratio",
       "got target_ratio beside target_ms; allowed: target_ms alone, or a target_ratio of the calm step"},
      {R"({"policy": "aimd", "target_ms": 20, "calm_steps": 2})", "/control/calm_steps",
       "got calm_steps beside target_ms; allowed: target_ms alone, or a target_ratio of the calm step"},
      {R"({"policy": "aimd", "calm_ms": 20, "calm_steps": 2})", "/control/calm_steps",
       "got calm_steps beside calm_ms; allowed: calm_ms, or steps to learn it from"},
      {R"({"policy": "aimd", "decrease_factor": 1})", "/control/decrease_factor", "got the integer 1; allowed: a number >= 0.01 and <= 0.99"},
      {R"({"policy": "aimd", "hysteresis": -0.1})", "/control/hysteresis",
       "got the number -0.1; allowed: a number >= 0 and <= 0.9 (share of the target)"},
      {R"({"policy": "aimd", "limit": "seat"})", "/control/limit", "got the string \"seat\"; did you mean 'seats'? allowed: seats, tokens, both"},
      {R"({"policy": "aimd", "interval_steps": 0})", "/control/interval_steps", "got the integer 0; allowed: an integer >= 1 and <= 1e+06 (steps)"},
      {R"({"policy": "aimd", "increase_seats": 0})", "/control/increase_seats",
       "got the integer 0; allowed: an integer >= 1 and <= 1e+06 (sequences)"},
      {R"({"policy": "aimd", "min_seats": 0})", "/control/min_seats", "got the integer 0; allowed: an integer >= 1 and <= 1e+06 (sequences)"},
      {R"({"policy": "aimd", "min_tokens": 0})", "/control/min_tokens", "got the integer 0; allowed: an integer >= 1 and <= 1e+09 (tokens)"},
  };
  for (const Bad& bad : bads) {
    SCOPED_TRACE(bad.control);
    test::expect_config_error([&] { (void)read(bad.control); }, bad.pointer, bad.message);
  }
}

}  // namespace
}  // namespace brink::scenario
