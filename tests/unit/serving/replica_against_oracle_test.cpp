// The O(1) replica against the oracle that keeps a block table a request: same batches, same
// preemptions, same blocks, same instants, step by step, on random traces and tiny KV pools.
#include <algorithm>
#include <cstdio>
#include <random>
#include <vector>

#include <gtest/gtest.h>

#include "tests/support/naive_replica.h"
#include "tests/support/rig.h"

namespace brink::testing {
namespace {

struct Case {
  serving::EngineConfig engine;
  std::vector<workload::Request> requests;
  FunctionCost::Function cost;
};

std::int64_t pick(std::mt19937_64& random, std::int64_t low, std::int64_t high) {
  return low + static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(high - low + 1));
}

Case random_case(std::uint64_t seed) {
  std::mt19937_64 random(seed);
  Case c;
  c.engine.block_size = std::vector<std::int64_t>{1, 2, 4, 16}[random() % 4];
  c.engine.max_num_seqs = pick(random, 1, 24);
  c.engine.max_model_len = pick(random, 8, 120);
  c.engine.async_scheduling = random() % 2 == 0;
  c.engine.chunked_prefill = random() % 4 != 0;
  c.engine.max_num_batched_tokens =
      c.engine.chunked_prefill ? std::max(c.engine.max_num_seqs, pick(random, 1, 64))
                               : std::max(c.engine.max_num_seqs, c.engine.max_model_len);
  // Room for one longest request, as the engine demands at its start, and not much more.
  const std::int64_t least = (c.engine.max_model_len + c.engine.block_size - 1) / c.engine.block_size;
  c.engine.kv_blocks = least + pick(random, 0, 2 * least);
  const std::int64_t count = pick(random, 1, 60);
  double at = 0.0;
  for (std::int64_t i = 0; i < count; ++i) {
    workload::Request r;
    r.id = RequestId{static_cast<std::uint64_t>(i)};
    // Multiples of a sixteenth: sums are exact, so simultaneous events are common and certain.
    at += static_cast<double>(pick(random, 0, 40)) / 16.0 * static_cast<double>(random() % 2);
    r.arrival = Seconds(at);
    r.input_tokens = pick(random, 1, c.engine.max_model_len - 1);
    r.output_tokens = pick(random, 1, c.engine.max_model_len - r.input_tokens);
    c.requests.push_back(r);
  }
  const int host = static_cast<int>(random() % 4);
  c.cost = [host](const cost::StepShape& s) {
    double work = 1.0 + static_cast<double>(s.step % 3) + static_cast<double>(s.decode_context % 5);
    for (const auto& chunk : s.chunks) work += static_cast<double>(chunk.tokens + chunk.context % 3);
    const double unit = 1.0 / 16.0;
    return gpu_time(Seconds(work * unit), Seconds(host == 3 ? 8.0 : host * unit), Seconds(host % 2 == 1 ? unit : 0.0));
  };
  return c;
}

void compare(const Case& c, const Recording& got, const NaiveReplica& want, const std::vector<std::vector<cost::PrefillChunk>>& chunks) {
  ASSERT_EQ(got.steps.size(), want.steps.size());
  for (std::size_t i = 0; i < want.steps.size(); ++i) {
    const auto& g = got.steps[i];
    const auto& w = want.steps[i];
    SCOPED_TRACE(::testing::Message() << "step " << i);
    ASSERT_EQ(g.step, w.number);
    ASSERT_EQ(g.end.value(), w.end);
    ASSERT_EQ(g.decode_sequences, w.decodes);
    ASSERT_EQ(g.context_tokens, w.decode_context);
    ASSERT_EQ(g.preemptions, w.preemptions);
    ASSERT_EQ(g.kv_blocks_used, w.kv_used);
    ASSERT_EQ(g.running, w.running);
    ASSERT_EQ(g.waiting, w.waiting);
    ASSERT_EQ(g.tokens_out, w.tokens_out);
    ASSERT_EQ(g.finished, w.finished);
    ASSERT_EQ(chunks[i].size(), w.chunks.size());
    for (std::size_t k = 0; k < w.chunks.size(); ++k) {
      ASSERT_EQ(chunks[i][k].tokens, w.chunks[k].tokens);
      ASSERT_EQ(chunks[i][k].context, w.chunks[k].context);
      ASSERT_EQ(chunks[i][k].last, w.chunks[k].last);
    }
  }
  ASSERT_EQ(got.requests.size(), c.requests.size());
  for (const auto& record : got.requests) {
    const NaiveRequest& w = *want.all[record.id.value];
    SCOPED_TRACE(::testing::Message() << "request " << record.id.value);
    ASSERT_EQ(record.scheduled.value(), w.scheduled);
    ASSERT_EQ(record.first_token.value(), w.first_token);
    ASSERT_EQ(record.finish.value(), w.finish);
    ASSERT_EQ(record.preemptions, w.preemptions);
    ASSERT_EQ(record.output_tokens, w.request.output_tokens);
  }
  // Every inter-token interval, those across preemptions included, as a multiset.
  std::vector<double> intervals, expected;
  for (const auto& i : got.intervals) intervals.insert(intervals.end(), static_cast<std::size_t>(i.count), i.interval.value());
  for (const auto& r : want.all) {
    for (std::size_t k = 1; k < r->token_times.size(); ++k) expected.push_back(r->token_times[k] - r->token_times[k - 1]);
  }
  std::sort(intervals.begin(), intervals.end());
  std::sort(expected.begin(), expected.end());
  ASSERT_EQ(intervals.size(), expected.size());
  for (std::size_t i = 0; i < expected.size(); ++i) ASSERT_EQ(intervals[i], expected[i]);
}

TEST(replica, does_what_the_oracle_does) {
  std::int64_t preemptions = 0, cut = 0, steps = 0;
  for (std::uint64_t seed = 0; seed < 2000; ++seed) {
    SCOPED_TRACE(::testing::Message() << "seed " << seed);
    const Case c = random_case(seed);
    NaiveReplica oracle(c.engine, c.cost);
    oracle.run(c.requests);
    std::vector<std::vector<cost::PrefillChunk>> chunks;
    Rig rig;
    rig.engine = c.engine;
    rig.cost = [&](std::size_t) {
      return [&](const cost::StepShape& s) {
        chunks.emplace_back(s.chunks.begin(), s.chunks.end());
        return c.cost(s);
      };
    };
    const Recording got = run_fake(rig, c.requests);
    compare(c, got, oracle, chunks);
    if (HasFatalFailure()) return;
    for (const auto& s : oracle.steps) {
      preemptions += s.preemptions;
      for (const auto& chunk : s.chunks) cut += chunk.last ? 0 : 1;
    }
    steps += static_cast<std::int64_t>(oracle.steps.size());
  }
  std::printf("[          ] %lld steps, %lld preemptions, %lld cut prefills\n", static_cast<long long>(steps),
              static_cast<long long>(preemptions), static_cast<long long>(cut));
  // The cases must reach what they are meant to test.
  EXPECT_GT(preemptions, 1000);
  EXPECT_GT(cut, 1000);
}

}  // namespace
}  // namespace brink::testing
