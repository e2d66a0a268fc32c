// From a prefill to the first decode step on another replica: when the KV is there, whose blocks are where, who is
// chosen, and that nothing is left behind.
#include "sim/serving/handover.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>

#include "tests/support/rig.h"

namespace brink::serving {
namespace {

using brink::testing::FakeClock;
using brink::testing::FunctionCost;
using brink::testing::Recording;
using brink::testing::gpu_time;

/// Every flow alone on a path of `rate`.
class FixedNetwork final : public world::INetwork {
 public:
  FixedNetwork(FakeClock& clock, double rate) : clock_(clock), rate_(rate) {}
  void transfer(std::size_t from, std::size_t to, Bytes size, std::uint32_t component, world::EventHandler& handler,
                std::uint32_t kind, std::uint64_t data) override {
    bytes += size.value();
    flows.emplace_back(from, to);
    clock_.schedule(clock_.now() + Seconds(size.value() / rate_), world::Priority::delivery, component, handler, kind, data);
  }
  double bytes = 0.0;
  std::vector<std::pair<std::size_t, std::size_t>> flows;

 private:
  FakeClock& clock_;
  double rate_;
};

/// Prefill takes 1 ms a token, a step with decoding sequences 10 ms; no time on hosts.
struct Scene {
  HandoverSettings settings;
  EngineConfig prefill, decode;
  std::size_t prefills = 1, decodes = 1;
  double rate = std::numeric_limits<double>::infinity();  // bytes/s
  std::string router = "round_robin";

  Recording recording;
  double bytes = 0.0;
  std::vector<std::pair<std::size_t, std::size_t>> flows;
  HandoverStats stats;

  Scene() {
    settings = {false, false, 4, 1, Bytes(1000.0)};
    for (EngineConfig* e : {&prefill, &decode}) {
      e->max_num_seqs = 64;
      e->max_num_batched_tokens = 4096;
      e->max_model_len = 4096;
      e->block_size = 16;
      e->kv_blocks = 1000;
      e->async_scheduling = false;
    }
  }

