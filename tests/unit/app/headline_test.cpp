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

TEST(Headline, EndsWithTheFolder) {
  const std::string text = headline(outcome(), "results/a");
  EXPECT_EQ(text.substr(text.size() - 19), "results: results/a\n");
  EXPECT_EQ(text.find("5 requests completed"), 0U);
}

}  // namespace
}  // namespace brink::app
