// Batching worked out by hand: every step takes one second, so instants are step counts.
#include <vector>

#include <gtest/gtest.h>

#include "tests/support/rig.h"

namespace brink::testing {
namespace {

Rig one_second_steps(bool async = false) {
  Rig rig;
  rig.engine.max_num_seqs = 8;
  rig.engine.max_num_batched_tokens = 64;
  rig.engine.max_model_len = 512;
  rig.engine.block_size = 4;
  rig.engine.kv_blocks = 1024;
  rig.engine.async_scheduling = async;
  rig.cost = [](std::size_t) { return [](const cost::StepShape&) { return gpu_time(Seconds(1.0)); }; };
  return rig;
}

workload::Request request(double at, std::int64_t input, std::int64_t output) {
  return {RequestId{}, Seconds(at), input, output};
}

void expect_times(const serving::RequestRecord& r, double queued, double scheduled, double first, double finish) {
  SCOPED_TRACE(::testing::Message() << "request " << r.id.value);
  EXPECT_EQ(r.queued.value(), queued);
  EXPECT_EQ(r.scheduled.value(), scheduled);
  EXPECT_EQ(r.first_token.value(), first);
  EXPECT_EQ(r.finish.value(), finish);
  EXPECT_EQ(r.outcome, serving::Outcome::completed);
}

TEST(batching, one_request_one_token_a_step) {
  const auto got = run_fake(one_second_steps(), {request(2.0, 10, 5)});
  expect_times(got.request(0), 2, 2, 3, 7);
  ASSERT_EQ(got.steps.size(), 5U);
  EXPECT_EQ(got.steps[0].prefill_tokens, 10);
  EXPECT_EQ(got.steps[1].context_tokens, 11) << "ten prompt tokens and the one being read";
  EXPECT_EQ(got.steps[4].context_tokens, 14);
  EXPECT_EQ(got.steps[3].kv_blocks_used, 4);  // 13 tokens
  EXPECT_EQ(got.steps[4].kv_blocks_used, 0);
  EXPECT_EQ(got.intervals.size(), 4U);
}

TEST(batching, one_token_answers_end_with_their_prefill) {
  const auto got = run_fake(one_second_steps(), {request(0, 10, 1), request(0, 7, 1)});
  for (const std::uint64_t id : {0U, 1U}) expect_times(got.request(id), 0, 0, 1, 1);
  ASSERT_EQ(got.steps.size(), 1U);
  EXPECT_EQ(got.steps[0].tokens_out, 2);
  EXPECT_EQ(got.steps[0].running, 0);
}

TEST(batching, a_newcomer_waits_for_the_step_under_way) {
  const auto got = run_fake(one_second_steps(), {request(0, 4, 4), request(0.5, 4, 2), request(2.0, 4, 1)});
  expect_times(got.request(0), 0, 0, 1, 4);
  expect_times(got.request(1), 0.5, 1, 2, 3);
  expect_times(got.request(2), 2, 2, 3, 3);  // at the very end of a step: seen by the next
}

// Two batches are in flight: one that arrives during batch k (of a busy pipeline) is in k + 2.
TEST(batching, asynchronous_newcomer_joins_one_step_later) {
  const auto got = run_fake(one_second_steps(true), {request(0, 4, 6), request(0.5, 4, 2)});
  // Batches of request 0 end at 1..6. At 0 batches 0 and 1 are formed; 0.5 is past both; at 1 batch 2 takes it.
  expect_times(got.request(0), 0, 0, 1, 6);
  expect_times(got.request(1), 0.5, 1, 3, 4);
}

TEST(batching, host_work_is_serial_when_synchronous_and_hidden_when_not) {
  for (const bool async : {false, true}) {
    Rig rig = one_second_steps(async);
    rig.cost = [](std::size_t) {
      return [](const cost::StepShape&) { return gpu_time(Seconds(1.0), Seconds(0.25), Seconds(0.125)); };
    };
    const auto got = run_fake(rig, {request(0, 4, 5)});
    // Synchronous: (0.25 + 1 + 0.125) a step. Asynchronous: the GPU runs back to back.
    EXPECT_EQ(got.request(0).finish.value(), async ? 0.25 + 5 * 1.0 + 0.125 : 5 * 1.375);
  }
}

TEST(batching, host_work_longer_than_the_gpu_sets_the_pace) {
  Rig rig = one_second_steps(true);
  rig.cost = [](std::size_t) { return [](const cost::StepShape&) { return gpu_time(Seconds(1.0), Seconds(2.0), Seconds(0.5)); }; };
  const auto got = run_fake(rig, {request(0, 4, 12)});
  // In the long run a step is the host's 2.0 + 0.5, the GPU's second hides behind it.
  const auto& steps = got.steps;
  EXPECT_EQ((steps[10].end - steps[5].end).value(), 5 * 2.5);
}

TEST(batching, a_long_prompt_is_cut_over_steps) {
  const auto got = run_fake(one_second_steps(), {request(0, 150, 2), request(0, 30, 2)});
  // 64 + 64 + 22 and, in the third step, 30 of the second.
  ASSERT_EQ(got.steps.size(), 4U);
  EXPECT_EQ(got.steps[0].prefill_tokens, 64);
  EXPECT_EQ(got.steps[1].prefill_tokens, 64);
  EXPECT_EQ(got.steps[2].prefill_tokens, 52);
  EXPECT_EQ(got.steps[2].prefill_chunks, 2);
  expect_times(got.request(0), 0, 0, 3, 4);
  expect_times(got.request(1), 0, 2, 3, 4);
}

TEST(batching, decodes_take_their_tokens_off_the_budget) {
  Rig rig = one_second_steps();
  rig.engine.max_num_batched_tokens = 8;
  const auto got = run_fake(rig, {request(0, 2, 9), request(0, 2, 9), request(1, 12, 1)});
  // From 1 on, two decodes leave six tokens a step: 12 = 6 + 6.
  expect_times(got.request(2), 1, 1, 3, 3);
  EXPECT_EQ(got.steps[1].prefill_tokens, 6);
}

TEST(batching, seats_admit_as_they_are_left) {
  Rig rig = one_second_steps();
  rig.engine.max_num_seqs = 2;
  const auto got = run_fake(rig, {request(0, 1, 3), request(0, 1, 5), request(0, 1, 2), request(0, 1, 1)});
  expect_times(got.request(0), 0, 0, 1, 3);
  expect_times(got.request(1), 0, 0, 1, 5);
  expect_times(got.request(2), 0, 3, 4, 5);
  expect_times(got.request(3), 0, 5, 6, 6);
}

TEST(batching, blocks_admit_as_they_come_back) {
  Rig rig = one_second_steps();
  rig.engine.max_model_len = 16;
  rig.engine.kv_blocks = 4;
  const auto got = run_fake(rig, {request(0, 12, 4), request(0, 5, 1)});
  // 12 tokens hold 3 blocks, 4 from the 13th on; the other needs 2.
  expect_times(got.request(0), 0, 0, 1, 4);
  expect_times(got.request(1), 0, 4, 5, 5);
  for (const auto& s : got.steps) EXPECT_EQ(s.preemptions, 0);
}

TEST(batching, the_last_to_come_gives_way_and_is_first_in_line_again) {
  Rig rig = one_second_steps();
  rig.engine.max_model_len = 20;
  rig.engine.kv_blocks = 6;
  // Two prompts of 8 tokens (2 blocks each), a third waits for seats.
  rig.engine.max_num_seqs = 2;
  const auto got = run_fake(rig, {request(0, 8, 12), request(0, 8, 12), request(0, 4, 1)});
  // Step 1 (t=1) opens block 3 for both: 6 of 6. Step 5 needs one more each: request 1 goes,
  // with 5 tokens generated, 13 to recompute, 4 blocks. Request 0 then holds 4, to 19 tokens 5:
  // no room until it ends with step 11 at 12.
  expect_times(got.request(0), 0, 0, 1, 12);
  EXPECT_EQ(got.request(0).preemptions, 0);
  EXPECT_EQ(got.request(1).preemptions, 1);
  // The recompute gives token 6 at 13 and the rest follow to 19; the third takes the other seat.
  expect_times(got.request(1), 0, 0, 1, 19);
  expect_times(got.request(2), 0, 12, 13, 13);
  EXPECT_EQ(got.steps[5].preemptions, 1);
  EXPECT_EQ(got.steps[12].prefill_tokens, 13 + 4);
  // The interval across the preemption counts from the last token before it, at 5.
  bool seen = false;
  for (const auto& i : got.intervals) seen = seen || (i.at.value() == 13.0 && i.interval.value() == 8.0 && i.count == 1);
  EXPECT_TRUE(seen);
}

TEST(batching, a_prompt_the_engine_cannot_hold_is_rejected) {
  Rig rig = one_second_steps();
  const auto got = run_fake(rig, {request(0, 512, 1), request(0, 511, 9), request(0, 2, 1)});
  EXPECT_EQ(got.request(0).outcome, serving::Outcome::rejected);
  EXPECT_EQ(got.request(0).finish.value(), 0.0);
  EXPECT_EQ(got.request(0).output_tokens, 0);
  EXPECT_EQ(got.request(1).output_tokens, 1) << "an answer ends where the context does";
  EXPECT_EQ(got.request(2).outcome, serving::Outcome::completed);
}

TEST(batching, the_front_end_delays_both_ways) {
  Rig rig = one_second_steps();
  rig.front_end.request_latency = Seconds(0.5);
  rig.front_end.response_latency = Seconds(0.125);
  const auto got = run_fake(rig, {request(0, 1, 2), request(0, 1, 1)});
  expect_times(got.request(0), 0.5, 0.5, 1.625, 2.625);
  expect_times(got.request(1), 0.5, 0.5, 1.625, 1.625);
}

TEST(batching, a_client_cap_holds_back_and_latencies_count_from_the_sending) {
  Rig rig = one_second_steps();
  rig.max_in_flight = 2;
  const auto got = run_fake(rig, {request(0, 1, 2), request(0, 1, 4), request(0, 1, 1), request(1, 1, 1)});
  EXPECT_EQ(got.request(2).arrival.value(), 0.0);
  EXPECT_EQ(got.request(2).sent.value(), 2.0);
  expect_times(got.request(2), 2, 2, 3, 3);
  EXPECT_EQ(got.request(3).sent.value(), 3.0);
  for (const auto& [at, count] : got.in_flight) EXPECT_LE(count, 2) << at.value();
}

TEST(batching, two_places_freed_at_once_are_both_taken) {
  Rig rig = one_second_steps();
  rig.max_in_flight = 2;
  const auto got = run_fake(rig, std::vector<workload::Request>(6, request(0, 1, 3)));
  for (std::uint64_t i = 0; i < 6; ++i) EXPECT_EQ(got.request(i).sent.value(), 3.0 * static_cast<double>(i / 2));
}

TEST(batching, a_closed_loop_given_a_duration_stops_sending) {
  Rig rig = one_second_steps();
  rig.max_in_flight = 1;
  rig.stop_sending_at = Seconds(5.0);
  const auto got = run_fake(rig, std::vector<workload::Request>(100, request(0, 1, 2)));
  ASSERT_EQ(got.requests.size(), 3U);  // sent at 0, 2, 4
  EXPECT_EQ(got.requests.back().finish.value(), 6.0);
}

TEST(batching, closed_loop_throughput) {
  Rig rig = one_second_steps();
  rig.max_in_flight = 8;
  const auto got = run_fake(rig, std::vector<workload::Request>(80, request(0, 1, 10)));
  // Eight at a time, ten steps each: 80 requests in 100 s.
  EXPECT_EQ(got.steps.size(), 100U);
  EXPECT_EQ(got.steps.back().end.value(), 100.0);
}

// A request too long for the pool is a mistake of the configuration: an error, not a hang.
TEST(batching, a_request_larger_than_the_pool_is_an_error) {
  Rig rig = one_second_steps();
  rig.engine.kv_blocks = 3;
  EXPECT_THROW(run_fake(rig, {request(0, 8, 12)}), std::exception);
}

/// Sends the same text `count` times through a gateway with a pool of one text.
Recording same_text(std::size_t count, double gap) {
  const Rig rig = [&] { Rig r = one_second_steps(); r.engine.prefix_caching = true; return r; }();
  FakeClock clock;
  serving::SequencePool pool;
  const policy::FcfsBatcher batcher;
  const auto router = policy::make_router("round_robin", 1);
  Recording recording;
  std::vector<workload::Request> requests;
  for (std::size_t i = 0; i < count; ++i) requests.push_back(request(gap * static_cast<double>(i), 30, 2));
  workload::Workload workload;
  workload.source = list_source(requests);
  workload.prompt_pool = 1;
  serving::Gateway gateway(0, std::move(workload), rig.front_end, {clock, pool, *router, recording});
  serving::Replica replica(ReplicaId{0}, 1, rig.engine, std::make_unique<FunctionCost>(rig.cost(0)),
                           {clock, pool, batcher, recording, gateway});
  gateway.add_replica(replica);
  gateway.start();
  clock.run();
  EXPECT_TRUE(replica.idle());
  return recording;
}

TEST(batching, a_text_sent_again_is_prefilled_from_its_last_full_block) {
  const auto got = same_text(2, 1.0);
  EXPECT_EQ(got.steps[0].prefill_tokens, 30);
  EXPECT_EQ(got.steps[1].prefill_tokens, 2) << "28 of 30 tokens lie in full blocks, one at least is computed";
  EXPECT_EQ(got.steps[1].kv_blocks_used, 8) << "the first has ended, the second holds its 30 tokens";
}

TEST(batching, a_text_sent_twice_at_once_is_prefilled_twice) {
  const auto got = same_text(2, 0.0);
  EXPECT_EQ(got.steps[0].prefill_tokens, 60);
  EXPECT_EQ(got.requests.size(), 2U);
}

}  // namespace
}  // namespace brink::testing
