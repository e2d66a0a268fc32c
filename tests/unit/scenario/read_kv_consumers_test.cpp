#include "sim/scenario/read_kv_consumers.h"

#include <gtest/gtest.h>

#include "sim/scenario/read_conditions.h"
#include "tests/support/config_error.h"

namespace brink::scenario {
namespace {

std::vector<Condition> read(const Json& json) {
  ConditionContext context;
  context.replicas = 4;
  context.ranks = 8;
  ObjectReader in(json, "");
  return read_conditions(in, context);
}
std::vector<Condition> read_text(const std::string& text) { return read(parse_json(text)); }

TEST(ReadKvConsumers, Defaults) {
  const auto got = read_text(R"({"conditions": [{"kind": "replication"}, {"kind": "checkpoint"}]})");
  EXPECT_EQ(got[0].resolved.dump(),
            R"({"kind":"replication","name":null,"replica":"all","from_s":0.0,"until_s":null,"link":"nic","gb_per_s":21.75,)"
            R"("latency_us":10.0,"step_overhead":0.02,"coordination":"none","budget_ratio":null,"chunk_mib":null})");
  EXPECT_EQ(got[1].resolved.dump(),
            R"({"kind":"checkpoint","name":null,"replica":"all","from_s":0.0,"until_s":null,"link":"storage","gb_per_s":50.0,)"
            R"("latency_us":10.0,"period_s":60.0,"coordination":"none","budget_ratio":null,"chunk_mib":256.0})");
}

TEST(ReadKvConsumers, EveryField) {
  const auto got = read_text(R"({"conditions": [
      {"kind": "checkpoint", "name": "nightly", "replica": 2, "from_s": 10, "until_s": 90, "link": "nic", "gb_per_s": 4,
       "latency_us": 50, "period_s": 20, "coordination": "budget", "budget_ratio": 0.2, "chunk_mib": 64},
      {"kind": "replication", "replica": 2, "link": "nic", "gb_per_s": 4, "latency_us": 50, "step_overhead": 0,
       "coordination": "budget", "chunk_mib": 8}]})");
  Hypotheses hypotheses;
  hypotheses.isr_threshold_512.emplace();
  hypotheses.kv_evicted_mid_collective.emplace();
  const conditions::KvConsumerSettings s = kv_consumer_settings(got, hypotheses, 77);
  ASSERT_EQ(s.checkpoints.size(), 1U);
  const conditions::CheckpointSettings& c = s.checkpoints[0];
  EXPECT_EQ(c.name, "nightly");
  EXPECT_EQ(c.target.replica, 2);
  EXPECT_EQ(c.from.value(), 10.0);
  EXPECT_EQ(c.until.value(), 90.0);
  EXPECT_EQ(c.rate.value(), 4e9);
  EXPECT_EQ(c.period.value(), 20.0);
  EXPECT_TRUE(c.coordinated);
  EXPECT_EQ(c.budget_ratio, 0.2);
  EXPECT_EQ(c.chunk, mib(64));
  EXPECT_EQ(c.condition, 0);
  ASSERT_EQ(s.replications.size(), 1U);
  EXPECT_EQ(s.replications[0].name, "replication");
  EXPECT_EQ(s.replications[0].condition, 1);
  EXPECT_EQ(s.replications[0].budget_ratio, 0.1);
  EXPECT_EQ(s.replications[0].chunk, mib(8));
  EXPECT_TRUE(s.forced_evaporation.has_value());
  EXPECT_EQ(s.mid_collective_eviction->seed, 77U);
  EXPECT_FALSE(s.empty());
  EXPECT_TRUE(kv_consumer_settings({}, {}, 0).empty());
  // What was resolved reads back as itself.
  Json again = Json::object();
  again.set("conditions", to_json(got));
  EXPECT_EQ(to_json(read(again)).dump(), to_json(got).dump());
}

TEST(ReadKvConsumers, BadFields) {
  const Json good = parse_json(R"({"conditions": [{"kind": "replication"}, {"kind": "checkpoint"}]})");
  const test::BadField cases[] = {
      {"/conditions/0/replica", "4", "/conditions/0/replica", "got the integer 4; allowed: \"all\" or a replica that exists: 0 to 3"},
      {"/conditions/0/from_s", "-1", "/conditions/0/from_s", "got the integer -1; allowed: a number >= 0 and <= 1e+12 (s)"},
      {"/conditions/0/link", "\"\"", "/conditions/0/link", "got the string \"\"; allowed: 1 to 100 characters"},
      {"/conditions/0/gb_per_s", "0", "/conditions/0/gb_per_s", "got the integer 0; allowed: a number > 0 and <= 1e+06 (GB/s of each rank)"},
      {"/conditions/0/latency_us", "-1", "/conditions/0/latency_us", "got the integer -1; allowed: a number >= 0 and <= 1e+09 (us)"},
      {"/conditions/0/step_overhead", "-0.1", "/conditions/0/step_overhead", "got the number -0.1; allowed: a number >= 0 and <= 10 (of a step's GPU time)"},
      {"/conditions/0/coordination", "\"some\"", "/conditions/0/coordination", "got the string \"some\"; allowed: none, budget"},
      {"/conditions/0/budget_ratio", "0.2", "/conditions/0/budget_ratio", "got the number 0.2; allowed: only with \"coordination\": \"budget\""},
      {"/conditions/0/chunk_mib", "64", "/conditions/0/chunk_mib", "got the integer 64; allowed: only with \"coordination\": \"budget\""},
      {"/conditions/1/period_s", "0", "/conditions/1/period_s", "got the integer 0; allowed: a number > 0 and <= 1e+12 (s)"},
      {"/conditions/1/chunk_mib", "0", "/conditions/1/chunk_mib", "got the integer 0; allowed: a number > 0 and <= 1e+06 (MiB of each rank)"},
      {"/conditions/1/step_overhead", "0.1", "/conditions/1/step_overhead", "got an unknown field; allowed: kind, name, replica, from_s, until_s, link, gb_per_s, latency_us, period_s, coordination, budget_ratio, chunk_mib"},
  };
  for (const test::BadField& bad : cases) {
    Json json = good;
    set_at_pointer(json, bad.field, parse_json(bad.value));
    test::expect_config_error([&] { (void)read(json); }, bad.pointer, bad.message);
  }
}

TEST(ReadKvConsumers, OneLinkHasOneRate) {
  const auto settings = [](const std::string& second) {
    return kv_consumer_settings(read_text(R"({"conditions": [{"kind": "checkpoint", "replica": 1, "link": "nic", "gb_per_s": 4}, )" + second + "]}"), {}, 0);
  };
  test::expect_config_error([&] { (void)settings(R"({"kind": "replication"})"); }, "/conditions/1/gb_per_s",
                            "got 21.75; the same as /conditions/0, which shares the link \"nic\": 4; or another link");
  test::expect_config_error([&] { (void)settings(R"({"kind": "replication", "gb_per_s": 4, "latency_us": 1})"); },
                            "/conditions/1/latency_us",
                            "got 1; the same as /conditions/0, which shares the link \"nic\": 10; or another link");
  EXPECT_NO_THROW((void)settings(R"({"kind": "replication", "replica": 0})"));
  EXPECT_NO_THROW((void)settings(R"({"kind": "replication", "link": "second"})"));
}

}  // namespace
}  // namespace brink::scenario
