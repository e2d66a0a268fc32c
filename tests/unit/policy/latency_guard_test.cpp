#include "sim/policy/latency_guard.h"

#include <gtest/gtest.h>

namespace brink::policy {
namespace {

ShapingLoad queue(double ms) {
  ShapingLoad load;
  load.queue_p95 = milliseconds(ms);
  return load;
}

RawRequest request(std::int64_t tokens) { return {RequestId{0}, tokens, 0}; }

LatencyGuardSettings input_cap(std::int64_t cap) {
  LatencyGuardSettings s;
  s.queue_p95 = milliseconds(100);
  s.input_tokens_max = cap;
  return s;
}

TEST(shaper, table_lists_every_shaper) { EXPECT_EQ(shaper_names(), (std::vector<std::string>{"none", "latency_guard"})); }

TEST(shaper, none_changes_nothing) {
  const Json nothing = Json::object();
  ObjectReader in(nothing, "/shaping");
  Json resolved = Json::object();
  const auto none = read_shaper("none", in, resolved)();
  const ShapedRequest out = none->shape(request(100'000), queue(1e6));
  EXPECT_EQ(out.input_tokens, 100'000);
  EXPECT_EQ(out.kept_prefix, 100'000);
  EXPECT_FALSE(out.truncated);
  EXPECT_FALSE(out.output_tokens_max);
  EXPECT_EQ(out.reason, nullptr);
}

TEST(latency_guard, cuts_inputs_above_the_cap_while_the_queue_is_long) {
  LatencyGuard guard(input_cap(1000));
  EXPECT_FALSE(guard.shape(request(5000), queue(100)).truncated) << "the threshold itself is allowed";
  const ShapedRequest cut = guard.shape(request(5000), queue(101));
  EXPECT_TRUE(cut.truncated);
  EXPECT_EQ(cut.input_tokens, 1000);
  EXPECT_STREQ(cut.reason, "latency_guard");
  const ShapedRequest fits = guard.shape(request(1000), queue(101));
  EXPECT_FALSE(fits.truncated) << "what fits is the same input";
  EXPECT_EQ(fits.reason, nullptr);
}

TEST(latency_guard, lets_go_later_than_it_takes_hold) {
  LatencyGuard guard(input_cap(1000));
  const auto truncated = [&](double ms) { return guard.shape(request(5000), queue(ms)).truncated; };
  EXPECT_FALSE(truncated(60));
  EXPECT_TRUE(truncated(200));
  EXPECT_TRUE(truncated(60)) << "above half of the threshold";
  EXPECT_FALSE(truncated(50));
  EXPECT_FALSE(truncated(60)) << "and it has to be exceeded anew";
  EXPECT_FALSE(guard.engaged());
}

TEST(latency_guard, any_signal_engages_and_all_have_to_calm_down) {
  LatencyGuardSettings s = input_cap(10);
  s.step_time = milliseconds(40);
  s.waiting_per_replica = 8.0;
  LatencyGuard guard(s);
  ShapingLoad load;
  load.replicas = 4;
  load.waiting = 32;
  EXPECT_FALSE(guard.shape(request(20), load).truncated);
  load.waiting = 33;
  EXPECT_TRUE(guard.shape(request(20), load).truncated) << "by the waiting requests";
  load.waiting = 16;
  load.step_time = milliseconds(41);
  EXPECT_TRUE(guard.shape(request(20), load).truncated) << "by the step";
  load.step_time = milliseconds(20);
  EXPECT_FALSE(guard.shape(request(20), load).truncated);
}

TEST(latency_guard, a_signal_without_a_threshold_is_not_looked_at) {
  LatencyGuard guard(input_cap(10));
  ShapingLoad load;
  load.waiting = 1'000'000;
  load.step_time = Seconds(10.0);
  EXPECT_FALSE(guard.shape(request(20), load).truncated);
}

TEST(latency_guard, says_which_prefix_stays_as_it_was_sent) {
  for (const auto& [keep, prefix] : {std::pair{Keep::last, 0}, std::pair{Keep::first, 1000}, std::pair{Keep::ends, 200}}) {
    LatencyGuardSettings s = input_cap(1000);
    s.keep = keep;
    s.head_tokens = 200;
    LatencyGuard guard(s);
    EXPECT_EQ(guard.shape(request(5000), queue(200)).kept_prefix, prefix);
    EXPECT_EQ(guard.shape(request(900), queue(200)).kept_prefix, 900);
  }
}

TEST(latency_guard, caps_answers_whatever_they_would_have_been) {
  LatencyGuardSettings s;
  s.queue_p95 = milliseconds(100);
  s.output_tokens_max = 64;
  LatencyGuard guard(s);
  EXPECT_FALSE(guard.shape(request(5), queue(1)).output_tokens_max);
  const ShapedRequest capped = guard.shape(request(5), queue(200));
  EXPECT_EQ(capped.output_tokens_max, 64);
  EXPECT_EQ(capped.input_tokens, 5);
  EXPECT_FALSE(capped.truncated) << "the input is the same";
  EXPECT_STREQ(capped.reason, "latency_guard");
}

}  // namespace
}  // namespace brink::policy
