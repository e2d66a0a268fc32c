// /disaggregation: how pools inherit from /engine, where they are placed, and what is refused.
#include "sim/scenario/read_disaggregation.h"

#include <gtest/gtest.h>

#include <set>

#include "sim/scenario/scenario.h"
#include "tests/support/config_error.h"
#include "tests/unit/scenario/base_scenario.h"

namespace brink::scenario {
namespace {

Json disaggregated() {
  Json json = test::good_scenario();
  set_at_pointer(json, "/cluster", Json("../../configs/clusters/nd_h100_v5_4node.json"));
  set_at_pointer(json, "/engine", parse_json(R"({"max_num_seqs": 64, "max_model_len": 8192})"));
  set_at_pointer(json, "/disaggregation", parse_json(R"({
    "prefill": {"replicas": 2, "tensor_parallel_size": 8, "max_num_batched_tokens": 4096},
    "decode": {"replicas": 4, "tensor_parallel_size": 4, "max_num_seqs": 256}})"));
  return json;
}

Scenario read(const Json& json) { return read_scenario(json, test::base_dir); }

TEST(read_disaggregation, pools_take_the_engine_and_replace_what_they_give) {
  const Scenario scenario = read(disaggregated());
  ASSERT_TRUE(scenario.disaggregation);
  const DisaggregationSettings& d = *scenario.disaggregation;
  EXPECT_EQ(d.prefill.engine.memory.max_num_seqs, 64);
  EXPECT_EQ(d.prefill.engine.memory.max_num_batched_tokens, 4096);
  EXPECT_EQ(d.prefill.engine.memory.data_parallel_size, 2);
  EXPECT_EQ(d.decode.engine.memory.max_num_seqs, 256);
  EXPECT_EQ(d.decode.engine.memory.tensor_parallel_size, 4);
  EXPECT_EQ(d.replicas(), 6);
  EXPECT_TRUE(d.by_layer);
  EXPECT_TRUE(d.whole_blocks);
  // Half the ranks hold twice the heads.
  EXPECT_DOUBLE_EQ(d.decode.budget.kv_block.value(), 2.0 * d.prefill.budget.kv_block.value());
  EXPECT_FALSE(scenario.observe.drift);
}

TEST(read_disaggregation, what_is_resolved_reads_back_to_the_same) {
  const Json once = resolved(read(disaggregated()));
  EXPECT_EQ(resolved(read(once)).dump(), once.dump());
}

TEST(read_disaggregation, absent_is_null) {
  EXPECT_TRUE(at_pointer(resolved(read(test::good_scenario())), "/disaggregation")->is_null());
}

TEST(read_disaggregation, pools_share_no_gpu_and_fill_nodes_in_turn) {
  Json json = disaggregated();
  const Scenario scenario = read(json);
  const auto places = place_pools(*scenario.disaggregation, scenario.inputs.cluster);
  std::set<fabric::GpuPlace> all;
  for (const auto& ranks : places) all.insert(ranks.begin(), ranks.end());
  EXPECT_EQ(all.size(), 32U);
  EXPECT_EQ(places[2].front(), (fabric::GpuPlace{2, 0}));
  EXPECT_EQ(places[3].front(), (fabric::GpuPlace{2, 4}));
  // Half a node each.
  set_at_pointer(json, "/cluster", Json("../../configs/clusters/nd_h100_v5_1node.json"));
  set_at_pointer(json, "/disaggregation/prefill", parse_json(R"({"replicas": 1, "tensor_parallel_size": 4})"));
  set_at_pointer(json, "/disaggregation/decode", parse_json(R"({"replicas": 2, "tensor_parallel_size": 2})"));
  const Scenario half = read(json);
  const auto shared = place_pools(*half.disaggregation, half.inputs.cluster);
  EXPECT_EQ(shared[1].front(), (fabric::GpuPlace{0, 4}));
  EXPECT_EQ(shared[2].front(), (fabric::GpuPlace{0, 6}));
}

class BadDisaggregation : public ::testing::TestWithParam<brink::test::BadField> {};

TEST_P(BadDisaggregation, IsRefusedAtItsField) {
  const brink::test::BadField& bad = GetParam();
  brink::test::expect_config_error([&] { (void)read(brink::test::with_bad_field(disaggregated(), bad)); }, bad.pointer, bad.message);
}

const std::string d = "/disaggregation";

INSTANTIATE_TEST_SUITE_P(
    Table, BadDisaggregation,
    ::testing::Values(
        brink::test::BadField{"/engine/data_parallel_size", "2", "/engine/data_parallel_size",
                       "got the integer 2; allowed: 1, or nothing, with /disaggregation: prefill and decode have their own replicas"},
        brink::test::BadField{d + "/prefill/data_parallel_size", "2", d + "/prefill/data_parallel_size", "got the integer 2; allowed: replicas in its place"},
        brink::test::BadField{d + "/decode/replicas", "5", d + "/decode/replicas",
                       "got 5; allowed: at most 4: the cluster's 32 GPUs less the 16 of the prefill pool hold that many of 4 ranks"},
        brink::test::BadField{d + "/decode/block_size", "32", d + "/decode/block_size", "got 32; allowed: 16, as in the prefill pool: its KV is read here"},
        brink::test::BadField{d + "/decode/max_model_len", "4096", d + "/decode/max_model_len",
                       "got 4096; allowed: 8192, as in the prefill pool: its KV is read here"},
        brink::test::BadField{"/observe", R"({"drift": true})", "/observe/drift",
                       "got true; allowed: false: answers are not followed from one replica to another with /disaggregation"},
        brink::test::BadField{"/shaping", R"({"policy": "latency_guard", "input_tokens_max": 100})", "/shaping/policy", "got the string \"latency_guard\"; allowed: none with /disaggregation"},
        brink::test::BadField{"/conditions", R"([{"kind": "replication"}])", "/conditions/0/kind",
                       "got the string \"replication\"; allowed: kinds that do not keep KV blocks of requests that move on with /disaggregation"}));

TEST(read_disaggregation, what_is_missing_or_misspelt_names_its_place) {
  using Case = std::tuple<std::string, std::string, std::string>;
  for (const auto& [field, value, pointer] :
       {Case{d + "/prefill/replicas", "", d + "/prefill/replicas"}, Case{d + "/decode", "", d + "/decode"},
        Case{d + "/decode/tensor_paralel_size", "4", d + "/decode/tensor_paralel_size"},
        Case{d + "/transfer", R"({"overlap": "block"})", d + "/transfer/overlap"}, Case{d + "/prefil", "{}", d + "/prefil"},
        Case{d + "/prefill/tensor_parallel_size", "3", d + "/prefill/tensor_parallel_size"},
        Case{d + "/decode/replicas", "0", d + "/decode/replicas"}}) {
    try {
      (void)read(brink::test::with_bad_field(disaggregated(), {field, value, "", ""}));
      ADD_FAILURE() << field << " is accepted";
    } catch (const ConfigError& error) {
      EXPECT_EQ(error.pointer(), pointer) << error.what();
    }
  }
}

}  // namespace
}  // namespace brink::scenario