  void run(std::vector<workload::Request> requests) {
    FakeClock clock;
    FixedNetwork network(clock, rate);
    SequencePool pool;
    const policy::FcfsBatcher batcher;
    const auto first = policy::make_router("round_robin", 1), second = policy::make_router(router, 2);
    workload::Workload workload;
    workload.source = brink::testing::list_source(std::move(requests));
    Gateway gateway(0, std::move(workload), {}, {clock, pool, *first, recording});
    Handover handover(100, settings, {clock, network, pool, *second});
    std::vector<std::unique_ptr<Replica>> replicas;
    const auto cost = [](const cost::StepShape& shape) {
      std::int64_t tokens = 0;
      for (const auto& chunk : shape.chunks) tokens += chunk.tokens;
      return gpu_time(Seconds(0.001 * static_cast<double>(tokens) + (shape.decode_sequences > 0 ? 0.01 : 0.0)));
    };
    for (std::size_t i = 0; i < prefills + decodes; ++i) {
      Surroundings around;
      around.handover = &handover;
      around.prefills_only = i < prefills;
      replicas.push_back(std::make_unique<Replica>(ReplicaId{i}, static_cast<std::uint32_t>(1 + i),
                                                   around.prefills_only ? prefill : decode, std::make_shared<FunctionCost>(cost),
                                                   Replica::Parts{clock, pool, batcher, recording, gateway}, std::move(around)));
      if (i < prefills) {
        gateway.add_replica(*replicas.back());
        handover.add_prefill(*replicas.back(), {i});
      } else {
        handover.add_decode(*replicas.back(), {i});
      }
    }
    gateway.start();
    clock.run();
    for (const auto& replica : replicas) EXPECT_TRUE(replica->idle());
    EXPECT_TRUE(handover.idle());
    EXPECT_EQ(pool.active(), 0U);
    EXPECT_EQ(gateway.in_flight(), 0);
    bytes = network.bytes;
    flows = network.flows;
    stats = handover.stats();
  }
};

workload::Request request(double at, std::int64_t input, std::int64_t output) {
  workload::Request r;
  r.arrival = Seconds(at);
  r.input_tokens = input;
  r.output_tokens = output;
  return r;
}

// 100 tokens: prefill 100 ms, 100 kB at 1 MB/s 100 ms, then four steps of 10 ms.
TEST(handover, the_kv_goes_after_the_prefill_and_decoding_follows) {
  Scene scene;
  scene.rate = 1e6;
  scene.run({request(0.0, 100, 5)});
  const RequestRecord& r = scene.recording.request(0);
  EXPECT_NEAR(r.first_token.value(), 0.1, 1e-12);
  EXPECT_NEAR(r.finish.value(), 0.1 + 0.1 + 4 * 0.01, 1e-12);
  EXPECT_EQ(r.output_tokens, 5);
  EXPECT_EQ(r.replica.value, 1U);
  EXPECT_EQ(scene.bytes, 100e3);
  EXPECT_NEAR(scene.stats.delay.mean(), 0.1, 1e-12);
  // The wait for the KV is an interval between tokens.
  ASSERT_EQ(scene.recording.intervals.size(), 4U);
  EXPECT_NEAR(scene.recording.intervals.front().interval.value(), 0.11, 1e-12);
  EXPECT_NEAR(scene.recording.intervals.back().interval.value(), 0.01, 1e-12);
}

TEST(handover, whole_blocks_carry_what_they_have_room_for) {
  Scene scene;
  scene.settings.whole_blocks = true;
  scene.run({request(0.0, 100, 5)});
  EXPECT_EQ(scene.bytes, 112e3);
}

// T = 100 ms, L = 4 layers, B / R = 400 ms: 25 ms until the first layer has run, then the path is the bottleneck.
TEST(handover, by_layer_over_a_slow_path_starts_after_the_first_layer) {
  Scene scene;
  scene.settings.by_layer = true;
  scene.rate = 0.25e6;
  scene.run({request(0.0, 100, 2)});
  EXPECT_NEAR(scene.recording.request(0).finish.value(), 0.025 + 0.4 + 0.01, 1e-12);
  EXPECT_EQ(scene.bytes, 100e3);
}

// B / R = 40 ms: only the last layer's 10 ms remain when the prefill ends.
TEST(handover, by_layer_over_a_fast_path_leaves_the_last_layer) {
  Scene scene;
  scene.settings.by_layer = true;
  scene.rate = 2.5e6;
  scene.run({request(0.0, 100, 2)});
  EXPECT_NEAR(scene.recording.request(0).finish.value(), 0.1 + 0.01 + 0.01, 1e-12);
}

// Two chunks of 64 and 36 tokens: what the first one left of its last layer goes with the second one.
TEST(handover, by_layer_a_cut_prompt_sends_every_byte_once) {
  Scene scene;
  scene.settings.by_layer = true;
  scene.prefill.max_num_batched_tokens = 64;
  scene.prefill.max_num_seqs = 64;
  scene.rate = 100e6;
  scene.run({request(0.0, 100, 2)});
  EXPECT_EQ(scene.bytes, 100e3);
  EXPECT_EQ(scene.flows.size(), 3U);
  EXPECT_NEAR(scene.recording.request(0).finish.value(), 0.1 + 9e3 / 100e6 + 0.01, 1e-12);
}

TEST(handover, one_token_answers_stay) {
  Scene scene;
  scene.settings.by_layer = true;
  scene.run({request(0.0, 100, 1)});
  EXPECT_EQ(scene.bytes, 0.0);
  EXPECT_EQ(scene.recording.request(0).replica.value, 0U);
  EXPECT_NEAR(scene.recording.request(0).finish.value(), 0.1, 1e-12);
}

// The decode replica has room for one prompt: the second one's KV stays where it is until the first has left.
TEST(handover, kv_waits_for_blocks_first_come_first_served) {
  Scene scene;
  scene.decode.kv_blocks = 10;
  scene.decode.max_model_len = scene.prefill.max_model_len = 160;
  scene.run({request(0.0, 100, 4), request(0.0, 100, 4), request(0.0, 100, 4)});
  EXPECT_EQ(scene.stats.waited, 2);
  std::vector<double> ends;
  for (std::uint64_t id = 0; id < 3; ++id) ends.push_back(scene.recording.request(id).finish.value());
  EXPECT_TRUE(std::is_sorted(ends.begin(), ends.end()));
  EXPECT_NEAR(ends[1] - ends[0], 0.03, 1e-9);
  EXPECT_NEAR(ends[2] - ends[1], 0.03, 1e-9);
}

// A decode pool that runs out preempts, computes the prompt again itself, and still ends every request.
TEST(handover, a_decode_replica_that_runs_out_prefills_again) {
  Scene scene;
  scene.decode.kv_blocks = 40;
  scene.decode.max_model_len = scene.prefill.max_model_len = 640;
  std::vector<workload::Request> requests;
  for (int i = 0; i < 30; ++i) requests.push_back(request(0.001 * i, 60 + i, 200));
  scene.run(std::move(requests));
  std::int64_t preemptions = 0;
  for (const RequestRecord& r : scene.recording.requests) {
    EXPECT_EQ(r.output_tokens, 200);
    EXPECT_EQ(r.outcome, Outcome::completed);
    preemptions += r.preemptions;
  }
  EXPECT_EQ(scene.recording.requests.size(), 30U);
  EXPECT_GT(preemptions, 0);
}

// A sender whose pool is full of KV under way takes the next prompt when that has left.
TEST(handover, a_full_sender_waits_for_its_blocks) {
  Scene scene;
  scene.prefill.kv_blocks = 10;
  scene.decode.max_model_len = scene.prefill.max_model_len = 160;
  scene.rate = 0.1e6;
  scene.run({request(0.0, 100, 2), request(0.0, 100, 2)});
  EXPECT_NEAR(scene.recording.request(1).first_token.value(), 0.1 + 1.0 + 0.1, 1e-9);
}

TEST(handover, the_router_spreads_over_the_decode_pool) {
  Scene scene;
  scene.prefills = 2;
  scene.decodes = 3;
  std::vector<workload::Request> requests;
  for (int i = 0; i < 12; ++i) requests.push_back(request(0.2 * i, 100, 3));
  scene.run(std::move(requests));
  std::vector<int> count(5, 0);
  for (const RequestRecord& r : scene.recording.requests) ++count[r.replica.value];
  EXPECT_EQ(count, (std::vector<int>{0, 0, 4, 4, 4}));
}

}  // namespace
}  // namespace brink::serving
