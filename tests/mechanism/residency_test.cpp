// Identical shapes, different step times: a step of the same sequences and contexts takes less time where they read one
// prompt's KV that L2 holds, and the same time everywhere else.
#include <gtest/gtest.h>

#include <cmath>
#include <tuple>

#include "tests/support/shipped_run.h"

namespace brink::test {
namespace {

const std::string scenario = "pathology_residency";
const ShippedRun::Settings unique_prompts = {R"(/workload/prompts={"kind": "unique"})"};
const ShippedRun::Settings model_70b = {R"(/model="../models/llama-3.1-70b.json")", "/engine/tensor_parallel_size=8"};
// 100 MB of KV a layer and sequence: twice what L2 holds.
const ShippedRun::Settings long_prompts = {"/workload/input_tokens/value=24576", "/workload/arrivals/concurrency=8", "/workload/num_requests=32",
                                           "/engine/max_num_batched_tokens=196608"};
// Between two uses of a prompt the KV of eight sequences passes: again 100 MB.
const ShippedRun::Settings many_prompts = {"/workload/prompts/size=8"};
// Answers end one by one: the pool is carved up, blocks are scattered.
const ShippedRun::Settings ragged = {R"(/workload/output_tokens={"kind": "uniform", "low": 60, "high": 200})"};

/// How far step times of one shape lie apart: (largest / smallest - 1), the most over all shapes that occurred twice.
/// Shape: sequences, their mean context to a token, and padded tokens, in steps that only decode.
struct Spread {
  double largest = 0.0;
  std::size_t shapes = 0;
};

Spread spread(const ShippedRun::Settings& settings) {
  const ShippedRun run(scenario, settings);
  std::map<std::tuple<std::int64_t, std::int64_t, std::int64_t>, std::vector<double>> times;
  for (const Json& step : run.lines("steps.jsonl")) {
    const std::int64_t sequences = integer(step, "decode_sequences");
    if (sequences == 0 || integer(step, "prefill_tokens") > 0) continue;
    const std::int64_t context = std::llround(number(step, "context_tokens") / static_cast<double>(sequences));
    times[{sequences, context, integer(step, "padded_tokens")}].push_back(number(step, "compute_ms"));
  }
  Spread out;
  for (const auto& [shape, of_shape] : times) {
    if (of_shape.size() < 2) continue;
    ++out.shapes;
    const auto [low, high] = std::minmax_element(of_shape.begin(), of_shape.end());
    out.largest = std::max(out.largest, *high / *low - 1.0);
  }
  return out;
}

ShippedRun::Settings both(ShippedRun::Settings a, const ShippedRun::Settings& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

TEST(Residency, SharedPrefixMakesStepTimesDiffer) {
  const Spread shared = spread({});
  EXPECT_GT(shared.shapes, 100U);
  EXPECT_GT(shared.largest, 0.05);
}

TEST(Residency, UniquePromptsDoNot) {
  for (const ShippedRun::Settings& more : {ShippedRun::Settings{}, ragged}) {
    const Spread apart = spread(both(unique_prompts, more));
    EXPECT_GT(apart.shapes, 50U);
    EXPECT_LT(apart.largest, 0.005);
  }
}

TEST(Residency, NorPrefixesBeyondL2) {
  for (const ShippedRun::Settings& more : {long_prompts, many_prompts}) {
    const Spread beyond = spread(more);
    EXPECT_GT(beyond.shapes, 50U);
    EXPECT_LT(beyond.largest, 0.005);
  }
}

// The weights of 70B pass between two uses of a block; only what one step reads twice can be found in L2.
TEST(Residency, Below05PercentFor70B) {
  for (const ShippedRun::Settings& more : {ShippedRun::Settings{}, ragged}) {
    const Spread apart = spread(both(both(unique_prompts, model_70b), more));
    EXPECT_GT(apart.shapes, 50U);
    EXPECT_LT(apart.largest, 0.005);
  }
  const Spread shared = spread(model_70b);
  EXPECT_GT(shared.largest, 0.01);
  EXPECT_LT(shared.largest, spread({}).largest);
}

}  // namespace
}  // namespace brink::test
