#include "sim/policy/fcfs_batcher.h"

#include <vector>

#include <gtest/gtest.h>

namespace brink::policy {
namespace {

struct Queue final : IWaitingQueue {
  explicit Queue(std::vector<std::int64_t> t, std::vector<std::int64_t> c = {}) : wanted(std::move(t)), hits(std::move(c)) {
    hits.resize(wanted.size(), 0);
  }
  [[nodiscard]] std::int64_t size() const override { return static_cast<std::int64_t>(wanted.size()); }
  [[nodiscard]] std::int64_t tokens(std::int64_t i) const override { return wanted[static_cast<std::size_t>(i)]; }
  [[nodiscard]] std::int64_t cached(std::int64_t i) const override { return hits[static_cast<std::size_t>(i)]; }
  std::vector<std::int64_t> wanted, hits;
};

BatchView view(const Queue& queue) {
  BatchView v;
  v.token_budget = 100;
  v.seats = 8;
  v.free_blocks = 1000;
  v.block_size = 16;
  v.waiting = &queue;
  return v;
}

BatchDecision plan(const BatchView& v) {
  BatchDecision decision;
  FcfsBatcher().plan(v, decision);
  return decision;
}

using Chunks = std::vector<std::int64_t>;

TEST(fcfs_batcher, fills_the_budget_and_cuts_the_last) {
  const Queue queue({40, 50, 60, 1});
  EXPECT_EQ(plan(view(queue)).admit_chunks, (Chunks{40, 50, 10}));
}

TEST(fcfs_batcher, decodes_and_the_cut_prefill_come_first) {
  const Queue queue({40, 50});
  BatchView v = view(queue);
  v.running = v.decode_sequences = 6;
  v.running = 7;
  v.partial_tokens = 70;
  v.partial_context = 16;
  const BatchDecision d = plan(v);
  EXPECT_EQ(d.partial_chunk, 70);
  EXPECT_EQ(d.admit_chunks, (Chunks{24})) << "one seat, and 100 - 6 - 70 tokens";
  v.partial_tokens = 500;
  EXPECT_EQ(plan(v).partial_chunk, 94);
  EXPECT_TRUE(plan(v).admit_chunks.empty());
}

TEST(fcfs_batcher, nobody_overtakes_one_that_lacks_blocks) {
  const Queue queue({33, 1});
  BatchView v = view(queue);
  v.free_blocks = 2;  // 33 tokens need 3
  EXPECT_TRUE(plan(v).admit_chunks.empty());
  v.free_blocks = 3;
  EXPECT_EQ(plan(v).admit_chunks, (Chunks{33}));
  v.free_blocks = 4;
  EXPECT_EQ(plan(v).admit_chunks, (Chunks{33, 1}));
}

TEST(fcfs_batcher, the_cut_prefill_takes_its_blocks_first) {
  const Queue queue({16});
  BatchView v = view(queue);
  v.running = 1;
  v.partial_tokens = 17;
  v.partial_context = 15;  // 15 -> 32 tokens: one block more
  v.free_blocks = 1;
  EXPECT_EQ(plan(v).partial_chunk, 17);
  EXPECT_TRUE(plan(v).admit_chunks.empty());
  v.free_blocks = 2;
  EXPECT_EQ(plan(v).admit_chunks, (Chunks{16}));
}

TEST(fcfs_batcher, cached_tokens_need_blocks_but_no_budget) {
  const Queue queue({1, 90}, {320, 0});
  BatchView v = view(queue);
  v.free_blocks = 21 + 6;  // (320 + 1)/16 and 90/16, rounded up
  EXPECT_EQ(plan(v).admit_chunks, (Chunks{1, 90}));
  v.free_blocks = 20;
  EXPECT_TRUE(plan(v).admit_chunks.empty());
}

TEST(fcfs_batcher, a_step_that_preempted_admits_nobody) {
  const Queue queue({4});
  BatchView v = view(queue);
  v.preempted = true;
  EXPECT_TRUE(plan(v).admit_chunks.empty());
}

TEST(fcfs_batcher, whole_prompts_without_chunking) {
  const Queue queue({60, 50, 1});
  BatchView v = view(queue);
  v.chunked_prefill = false;
  EXPECT_EQ(plan(v).admit_chunks, (Chunks{60}));
}

TEST(fcfs_batcher, seats_limit_admission) {
  const Queue queue({1, 1, 1, 1});
  BatchView v = view(queue);
  v.running = 6;
  EXPECT_EQ(plan(v).admit_chunks, (Chunks{1, 1}));
  v.running = 8;
  EXPECT_TRUE(plan(v).admit_chunks.empty());
}

}  // namespace
}  // namespace brink::policy
