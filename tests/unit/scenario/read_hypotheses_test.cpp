#include "sim/scenario/read_hypotheses.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "tests/support/config_error.h"

namespace brink::scenario {
namespace {

Hypotheses read(const std::string& hypotheses) {
  const Json scenario = parse_json(R"({"hypotheses": )" + hypotheses + "}");
  ObjectReader in(scenario, "");
  return read_hypotheses(in);
}

TEST(read_hypotheses, all_off_by_default) {
  for (const char* given : {"null", "{}", R"({"scalar_fp16_at_17": false, "late_rank_is_retransmit": false})"}) {
    const Hypotheses h = read(given);
    EXPECT_TRUE(h.active().empty());
    EXPECT_FALSE(h.timing.retransmit || h.timing.spills || h.kv_evicted_mid_collective || h.isr_threshold_512);
    const Json resolved = to_json(h);
    for (const Json::Member& member : resolved.members()) EXPECT_FALSE(member.second.as_bool()) << member.first;
  }
}

// Each switch turns on exactly itself, and its page is there.
TEST(read_hypotheses, every_switch_is_itself_and_has_a_page) {
  const Json names = to_json(Hypotheses{});
  EXPECT_EQ(names.members().size(), 9U);
  for (const Json::Member& member : names.members()) {
    const Hypotheses h = read("{\"" + member.first + "\": true}");
    const auto active = h.active();
    ASSERT_EQ(active.size(), 1U) << member.first;
    EXPECT_EQ(active[0].name, member.first);
    EXPECT_FALSE(active[0].claim.empty());
    EXPECT_TRUE(std::filesystem::exists(std::string(BRINK_SOURCE_DIR) + "/" + active[0].page)) << active[0].page;
    // What it resolves to reads back as itself.
    EXPECT_EQ(to_json(read(to_json(h).dump())).dump(), to_json(h).dump());
  }
}

TEST(read_hypotheses, parameters) {
  const Hypotheses h = read(R"({"late_rank_is_retransmit": {"threshold_ms": 2, "retry_ms": 0}, "spills_at_run_time": {"gain": 0.5},
                                "isr_threshold_512": {"sequences_per_s": 100, "hold_s": 2}, "kv_evicted_mid_collective": {"per_token_us": 100}})");
  EXPECT_EQ(h.timing.retransmit->threshold, milliseconds(2.0));
  EXPECT_EQ(h.timing.retransmit->retry, Seconds(0.0));
  EXPECT_EQ(h.timing.spills->gain, 0.5);
  EXPECT_EQ(h.isr_threshold_512->sequences_per_s, 100.0);
  EXPECT_EQ(h.kv_evicted_mid_collective->per_token, microseconds(100.0));
  EXPECT_EQ(h.active().size(), 4U);
}

TEST(read_hypotheses, bad_fields) {
  const auto bad = [](const char* hypotheses, const char* pointer, const char* part) {
    try {
      (void)read(hypotheses);
    } catch (const ConfigError& error) {
      EXPECT_EQ(error.pointer(), pointer);
      const std::string text = "got " + error.got() + "; " + error.allowed();
      EXPECT_NE(text.find(part), std::string::npos) << text;
      return;
    }
    ADD_FAILURE() << hypotheses;
  };
  bad("[]", "/hypotheses", "allowed: an object");
  bad(R"({"scalar_fp16_at_16": true})", "/hypotheses/scalar_fp16_at_16", "did you mean 'scalar_fp16_at_17'?");
  bad(R"({"scalar_fp16_at_17": 1})", "/hypotheses/scalar_fp16_at_17", "got the integer 1; allowed: true, false, or an object");
  bad(R"({"scalar_fp16_at_17": {"size": 17}})", "/hypotheses/scalar_fp16_at_17/size", "got an unknown field");
  bad(R"({"spills_at_run_time": {"gain": 1}})", "/hypotheses/spills_at_run_time/gain", "allowed: a number > 0 and <= 0.9");
  bad(R"({"late_rank_is_retransmit": {"threshold": 1}})", "/hypotheses/late_rank_is_retransmit/threshold", "did you mean 'threshold_ms'?");
  bad(R"({"late_rank_is_retransmit": {"threshold_ms": 0}})", "/hypotheses/late_rank_is_retransmit/threshold_ms", "allowed: a number > 0");
  bad(R"({"isr_threshold_512": {"hold_s": -1}})", "/hypotheses/isr_threshold_512/hold_s", "allowed: a number > 0");
}

}  // namespace
}  // namespace brink::scenario
