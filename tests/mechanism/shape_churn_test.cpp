// Shape churn: which GEMM tactic runs follows the number of tokens of a step. Under steady shapes one tactic runs nearly
// always, under mixed load none does.
#include <gtest/gtest.h>

#include "tests/support/shipped_run.h"

namespace brink::test {
namespace {

/// 64 requests of one length at a time: all start, and so end, together.
ShippedRun::Settings steady_shapes(int concurrency = 64) {
  const std::string n = std::to_string(concurrency), three = std::to_string(3 * concurrency);
  return {R"(/workload={"arrivals": {"kind": "closed_loop", "concurrency": )" + n + R"(}, "num_requests": )" + three +
          R"(, "input_tokens": {"kind": "fixed", "value": 512}, "output_tokens": {"kind": "fixed", "value": 400}})"};
}

/// Share of the most frequent tactic, by operator; GEMMs only.
std::map<std::string, double> modal_shares(const ShippedRun& run) {
  std::map<std::string, double> out;
  for (const Json& op : at_pointer(run.summary, "/plans/operators")->items()) {
    if (op.find("kind")->as_string() == "gemm") out[op.find("operator")->as_string()] = number(op, "modal_share");
  }
  return out;
}

void expect_churn(const ShippedRun& mixed, const ShippedRun& steady) {
  const auto churned = modal_shares(mixed), calm = modal_shares(steady);
  ASSERT_EQ(churned.size(), 5U);  // qkv, o, gate and up, down, head
  for (const auto& [op, share] : churned) EXPECT_LE(share, 0.80) << op;
  for (const auto& [op, share] : calm) EXPECT_GE(share, 0.95) << op;
  EXPECT_GT(mixed.at("/plans/switches_per_s"), 5.0 * steady.at("/plans/switches_per_s"));
  // Rows that pad tiles, and waves that are not full, are what the switches cost.
  EXPECT_LT(mixed.at("/plans/efficiency/tile_mean"), steady.at("/plans/efficiency/tile_mean") - 0.05);
}

TEST(ShapeChurn, MixedLoadHasNoModalTactic) { expect_churn(ShippedRun("pathology_shape_churn"), ShippedRun("pathology_shape_churn", steady_shapes())); }

// Nothing of it belongs to one model.
TEST(ShapeChurn, OnASmallModelToo) {
  const ShippedRun::Settings small = {R"(/model="../models/llama-3.1-8b.json")", "/engine/tensor_parallel_size=1"};
  ShippedRun::Settings steady = steady_shapes();
  steady.insert(steady.end(), small.begin(), small.end());
  ShippedRun::Settings mixed = small;
  mixed.push_back("/workload/arrivals/rate_per_s=20");  // more fits, and batches of less than ten share their widest layer's tactic
  expect_churn(ShippedRun("pathology_shape_churn", mixed), ShippedRun("pathology_shape_churn", steady));
}

// A batch of 17 runs padded to 24: sizes that share a CUDA graph share every GEMM tactic.
TEST(ShapeChurn, PaddingHidesNeighbouringSizes) {
  const ShippedRun seventeen("pathology_shape_churn", steady_shapes(17)), twenty("pathology_shape_churn", steady_shapes(20));
  const auto tactic = [](const ShippedRun& run, const std::string& name) {
    for (const Json& op : at_pointer(run.summary, "/plans/operators")->items()) {
      if (op.find("operator")->as_string() == name) return op.find("modal_tactic")->as_string();
    }
    return std::string();
  };
  for (const char* op : {"qkv_proj", "o_proj", "gate_up_proj", "down_proj"}) EXPECT_EQ(tactic(seventeen, op), tactic(twenty, op)) << op;
}

}  // namespace
}  // namespace brink::test
