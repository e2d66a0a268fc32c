// What a scenario that says little means, and that it says so itself.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "models/base/sha256.h"
#include "sim/scenario/provenance.h"
#include "sim/scenario/scenario.h"
#include "tests/unit/scenario/base_scenario.h"

namespace brink::scenario {
namespace {

Scenario with(const std::vector<std::string>& settings) {
  return read_scenario(test::good_scenario(), test::base_dir, settings);
}

TEST(Defaults, AreVllmsOfALargeCard) {
  const Scenario s = with({"/engine=null", "/output=null"});
  const memory::EngineMemory& m = s.engine.memory;
  EXPECT_EQ(s.engine.name, "vllm");
  EXPECT_EQ(m.tensor_parallel_size, 1);
  EXPECT_EQ(m.data_parallel_size, 1);
  EXPECT_EQ(m.max_num_seqs, 1024);
  EXPECT_EQ(m.max_num_batched_tokens, 8192);
  EXPECT_EQ(m.max_model_len, 131072);
  EXPECT_EQ(m.block_size, 16);
  EXPECT_EQ(m.gpu_memory_utilization, 0.9);
  EXPECT_FALSE(m.num_gpu_blocks_override.has_value());
  EXPECT_TRUE(s.engine.chunked_prefill);
  EXPECT_TRUE(s.engine.prefix_caching);
  EXPECT_TRUE(s.engine.async_scheduling);
  EXPECT_FALSE(s.engine.enforce_eager);
  EXPECT_EQ(s.engine.dtype, "bfloat16");
  EXPECT_EQ(s.router, "round_robin");
  EXPECT_TRUE(s.output.requests);
  EXPECT_FALSE(s.output.steps);
  EXPECT_FALSE(s.output.timeline);
  EXPECT_TRUE(s.output.timeseries);
  EXPECT_TRUE(std::isnan(s.slo.ttft_p99_ms));
  EXPECT_EQ(s.warmup, Seconds(0.0));
}

TEST(Defaults, BatchLimitsFollowEachOther) {
  // Fewer tokens than the default number of seats: the seats give way, as in vLLM.
  EXPECT_EQ(with({"/engine/max_num_seqs=null", "/engine/max_num_batched_tokens=512"}).engine.memory.max_num_seqs, 512);
  // Without chunks a step has to hold the longest prompt.
  EXPECT_EQ(with({"/engine/enable_chunked_prefill=false"}).engine.memory.max_num_batched_tokens, 131072);
  // No step holds more than all seats at full length.
  EXPECT_EQ(with({"/engine/max_num_seqs=2", "/engine/max_model_len=1000"}).engine.memory.max_num_batched_tokens, 2000);
}

TEST(Defaults, AsyncSchedulingCameWith014) {
  EXPECT_FALSE(with({"/engine/version=\"0.13.2\""}).engine.async_scheduling);
  EXPECT_TRUE(with({"/engine/version=\"0.14\""}).engine.async_scheduling);
  EXPECT_TRUE(with({"/engine/version=\"1.0\""}).engine.async_scheduling);
  EXPECT_FALSE(with({"/engine/version=\"0.15\"", "/engine/async_scheduling=false"}).engine.async_scheduling);
}

TEST(Defaults, VersionsAreComparedByNumber) {
  EXPECT_EQ(parse_engine_version("0.15.1", "/v"), (EngineVersion{0, 15, 1}));
  EXPECT_LT(parse_engine_version("0.9", "/v"), parse_engine_version("0.10", "/v"));
}

TEST(Resolved, ReadsBackAsTheSame) {
  const Scenario first = with({"/slo={\"ttft_p99_ms\": 500}", "/measure={\"warmup_s\": 1}"});
  const std::string text = resolved(first).dump(2);
  const Scenario second = read_scenario(parse_json(text), test::base_dir);
  EXPECT_EQ(resolved(second).dump(2), text);
}

// Every section at once: what is filled in for each is read back as it was written.
TEST(Resolved, ReadsBackWithEverySection) {
  const std::vector<std::string> settings = {
      "/engine/data_parallel_size=2", "/engine/tensor_parallel_size=2", "/engine/attention_backend=fa2", "/engine/workspace_mib=1.5",
      "/engine/dynamic_workspace=true", "/engine/per_rank_allocator=true", "/engine/batch_invariant=true", "/engine/autotune=true",
      "/workload/tenants={\"weights\": [2, 1]}", "/control={\"policy\": \"aimd\", \"calm_ms\": 20}",
      "/shaping={\"policy\": \"latency_guard\", \"input_tokens_max\": 900, \"keep\": \"ends\", \"head_tokens\": 100}",
      "/security={\"isolation\": \"replica\", \"confidential\": true}",
      R"(/conditions=[{"kind": "slow_rank", "rank": 1, "factor": 1.2}, {"kind": "stall", "rank": "all", "extra_ms": 1, "period_s": 2, "duty": 0.5},
                      {"kind": "jitter", "name": "host"}, {"kind": "throttle", "rank": 0, "power_cap_w": 400}, {"kind": "gpu_spread"},
                      {"kind": "replication"}, {"kind": "checkpoint", "coordination": "budget"}])",
      R"(/hypotheses={"isr_threshold_512": true, "spills_at_run_time": {"gain": 0.1}, "scalar_fp16_at_17": true})",
      R"(/observe={"drift": false})", R"(/regimes={"pins": "withheld"})", R"(/drift={"changed_share": 0.02, "delta_shape": "exponential"})",
      R"(/output={"records": "sampled", "ledger": false})"};
  const Scenario first = with(settings);
  const std::string text = resolved(first).dump(2);
  EXPECT_EQ(resolved(read_scenario(parse_json(text), test::base_dir)).dump(2), text);
  EXPECT_EQ(first.conditions.size(), 7U);
  EXPECT_EQ(first.hypotheses.active().size(), 3U);
  EXPECT_EQ(first.engine.workspace, mib(1.5));
}

