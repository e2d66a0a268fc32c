// Host logic of the decode_step group: traces, continuous batching, replay on a device whose times are a formula.
#include "kernels/attention/split_plan.h"
#include "kernels/decode_step/batcher.h"
#include "kernels/decode_step/llama_shape.h"
#include "kernels/decode_step/replay.h"
#include "kernels/decode_step/trace.h"

#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <set>
#include <sstream>

namespace brink::kernels {
namespace {

/// wall = 1 ms + 10 us per token; checks every step against the limits.
class FormulaDevice : public StepDevice {
 public:
  explicit FormulaDevice(const BatchLimits& limits) : limits_(limits) {}
  StepTimes run(const StepPlan& step, const Batcher& batcher) override {
    EXPECT_GT(step.tokens(), 0);
    EXPECT_LE(step.tokens(), limits_.tokens_max);
    EXPECT_LE(step.decodes.size() + step.prefills.size(), static_cast<std::size_t>(limits_.seats_max));
    std::set<int> blocks;
    for (const auto* entries : {&step.decodes, &step.prefills}) {
      for (const StepEntry& entry : *entries) {
        // Tokens are computed in order, without gaps, but for preempted requests that start again.
        int& computed = computed_[entry.request];
        if (entry.first == 0 && computed != 0) ++restarts;
        EXPECT_TRUE(entry.first == 0 || entry.first == computed);
        computed = entry.first + entry.count;
        EXPECT_GE(static_cast<int>(batcher.blocks(entry.request).size()), kv_blocks(computed));
        for (const int block : batcher.blocks(entry.request)) EXPECT_TRUE(blocks.insert(block).second);
      }
    }
    return {1e-3 + 1e-5 * step.tokens(), 1e-3, 0};
  }
  int restarts = 0;

