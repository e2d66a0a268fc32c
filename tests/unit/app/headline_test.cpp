#include "sim/app/headline.h"

#include <gtest/gtest.h>

namespace brink::app {
namespace {

scenario::RunOutcome outcome() {
  scenario::RunOutcome out;
  out.summary = Json::object();
  out.summary.set("completed", 5);
  out.wall = out.end = Seconds(1.0);
  return out;
}

TEST(Headline, ActiveHypothesesComeFirst) {
  scenario::RunOutcome run = outcome();
  EXPECT_EQ(headline(run, "out").find("HYPOTHESES"), std::string::npos);
  run.summary.set("hypotheses", Json::array());
  EXPECT_EQ(headline(run, "out").find("HYPOTHESES"), std::string::npos);
  run.summary.set("hypotheses", Json::array_of(std::vector<std::string>{"scalar_fp16_at_17", "isr_threshold_512"}));
  EXPECT_EQ(headline(run, "out").find("HYPOTHESES ACTIVE, which evidence does not support: scalar_fp16_at_17, isr_threshold_512\n"), 0U);
}

// What was followed has a line each; what was not is not mentioned.
TEST(Headline, HowTheRunExecuted) {
  scenario::RunOutcome run = outcome();
  for (const char* word : {"plans", "regimes", "drift", "tails", "cascade"}) EXPECT_EQ(headline(run, "out").find(word), std::string::npos) << word;
  run.summary = parse_json(R"({"completed": 5, "plans": {"switches": 12, "captured_share": 0.934},
    "regimes": {"label_share": {"paging": 0.1, "memory_pressured": 0.0, "queue_degraded": 0.2, "normal": 0.7}},
    "drift": {"divergence_from_idle": 0.0257, "divergence_pairwise": 0.0111},
    "p99_drift": {"ttft": {"p99_ratio": 30.8}, "tpot": {"p99_ratio": null}, "e2el": {"p99_ratio": 5.9}},
    "cascades": {"conditions": [{"condition": 0, "delay_s": 9.0, "request_delay_s": 1.0, "requests_touched": 2},
                                {"condition": 3, "delay_s": 7.472, "request_delay_s": 417.78, "requests_touched": 109}]}})");
  const std::string text = headline(run, "out");
  for (const char* line : {"  plans    12 switches, 93.4 % of steps replay a CUDA graph\n", "  regimes  normal 70.0 %, queue_degraded 20.0 %, paging 10.0 % of replica time\n",
                           "  drift    2.57 % of answers differ from an idle system's, 1.11 % between two runs under this load\n",
                           "  tails    p99 over that of the same requests alone: ttft 30.8, e2el 5.9\n",
                           "  cascade  /conditions/3: 7.47 s at the root, 417.78 s over 109 requests\n"}) {
    EXPECT_NE(text.find(line), std::string::npos) << text;
  }
}

// A run without requests has no shares to tell of.
TEST(Headline, EmptySectionsAreLeftOut) {
  scenario::RunOutcome run = outcome();
  run.summary = parse_json(R"({"completed": 0, "regimes": {"label_share": {"normal": null}}, "drift": {"divergence_from_idle": null},
                               "p99_drift": {}, "cascades": {"conditions": []}})");
  for (const char* word : {"regimes", "drift", "tails", "cascade"}) EXPECT_EQ(headline(run, "out").find(word), std::string::npos) << word;
}

TEST(Headline, EndsWithTheFolder) {
  const std::string text = headline(outcome(), "results/a");
  EXPECT_EQ(text.substr(text.size() - 19), "results: results/a\n");
  EXPECT_EQ(text.find("5 requests completed"), 0U);
}

}  // namespace
}  // namespace brink::app