TEST(Defaults, WhatIsFollowed) {
  const Scenario all = with({}), unplanned = with({"/observe={\"plans\": false}"});
  EXPECT_TRUE(all.observe.plans && all.observe.regimes && all.observe.drift && all.output.ledger);
  EXPECT_EQ(all.output.records, telemetry::RecordMode::none);
  EXPECT_FALSE(unplanned.observe.drift) << "drift follows from plans";
  EXPECT_TRUE(unplanned.observe.regimes);
  EXPECT_TRUE(all.conditions.empty() && all.hypotheses.active().empty());
  EXPECT_FALSE(all.control.active() || all.shaping.active() || all.security.active());
  // The catalogue of tactics that the cluster's GPU names, unless another one is given.
  EXPECT_FALSE(all.gemm_tactics.families.empty());
  EXPECT_EQ(with({"/tactics=../../configs/tactics/h100_cublaslt.json"}).gemm_tactics.name, all.gemm_tactics.name);
}

TEST(Resolved, DoesNotDependOnTheOrderOfKeys) {
  Json shuffled = test::good_scenario();
  std::reverse(shuffled.members().begin(), shuffled.members().end());
  for (Json::Member& member : shuffled.members()) {
    if (member.second.is_object()) std::reverse(member.second.members().begin(), member.second.members().end());
  }
  const Scenario a = with({}), b = read_scenario(shuffled, test::base_dir);
  EXPECT_EQ(resolved(a).dump(2), resolved(b).dump(2));
  EXPECT_EQ(provenance(a).dump(2), provenance(b).dump(2));
}

TEST(Resolved, AnInlinePartEqualsItsFile) {
  Json inline_model = test::good_scenario();
  inline_model.set("model", load_json(std::string(BRINK_SOURCE_DIR) + "/configs/models/llama-3.1-8b.json"));
  inline_model.set("profile", load_json(test::base_dir + "/profile.json"));
  const Scenario a = with({}), b = read_scenario(inline_model, test::base_dir);
  EXPECT_EQ(a.budget.kv_blocks, b.budget.kv_blocks);
  EXPECT_EQ(transformer::parameter_count(a.inputs.model), transformer::parameter_count(b.inputs.model));
}

TEST(Settings, AreAppliedInOrderAndTakePlainText) {
  EXPECT_EQ(with({"/engine/max_num_seqs=8", "/engine/max_num_seqs=9"}).engine.memory.max_num_seqs, 9);
  EXPECT_EQ(with({"/routing/policy=vllm_score"}).router, "vllm_score");  // not JSON: a string
  EXPECT_EQ(with({"/name=\"quoted\""}).name, "quoted");
  EXPECT_EQ(with({"/slo/ttft_p99_ms=250"}).slo.ttft_p99_ms, 250.0);  // missing objects are made
  EXPECT_EQ(with({"/engine/max_num_seqs=null"}).engine.memory.max_num_seqs, 1024);  // null: not given
  EXPECT_THROW((void)with({"engine/max_num_seqs=8"}), ConfigError);
  EXPECT_THROW((void)with({"/engine/max_num_seqs"}), ConfigError);
  EXPECT_THROW((void)with({"/name/first=x"}), ConfigError);  // a scalar has no members
}

TEST(Settings, TheSeedOfTheCallWins) {
  EXPECT_EQ(read_scenario(test::good_scenario(), test::base_dir, {"/seed=5"}).seed, 5U);
  EXPECT_EQ(read_scenario(test::good_scenario(), test::base_dir, {"/seed=5"}, 7).seed, 7U);
}

TEST(Provenance, NamesEveryInputByItsContent) {
  const Json facts = provenance(with({}));
  for (const char* role : {"model", "cluster", "gpu", "profile"}) {
    const Json* digest = at_pointer(facts, std::string("/inputs_sha256/") + role);
    ASSERT_NE(digest, nullptr) << role;
    EXPECT_EQ(digest->as_string().size(), 64U);
  }
  EXPECT_EQ(at_pointer(facts, "/inputs_sha256/profile")->as_string(), sha256_of_file(test::base_dir + "/profile.json"));
  EXPECT_EQ(facts.dump().find(BRINK_SOURCE_DIR), std::string::npos) << "no folder of this machine";
}

}  // namespace
}  // namespace brink::scenario