 private:
  BatchLimits limits_;
  std::map<int, int> computed_;
};

TEST(Replay, OneRequestTakesItsStepsByHand) {
  const std::vector<TraceRequest> trace = {{2.0, 100, 3}};
  BatchLimits limits;
  limits.tokens_max = 60;
  FormulaDevice device(limits);
  const ReplayResult result = replay(trace, limits, device, 60);
  // Chunks of 60 and 40 tokens, then two decodes: the first token comes with the second chunk.
  ASSERT_EQ(result.steps.size(), 4u);
  EXPECT_EQ(result.steps[0].prefill_tokens, 60);
  EXPECT_EQ(result.steps[1].prefill_tokens, 40);
  EXPECT_EQ(result.steps[2].decodes, 1);
  EXPECT_EQ(result.steps[2].context_sum, 101);
  EXPECT_EQ(result.steps[3].context_sum, 102);
  EXPECT_NEAR(result.ttft_s[0], 2e-3 + 1e-5 * 100, 1e-12);
  ASSERT_EQ(result.itl_s.size(), 2u);
  EXPECT_NEAR(result.itl_s[0], 1.01e-3, 1e-12);
  EXPECT_NEAR(result.finish_s[0], 2.0 + 4e-3 + 1e-5 * 102, 1e-12);
}

TEST(Replay, DecodesRunBesideTheNextPrefill) {
  const std::vector<TraceRequest> trace = {{0.0, 10, 5}, {0.0005, 20, 2}};
  BatchLimits limits;
  FormulaDevice device(limits);
  const ReplayResult result = replay(trace, limits, device, 60);
  EXPECT_EQ(result.steps[0].prefill_tokens, 10);
  EXPECT_EQ(result.steps[1].decodes, 1);  // the second arrived during the first step
  EXPECT_EQ(result.steps[1].prefill_tokens, 20);
  EXPECT_EQ(result.steps[2].decodes, 2);
  EXPECT_EQ(result.finished, 2);
}

TEST(Replay, EveryRequestOfAPoissonTraceGivesAllItsTokens) {
  PoissonTrace spec;
  spec.rate_per_s = 40;
  spec.duration_s = 5;
  const auto trace = make_trace(spec);
  BatchLimits limits;
  limits.seats_max = 24;
  limits.tokens_max = 512;
  FormulaDevice device(limits);
  const ReplayResult result = replay(trace, limits, device, 1e9);
  EXPECT_EQ(result.finished, static_cast<int>(trace.size()));
  std::size_t tokens = 0;
  for (std::size_t i = 0; i < trace.size(); ++i) {
    tokens += static_cast<std::size_t>(trace[i].output_tokens);
    EXPECT_GT(result.ttft_s[i], 0);
    EXPECT_GE(result.finish_s[i], trace[i].arrival_s + result.ttft_s[i]);
  }
  EXPECT_EQ(result.itl_s.size(), tokens - trace.size());
  EXPECT_EQ(device.restarts, 0);
}

TEST(Replay, PreemptionRecomputesAndLosesNoToken) {
  std::vector<TraceRequest> trace;
  for (int i = 0; i < 6; ++i) trace.push_back({0.0, 40, 60});
  BatchLimits limits;
  limits.kv_blocks = 20;  // 7 blocks a finished request: all six cannot grow together
  FormulaDevice device(limits);
  const ReplayResult result = replay(trace, limits, device, 1e9);
  EXPECT_EQ(result.finished, 6);
  EXPECT_GT(result.preemptions, 0);
  EXPECT_GT(device.restarts, 0);
  EXPECT_EQ(result.itl_s.size(), 6u * 59u);
}

TEST(Replay, StopsAtTheWallLimit) {
  const std::vector<TraceRequest> trace = {{0.0, 10, 1000}};
  BatchLimits limits;
  FormulaDevice device(limits);
  const ReplayResult result = replay(trace, limits, device, 0.1);
  EXPECT_EQ(result.finished, 0);
  EXPECT_LT(result.finish_s[0], 0);
  EXPECT_NEAR(static_cast<double>(result.steps.size()), 0.1 / 1.01e-3, 2);
}

TEST(Batcher, AStepThatPreemptedAdmitsNobody) {
  const std::vector<TraceRequest> trace = {{0, 16, 20}, {0, 16, 20}, {0, 16, 20}};
  BatchLimits limits;
  limits.kv_blocks = 3;
  limits.seats_max = 3;
  Batcher batcher(limits, trace);
  for (int r = 0; r < 3; ++r) batcher.arrive(r);
  StepPlan step = batcher.plan();
  EXPECT_EQ(step.prefills.size(), 3u);  // one block each
  batcher.finish(step);
  step = batcher.plan();  // every one wants a second block: the last one gives way to the first
  EXPECT_EQ(batcher.preemptions(), 2);
  EXPECT_EQ(step.decodes.size(), 1u);
  EXPECT_TRUE(step.prefills.empty());
  EXPECT_EQ(batcher.running(), 1);
}

TEST(Batcher, BlocksComeBack) {
  const std::vector<TraceRequest> trace = {{0, 30, 2}, {0, 5, 1}};
  BatchLimits limits;
  limits.kv_blocks = 10;
  Batcher batcher(limits, trace);
  batcher.arrive(0);
  batcher.arrive(1);
  while (!batcher.idle()) batcher.finish(batcher.plan());
  EXPECT_EQ(batcher.free_blocks(), 10);
}

TEST(Batcher, RefusesWhatCanNeverRun) {
  BatchLimits limits;
  limits.kv_blocks = 4;
  EXPECT_THROW(Batcher(limits, {{0, 60, 10}}), std::invalid_argument);
  limits.kv_blocks = 100;
  limits.context_max = 64;
  EXPECT_THROW(Batcher(limits, {{0, 60, 10}}), std::invalid_argument);
}

TEST(Trace, IsKeyedByItsSeedAndHasTheRate) {
  PoissonTrace spec;
  spec.duration_s = 400;
  const auto a = make_trace(spec), b = make_trace(spec);
  ASSERT_EQ(a.size(), b.size());
  EXPECT_EQ(a.back().arrival_s, b.back().arrival_s);
  spec.seed = 2;
  EXPECT_NE(make_trace(spec).front().arrival_s, a.front().arrival_s);
  // Poisson of mean 3200: 4 deviations are 226. The seed is fixed, so never flaky; a fresh one fails 1 in 16000.
  EXPECT_NEAR(static_cast<double>(a.size()), 3200, 226);
  std::vector<double> inputs;
  for (const auto& r : a) inputs.push_back(r.input_tokens);
  EXPECT_NEAR(percentile(inputs, 50), 512, 60);
}

TEST(Trace, ReadsPlainCsvAndNamesBadLines) {
  std::istringstream good("arrival_s,input_tokens,output_tokens\n1.5,20,3\n0.5,10,2\r\n");
  const auto trace = read_trace(good);
  ASSERT_EQ(trace.size(), 2u);
  EXPECT_EQ(trace[0].arrival_s, 0.5);
  EXPECT_EQ(trace[1].output_tokens, 3);
  for (const std::string row : {"1,2", "-1,2,3", "1,0,3", "1,2,0", "nan,2,3", "1,2,3,4", "x"}) {
    std::istringstream bad("arrival_s,input_tokens,output_tokens\n0,1,1\n" + row + "\n");
    try {
      read_trace(bad);
      ADD_FAILURE() << row;
    } catch (const std::invalid_argument& error) {
      EXPECT_NE(std::string(error.what()).find("line 3"), std::string::npos) << error.what();
    }
  }
  std::istringstream headless("0,1,1\n");
  EXPECT_THROW(read_trace(headless), std::invalid_argument);
}

TEST(PaddedRows, AreTheGraphSizesOfVllm) {
  EXPECT_EQ(padded_rows(1, 512), 1);
  EXPECT_EQ(padded_rows(3, 512), 4);
  EXPECT_EQ(padded_rows(5, 512), 8);
  EXPECT_EQ(padded_rows(17, 512), 24);
  EXPECT_EQ(padded_rows(248, 512), 248);
  EXPECT_EQ(padded_rows(249, 512), 256);
  EXPECT_EQ(padded_rows(257, 512), 272);
  EXPECT_EQ(padded_rows(513, 512), 0);
  EXPECT_EQ(padded_rows(250, 248), 0);
  std::set<int> sizes;
  for (int rows = 1; rows <= 512; ++rows) sizes.insert(padded_rows(rows, 512));
  EXPECT_EQ(sizes.size(), 51u);
}

TEST(LlamaShapes, HaveTheirPublishedParameterCounts) {
  EXPECT_NEAR(static_cast<double>(llama_shape("llama-3.1-8b").weight_elements()), 8.03e9, 0.01e9);
  EXPECT_NEAR(static_cast<double>(llama_shape("llama-2-7b").weight_elements()), 6.74e9, 0.01e9);
  EXPECT_EQ(llama_shape("llama-3.1-8b").kv_bytes_per_block(), 2 << 20);
  EXPECT_THROW(llama_shape("gpt"), std::invalid_argument);
}

TEST(WeightKeys, DifferForEveryTensor) {
  std::set<std::uint64_t> seeds;
  const LlamaShape& shape = llama_shape("llama-3.1-8b");
  for (int layer = 0; layer < shape.layers; ++layer) {
    for (int w = 0; w <= static_cast<int>(Weight::head); ++w) {
      EXPECT_TRUE(seeds.insert(weight_key(shape, static_cast<Weight>(w), layer).seed).second);
    }
  }
}

TEST(Percentile, InterpolatesAsNumpyDoes) {
  EXPECT_DOUBLE_EQ(percentile({4, 1, 3, 2}, 50), 2.5);
  EXPECT_DOUBLE_EQ(percentile({1, 2, 3, 4}, 99), 3.97);
  EXPECT_DOUBLE_EQ(percentile({7}, 99), 7);
  EXPECT_DOUBLE_EQ(percentile({}, 50), 0);
}

}  // namespace
}  // namespace brink::kernels
