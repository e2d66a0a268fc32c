#include <array>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sim/telemetry/records_s.h"
#include "sim/telemetry/records_x.h"
#include "support.h"

namespace brink::telemetry {
namespace {

using namespace testing;

RecordFacts record_facts() {
  RecordFacts f;
  f.seed = 7;
  f.heads = 64;
  f.hidden = 8192;
  f.kv_block = mib(0.5);
  f.route = "round_robin";
  f.gates = {"admission:none", "shaping:latency_guard"};
  return f;
}

std::vector<std::string> keys(const Json& object) {
  std::vector<std::string> out;
  for (const Json::Member& member : object.members()) out.push_back(member.first);
  return out;
}

TEST(XRecords, HaveTheFieldsOfTheArticle) {
  XRecords records(RecordMode::full, record_facts());
  serving::RequestRecord r = request(3, 1.0, 0.25, 2.0, 9);
  r.queued = Seconds(1.05);
  r.raw_input_tokens = 400;
  r.truncation = "latency_guard";
  r.cached_tokens = 64;
  r.gpu = Seconds(1.5);
  records.add(r, 300);
  const Json x = parse_json(records.jsonl());
  EXPECT_THAT(keys(x), ::testing::ElementsAre(
                           "req_id", "raw_prompt_sha256", "effective_text_sha256", "effective_tokens", "truncated",
                           "trunc_reason", "decode_cfg_applied", "shaping_events", "cache_key", "cached_tokens",
                           "route_template", "system_sha256", "policy_gates", "admit_ms", "queue_ms", "gpu_ms",
                           "vram_watermark_mb", "autotune", "isolation_mode", "tenant", "outcome"));
  EXPECT_EQ(number(x, "/effective_tokens"), 100);
  EXPECT_EQ(text(x, "/truncated"), "true");
  EXPECT_EQ(text(x, "/trunc_reason"), "\"latency_guard\"");
  EXPECT_EQ(text(x, "/shaping_events"), R"(["truncate:latency_guard:400->100"])");
  EXPECT_EQ(number(x, "/decode_cfg_applied/max_tokens"), 9);
  EXPECT_NEAR(number(x, "/admit_ms"), 50.0, 1e-9);
  EXPECT_NEAR(number(x, "/queue_ms"), 75.0, 1e-9);
  EXPECT_EQ(number(x, "/gpu_ms"), 1500.0);
  EXPECT_EQ(number(x, "/vram_watermark_mb"), 150.0);
  EXPECT_EQ(text(x, "/isolation_mode"), "\"shared\"");
  EXPECT_EQ(text(x, "/policy_gates/1"), "\"shaping:latency_guard\"");
}

TEST(XRecords, OfARequestThatNeverRanSayWhatIsKnown) {
  XRecords records(RecordMode::full, record_facts());
  records.add(unfinished(4, 2.5, serving::Outcome::rejected), -1);
  const Json x = parse_json(records.jsonl());
  EXPECT_EQ(text(x, "/queue_ms"), "null");
  EXPECT_EQ(text(x, "/vram_watermark_mb"), "null");
  EXPECT_EQ(text(x, "/decode_cfg_applied/max_tokens"), "null");
  EXPECT_EQ(text(x, "/truncated"), "false");
  EXPECT_EQ(text(x, "/raw_prompt_sha256"), text(x, "/effective_text_sha256"));
}

TEST(XRecords, HashesAreEqualForEqualPrompts) {
  serving::RequestRecord a = request(1, 0.0, 0.1, 0.1, 2), b = request(2, 0.0, 0.1, 0.1, 2);
  EXPECT_NE(prompt_sha256(7, a, 100), prompt_sha256(7, b, 100));  // texts of their own
  EXPECT_NE(prompt_sha256(7, a, 100), prompt_sha256(7, a, 99));
  EXPECT_NE(prompt_sha256(7, a, 100), prompt_sha256(8, a, 100));
  a.prompt_text = b.prompt_text = 1;
  EXPECT_EQ(prompt_sha256(7, a, 100), prompt_sha256(7, b, 100));
  b.prompt_text = -1;  // the request 1 is not the text 1
  b.id = RequestId{1};
  EXPECT_NE(prompt_sha256(7, a, 100), prompt_sha256(7, b, 100));
  EXPECT_EQ(prompt_sha256(7, a, 100).size(), 64U);
}

TEST(XRecords, OneInAHundredIsSampledByItsOwnDraw) {
  const XRecords records(RecordMode::sampled, record_facts()), again(RecordMode::sampled, record_facts());
  const XRecords none(RecordMode::none, record_facts());
  int wanted = 0;
  for (std::uint64_t id = 0; id < 100'000; ++id) {
    wanted += records.wants(RequestId{id});
    EXPECT_EQ(records.wants(RequestId{id}), again.wants(RequestId{id}));
    EXPECT_FALSE(none.wants(RequestId{id}));
  }
  EXPECT_NEAR(wanted, 1000, 5 * 31.5);  // five standard deviations; the seed is fixed
}

TEST(SRecords, HaveTheFieldsOfTheArticle) {
  Plans plans;
  plan::PlanPart part = plans.tokens(4, 8, plans.choice("64x64"), plans.choice("128x256"));
  part.choices[0].precision = plan::Precision::fp8;
  plan::ExecutionPlan plan;
  plan.tokens = &part;
  plan.decodes = true;
  plan.attention.choice = plans.choice("fa3 split 2");
  SRecords records(RecordMode::full, record_facts(), 8);
  records.follow_plans(plans.names, plans.graph);
  serving::StepRecord r = in_regime(memory::Regime::memory_pressured, planned(plan, 1.0, 1.02, 5, 0.012));
  const std::array<Seconds, 2> wait = {Seconds(0.0), milliseconds(0.5)};
  r.step = 12;
  r.request = 77;
  r.members = serving::member_hash(RequestId{77}) + serving::member_hash(RequestId{78});
  r.context_tokens = 5 * 900;
  r.padded_tokens = 8;
  r.comm = microseconds(32.0 * 8 * 8192 / 1e5);  // at 100 GB/s
  r.kv_free = 100;
  r.workspace = mib(32.0);
  r.queue_p95 = Seconds(0.07);
  r.wait = wait;
  r.slowest_rank = 0;
  records.add(r);
  const Json s = parse_json(records.jsonl());
  for (const char* key : {"req_id", "step", "batch_fp", "shape", "queue_ms", "gpu_ms", "vram_free_mb", "workspace_free_mb",
                          "kv_regime", "precision_path", "algo_id", "kernel_variant", "isolation_mode"}) {
    EXPECT_NE(s.find(key), nullptr) << key;
  }
  EXPECT_EQ(number(s, "/req_id"), 77);
  EXPECT_EQ(s.find("batch_fp")->as_string().size(), 12U);
  EXPECT_EQ(text(s, "/shape"), "\"q=1,k=900,h=64,d=8192,tp=8\"");
  EXPECT_EQ(number(s, "/vram_free_mb"), 50.0);
  EXPECT_EQ(number(s, "/workspace_free_mb"), 32.0);
  EXPECT_EQ(text(s, "/kv_regime"), "\"pressured\"");
  EXPECT_EQ(text(s, "/precision_path"), "\"bf16+fp8\"");
  EXPECT_EQ(text(s, "/kernel_variant"), "\"128x256\"");  // gate_up_proj has the most work
  EXPECT_EQ(number(s, "/algo_id"), part.choices[1].tactic_id);
  EXPECT_EQ(text(s, "/collective"), "\"nvls\"");
  EXPECT_EQ(text(s, "/attention_variant"), "\"fa3 split 2\"");
  EXPECT_EQ(number(s, "/queue_ms"), 70.0);
  EXPECT_NEAR(number(s, "/comm_gb_per_s"), 100.0, 1e-2);
  EXPECT_NEAR(number(s, "/rank_skew_ms"), 0.5, 1e-9);
}

TEST(SRecords, KvRegimesAreTheArticlesThree) {
  using memory::Regime;
  const std::vector<std::pair<Regime, std::string>> expected = {
      {Regime::isolation_strict, "normal"}, {Regime::memory_evaporation, "pressured"}, {Regime::paging, "paged"},
      {Regime::memory_pressured, "pressured"}, {Regime::queue_degraded, "normal"}, {Regime::normal, "normal"}};
  for (const auto& [regime, name] : expected) {
    SRecords records(RecordMode::full, record_facts(), 1);
    records.add(in_regime(regime, step(0, 0.0, 0.1, 4)));
    EXPECT_EQ(text(parse_json(records.jsonl()), "/kv_regime"), "\"" + name + "\"");
  }
}

TEST(SRecords, PrefillAloneHasTheShapeOfItsChunks) {
  SRecords records(RecordMode::full, record_facts(), 2);
  serving::StepRecord r = step(0, 0.0, 0.1, 0, 3000);
  r.prefill_chunks = 2;
  records.add(r);
  const Json s = parse_json(records.jsonl());
  EXPECT_EQ(text(s, "/shape"), "\"q=1500,k=1500,h=64,d=8192,tp=2\"");
  EXPECT_EQ(text(s, "/req_id"), "null");
  EXPECT_EQ(text(s, "/batch_fp"), "null");
  EXPECT_EQ(text(s, "/algo_id"), "null");
}

TEST(SRecords, SamplesNowAndThenAndWhereSomethingChanges) {
  SRecords records(RecordMode::sampled, record_facts(), 1);
  for (std::uint64_t i = 0; i < 250; ++i) {
    serving::StepRecord r = step(0, 0.1 * static_cast<double>(i), 0.1 * static_cast<double>(i + 1), 4);
    r.step = i;
    if (i >= 30 && i < 33) r = in_regime(memory::Regime::paging, r);
    r.plan_switch = i >= 140 && i < 195;  // of which one in fifty is enough
    records.add(r);
  }
  std::vector<double> steps;
  for (const std::string& line : lines(records.jsonl())) steps.push_back(number(parse_json(line), "/step"));
  EXPECT_THAT(steps, ::testing::ElementsAre(0, 30, 33, 100, 150, 200));
}

TEST(MemberHash, SumsTellBatchesApart) {
  std::set<std::uint64_t> sums;
  for (std::uint64_t a = 0; a < 60; ++a) {
    for (std::uint64_t b = a + 1; b < 60; ++b) sums.insert(serving::member_hash(RequestId{a}) + serving::member_hash(RequestId{b}));
  }
  EXPECT_EQ(sums.size(), 60U * 59 / 2);
}

}  // namespace
}  // namespace brink::telemetry
