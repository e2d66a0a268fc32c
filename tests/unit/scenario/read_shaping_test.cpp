// /shaping: what is filled in, what reaches the policy, and what is refused.
#include "sim/scenario/read_shaping.h"

#include <gtest/gtest.h>

#include "tests/support/config_error.h"

namespace brink::scenario {
namespace {

/// As dump() writes it.
std::string plain(const std::string& text) { return parse_json(text).dump(); }

ShapingSettings read(const std::string& shaping) {
  const Json scenario = parse_json(shaping.empty() ? "{}" : R"({"shaping": )" + shaping + "}");
  ObjectReader in(scenario, "");
  return read_shaping(in);
}

TEST(read_shaping, absent_means_none_and_costs_nothing) {
  for (const char* text : {"", "null", "{}", R"({"policy": "none"})"}) {
    const ShapingSettings settings = read(text);
    EXPECT_FALSE(settings.active());
    EXPECT_EQ(settings.resolved.dump(), plain(R"({"policy": "none"})"));
    EXPECT_EQ(make_shaper(settings), nullptr);
  }
}

TEST(read_shaping, every_parameter_is_resolved_and_reads_back) {
  const std::string defaults = read(R"({"policy": "latency_guard", "input_tokens_max": 2048})").resolved.dump();
  EXPECT_EQ(defaults,
            plain(R"({"policy": "latency_guard", "queue_p95_ms": 50.0, "step_ms": null, "waiting_per_replica": null, )"
            R"("release_ratio": 0.5, "input_tokens_max": 2048, "output_tokens_max": null, "keep": "last"})"));
  for (const std::string& text :
       {defaults, std::string(R"({"policy": "latency_guard", "output_tokens_max": 64, "step_ms": 40})"),
        std::string(R"({"policy": "latency_guard", "input_tokens_max": 2048, "keep": "ends", "head_tokens": 100, "waiting_per_replica": 4})")}) {
    const std::string once = read(text).resolved.dump();
    EXPECT_EQ(read(once).resolved.dump(), once);
  }
}

TEST(read_shaping, parameters_reach_the_guard) {
  const auto guard = make_shaper(read(
      R"({"policy": "latency_guard", "step_ms": 40, "input_tokens_max": 1000, "output_tokens_max": 64, "keep": "ends", "head_tokens": 100})"));
  policy::ShapingLoad load;
  load.queue_p95 = Seconds(9.0);  // has no threshold: only the default looks at it
  load.step_time = milliseconds(40);
  EXPECT_FALSE(guard->shape({RequestId{0}, 3000, 0}, load).truncated);
  load.step_time = milliseconds(41);
  const policy::ShapedRequest out = guard->shape({RequestId{1}, 3000, 0}, load);
  EXPECT_EQ(out.input_tokens, 1000);
  EXPECT_EQ(out.kept_prefix, 100);
  EXPECT_EQ(out.output_tokens_max, 64);
}

struct Bad {
  const char* shaping;
  const char* pointer;
  const char* message;
};

TEST(read_shaping, bad_fields_say_where_and_what_is_allowed) {
  const Bad bads[] = {
      {"[]", "/shaping", "got an empty array; allowed: an object"},
      {R"({"policy": "latency_gard"})", "/shaping/policy",
       "got the string \"latency_gard\"; did you mean 'latency_guard'? allowed: none, latency_guard"},
      {R"({"policy": "none", "keep": "last"})", "/shaping/keep", "got an unknown field; allowed: policy"},
      {R"({"policy": "latency_guard"})", "/shaping/input_tokens_max",
       "got neither input_tokens_max nor output_tokens_max; required: at least one of the two"},
      {R"({"policy": "latency_guard", "input_tokens_max": 0})", "/shaping/input_tokens_max",
       "got the integer 0; allowed: an integer >= 1 and <= 1e+09 (tokens)"},
      {R"({"policy": "latency_guard", "output_tokens_max": 1.5})", "/shaping/output_tokens_max",
       "got the number 1.5; allowed: an integer >= 1 and <= 1e+09 (tokens)"},
      {R"({"policy": "latency_guard", "input_tokens_max": 9, "queue_p95_ms": 0})", "/shaping/queue_p95_ms",
       "got the integer 0; allowed: a number > 0 and <= 1e+09 (ms)"},
      {R"({"policy": "latency_guard", "input_tokens_max": 9, "release_ratio": 1.1})", "/shaping/release_ratio",
       "got the number 1.1; allowed: a number >= 0 and <= 1 (share of the thresholds)"},
      {R"({"policy": "latency_guard", "output_tokens_max": 9, "keep": "first"})", "/shaping/keep",
       "got keep without input_tokens_max; allowed: keep only where the input is cut"},
      {R"({"policy": "latency_guard", "input_tokens_max": 9, "keep": "head"})", "/shaping/keep",
       "got the string \"head\"; allowed: last, first, ends"},
      {R"({"policy": "latency_guard", "input_tokens_max": 9, "head_tokens": 3})", "/shaping/head_tokens",
       "got head_tokens with keep 'last'; allowed: only with keep 'ends'"},
      {R"({"policy": "latency_guard", "input_tokens_max": 9, "keep": "ends"})", "/shaping/head_tokens",
       "got nothing; required: an integer"},
      {R"({"policy": "latency_guard", "input_tokens_max": 9, "keep": "ends", "head_tokens": 9})", "/shaping/head_tokens",
       "got the integer 9; allowed: less than input_tokens_max (9)"},
  };
  for (const Bad& bad : bads) {
    SCOPED_TRACE(bad.shaping);
    test::expect_config_error([&] { (void)read(bad.shaping); }, bad.pointer, bad.message);
  }
}

}  // namespace
}  // namespace brink::scenario
