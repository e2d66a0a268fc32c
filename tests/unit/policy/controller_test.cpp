#include "sim/policy/i_controller.h"

#include <gtest/gtest.h>

namespace brink::policy {
namespace {

ControlView engine(std::int64_t seats, std::int64_t budget) {
  ControlView view;
  view.max_num_seqs = seats;
  view.max_num_batched_tokens = budget;
  view.decode_sequences = view.running = 10;
  view.step_time = milliseconds(20);
  return view;
}

TEST(controller, table_lists_every_controller_and_makes_it_with_its_defaults) {
  EXPECT_EQ(controller_names(), (std::vector<std::string>{"none", "pang", "aimd"}));
  for (const std::string& name : controller_names()) {
    const Json nothing = Json::object();
    ObjectReader in(nothing, "/control");
    Json resolved = Json::object();
    const ControllerMaker make = read_controller(name, in, resolved);
    const auto one = make(), two = make();
    ASSERT_NE(one, nullptr);
    EXPECT_NE(one, two) << "each replica has its own";
    ControlLimits limits{64, 2048};
    one->on_step(engine(64, 2048), limits);
    EXPECT_LE(limits.seats, 64);
    EXPECT_EQ(resolved.members().empty(), name == "none");
  }
}

TEST(controller, none_keeps_the_engines_limits_whatever_a_step_takes) {
  const Json nothing = Json::object();
  ObjectReader in(nothing, "/control");
  Json resolved = Json::object();
  const auto none = read_controller("none", in, resolved)();
  ControlLimits limits{64, 2048};
  for (const double ms : {1.0, 1e3, 1e6}) {
    ControlView view = engine(64, 2048);
    view.step_time = milliseconds(ms);
    none->on_step(view, limits);
    EXPECT_EQ(limits, (ControlLimits{64, 2048}));
  }
}

TEST(controller, the_budget_in_force_leaves_decoding_sequences_theirs) {
  EXPECT_EQ(budget_in_force({8, 512}, 8192, 100, true), 512);
  EXPECT_EQ(budget_in_force({8, 64}, 8192, 100, true), 100);
  EXPECT_EQ(budget_in_force({8, 1}, 8192, 0, true), 1) << "somebody can start";
  EXPECT_EQ(budget_in_force({8, 9000}, 8192, 100, true), 8192) << "never more than the engine's";
  EXPECT_EQ(budget_in_force({8, 64}, 8192, 100, false), 8192) << "whole prompts have to fit";
}

TEST(controller, a_limit_cuts_only_when_it_keeps_somebody_waiting) {
  ControlView view = engine(64, 2048);
  view.waiting = 1;
  EXPECT_FALSE(cuts_batch({11, 2048}, view));
  EXPECT_TRUE(cuts_batch({10, 2048}, view));
  EXPECT_TRUE(cuts_batch({5, 2048}, view));
  view.running = 64;
  EXPECT_FALSE(cuts_batch({64, 2048}, view)) << "the engine's own seats are full";
  view.waiting = 0;
  EXPECT_FALSE(cuts_batch({5, 2048}, view));
}

}  // namespace
}  // namespace brink::policy
