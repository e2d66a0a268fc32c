#include "sim/serving/drift_tracker.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "models/drift/divergence.h"
#include "tests/support/drift_scene.h"

namespace brink::testing {
namespace {

using serving::DriftOptions;
using serving::DriftOutcome;
using serving::DriftTracker;
using serving::IReferencePlan;
using serving::OrderAgreement;
using serving::OrderAgreements;
using serving::Slot;

constexpr plan::AttentionBackend backends[] = {plan::AttentionBackend::fa2, plan::AttentionBackend::fa3_static,
                                               plan::AttentionBackend::fa3_dynamic, plan::AttentionBackend::flashinfer};

/// Another order above 1, 8, 64 ... tokens, as split-K and all-reduce selectors do.
IReferencePlan::Order by_size(std::int64_t tokens) {
  std::uint64_t order = 100;
  for (std::int64_t limit = 1; tokens > limit; limit *= 8) ++order;
  return {order, true};
}

IReferencePlan::Order one_order(std::int64_t) { return {7, true}; }

plan::AttentionHardware hardware(std::int64_t kv_heads) {
  plan::AttentionHardware h;
  h.kv_heads = kv_heads;
  h.q_heads = kv_heads * 4;
  return h;
}

struct Bench {
  Bench(SceneReference::TokenOrder order, const plan::AttentionHardware& shape, plan::AttentionBackend backend,
        DriftOptions given = {}, bool batch_invariant = false)
      : options(given) {
    options.batch_invariant = batch_invariant;
    plan::AttentionOptions attention;
    attention.backend = backend;
    attention.batch_invariant = batch_invariant;
    reference = std::make_shared<SceneReference>(order, shape, attention);
    agreements = std::make_shared<OrderAgreements>();
    tracker = std::make_unique<DriftTracker>(options, reference, agreements);
    scene = std::make_unique<DriftScene>(reference);
    scene->trackers = {tracker.get()};
  }

  void run(const std::vector<DriftScene::Chunk>& chunks = {}, const IReferencePlan::Order* order = nullptr) {
    scene->run(chunks, [&](Slot slot, std::int64_t tokens) {
      outcomes[slot].push_back(tracker->on_finished(slot, scene->last_batch(), tokens));
    }, order);
  }
  void run_until_idle() {
    while (!scene->live().empty()) run();
  }
  /// A request from its prompt to its end, nobody beside it.
  DriftOutcome alone(std::int64_t prompt, std::int64_t output, std::int64_t cached = 0) {
    scene->add(0, prompt, output, cached);
    for (std::int64_t left = prompt - cached; left > 0; left -= options.chunk_max) run({{0, std::min(left, options.chunk_max)}});
    run_until_idle();
    return outcomes[0].back();
  }

  DriftOptions options;
  std::shared_ptr<SceneReference> reference;
  std::shared_ptr<OrderAgreements> agreements;
  std::unique_ptr<DriftTracker> tracker;
  std::unique_ptr<DriftScene> scene;
  std::map<Slot, std::vector<DriftOutcome>> outcomes;
};

TEST(drift_tracker, alone_and_idle_is_exactly_zero) {
  for (const auto backend : backends) {
    SCOPED_TRACE(plan::name(backend));
    for (const std::int64_t kv_heads : {1, 2, 8}) {
      DriftOptions options;
      options.chunk_max = 512;
      Bench bench(by_size, hardware(kv_heads), backend, options);
      for (int i = 0; i < 60; ++i) {
        const std::int64_t prompt = 1 + i * 97, output = 1 + i * 13;
        const DriftOutcome got = bench.alone(prompt, output, i % 3 == 0 ? prompt / 2 : 0);
        EXPECT_EQ(got.from_idle, 0.0);
        EXPECT_EQ(got.pairwise, 0.0);
        EXPECT_EQ(got.exposed_tokens, 0);
        EXPECT_LT(got.first_flip, 0.0);
      }
    }
  }
}

/// Requests that come and go in batches of all sizes, with preemptions.
void crowd(Bench& bench, int requests, std::int64_t output) {
  for (int i = 0; i < requests; ++i) {
    const auto slot = static_cast<Slot>(i);
    bench.scene->add(slot, 40 + i * 37, output + i % 5);
    bench.run({{slot, 20}});
    bench.run({{slot, 20 + i * 37}});
    if (i % 7 == 6) {
      bench.scene->preempt(slot - 3);
      const auto& live = bench.scene->live().at(slot - 3);
      bench.run({{slot - 3, live.prompt + live.generated}});
    }
  }
  bench.run_until_idle();
}

TEST(drift_tracker, batch_invariant_is_exactly_zero) {
  for (const auto backend : backends) {
    SCOPED_TRACE(plan::name(backend));
    Bench invariant(one_order, hardware(2), backend, {}, true);
    crowd(invariant, 40, 300);
    Bench usual(by_size, hardware(2), backend);
    crowd(usual, 40, 300);
    EXPECT_EQ(invariant.outcomes.size(), 40U);
    for (const auto& [slot, outcomes] : invariant.outcomes) {
      EXPECT_EQ(outcomes.back().from_idle, 0.0);
      EXPECT_EQ(outcomes.back().pairwise, 0.0);
      EXPECT_EQ(outcomes.back().exposed_tokens, 0);
      EXPECT_GT(usual.outcomes[slot].back().from_idle, 0.0) << "the same crowd drifts without it";
      EXPECT_GT(usual.outcomes[slot].back().pairwise, 0.0);
    }
  }
}

// Steps that never change their order, which is not the order of the idle system: equal to one another, not to idle.
TEST(drift_tracker, constant_order_agrees_with_itself_and_not_with_idle) {
  Bench bench([](std::int64_t tokens) { return IReferencePlan::Order{tokens == 1 ? 1ULL : 2ULL, true}; }, hardware(8),
              plan::AttentionBackend::fa3_static);
  std::vector<DriftScene::Chunk> chunks;
  for (Slot slot = 0; slot < 16; ++slot) {
    bench.scene->add(slot, 1000, 200);
    chunks.push_back({slot, 1000});
  }
  bench.run(chunks);
  bench.run_until_idle();
  for (const auto& [slot, outcomes] : bench.outcomes) {
    EXPECT_EQ(outcomes.back().pairwise, 0.0);
    EXPECT_EQ(outcomes.back().exposed_tokens, 199) << "all but the first: prefill ran in its own order";
    EXPECT_DOUBLE_EQ(outcomes.back().from_idle, drift::divergence(bench.options.law.hazard(), 199));
  }
}

TEST(drift_tracker, unrepeatable_tactics_drift_even_alone) {
  Bench bench([](std::int64_t) { return IReferencePlan::Order{5, false}; }, hardware(8), plan::AttentionBackend::fa3_dynamic);
  DriftOutcome got;
  for (int i = 0; i < 20; ++i) got = bench.alone(100, 50);
  EXPECT_EQ(got.exposed_tokens, 50);
  const double all = drift::divergence(bench.options.law.hazard(), 50);
  EXPECT_DOUBLE_EQ(got.from_idle, all);
  EXPECT_NEAR(got.pairwise, all, 1e-15);
}

// One step with atomics among repeatable ones: exposed from that token on.
TEST(drift_tracker, an_unrepeatable_step_leaves_its_mark) {
  Bench bench(one_order, hardware(8), plan::AttentionBackend::fa3_dynamic);
  bench.scene->add(0, 100, 50);
  bench.run({{0, 100}});
  for (int i = 0; i < 9; ++i) bench.run();
  const IReferencePlan::Order atomics{7, false};
  bench.run({}, &atomics);  // its 11th token
  bench.run_until_idle();
  EXPECT_EQ(bench.outcomes[0].back().exposed_tokens, 40);
}

// FlashAttention 3 with one KV head: 2048 tokens alone make 16 splits; beside 32k tokens, 6. Only attention differs here.
TEST(drift_tracker, a_long_neighbour_changes_the_splits) {
  Bench bench(one_order, hardware(1), plan::AttentionBackend::fa3_dynamic);
  bench.scene->add(0, 2000, 400);
  bench.run({{0, 2000}});
  for (int i = 0; i < 20; ++i) bench.run();
  bench.scene->add(1, 32768, 10);
  for (int i = 0; i < 4; ++i) bench.run({{1, 8192}});  // prefills beside it: 24 decode steps so far
  bench.run_until_idle();
  EXPECT_EQ(bench.outcomes[0].back().exposed_tokens, 400 - 1 - 24);
  EXPECT_EQ(bench.outcomes[1].back().exposed_tokens, 0) << "the long one is cut into the most there are, as alone";
}

// Few sequences do not fill the GPU and are cut as alone: a block a split. More of them are cut otherwise, which shows
// once they have two blocks.
TEST(drift_tracker, exposure_may_begin_at_a_block_boundary) {
  Bench bench(one_order, hardware(8), plan::AttentionBackend::fa3_dynamic);
  std::vector<DriftScene::Chunk> chunks;
  for (Slot slot = 0; slot < 7; ++slot) {
    bench.scene->add(slot, 100, 100);
    chunks.push_back({slot, 100});
  }
  bench.run(chunks);
  bench.run_until_idle();
  // 7 x 2 blocks x 8 heads x 1.1 / 132 SMs = 0.93 -> one block a split, two splits each.
  for (const auto& [slot, outcomes] : bench.outcomes) EXPECT_EQ(outcomes.back().exposed_tokens, 0);

  chunks.clear();
  for (Slot slot = 20; slot < 32; ++slot) {
    bench.scene->add(slot, 100, 100);
    chunks.push_back({slot, 100});
  }
  bench.run(chunks);
  bench.run_until_idle();
  // Twelve: 24 blocks x 8 heads x 1.1 / 132 SMs = 1.6 -> two blocks a split from 129 tokens on, which is token 30.
  for (Slot slot = 20; slot < 32; ++slot) EXPECT_EQ(bench.outcomes[slot].back().exposed_tokens, 100 - 29);
}

TEST(drift_tracker, recompute_exposes_what_follows) {
  Bench bench(one_order, hardware(8), plan::AttentionBackend::fa3_dynamic);
  bench.scene->add(0, 100, 50);
  bench.run({{0, 100}});
  for (int i = 0; i < 9; ++i) bench.run();
  bench.scene->preempt(0);
  bench.run({{0, 110}});
  bench.run_until_idle();
  EXPECT_EQ(bench.outcomes[0].back().exposed_tokens, 40);
  EXPECT_DOUBLE_EQ(bench.outcomes[0].back().pairwise, drift::divergence(bench.options.law.hazard(), 40));
}

// Preempted before any output, it starts over: what the lost KV was computed by does not matter.
TEST(drift_tracker, a_prefill_that_starts_over_is_judged_anew) {
  Bench bench(by_size, hardware(8), plan::AttentionBackend::fa3_dynamic);
  bench.scene->add(0, 100, 50);
  bench.run({{0, 60}});  // in two chunks: another order than in one
  bench.scene->preempt(0);
  bench.run({{0, 100}});
  bench.run_until_idle();
  EXPECT_EQ(bench.outcomes[0].back().exposed_tokens, 0);
  bench.scene->add(0, 100, 50);
  bench.run({{0, 60}});
  bench.run({{0, 40}});
  bench.run_until_idle();
  EXPECT_EQ(bench.outcomes[0].back().exposed_tokens, 50);
}

TEST(drift_tracker, single_token_answers) {
  Bench bench(by_size, hardware(8), plan::AttentionBackend::fa3_dynamic);
  EXPECT_EQ(bench.alone(100, 1).from_idle, 0.0);
  bench.scene->add(0, 100, 1);
  bench.run({{0, 99}});
  bench.run({{0, 1}});
  EXPECT_EQ(bench.outcomes[0].back().exposed_tokens, 1);
  EXPECT_NEAR(bench.outcomes[0].back().from_idle, bench.options.law.hazard(), 1e-18);
  EXPECT_DOUBLE_EQ(bench.outcomes[0].back().first_flip, 1.0);
}

/// Streams of `length` tokens in a batch that grows and shrinks around them.
double mean_pairwise(const drift::FlipLaw& law, std::int64_t length) {
  DriftOptions options;
  options.law = law;
  Bench bench(by_size, hardware(8), plan::AttentionBackend::fa3_dynamic, options);
  Slot next = 1000;
  for (Slot slot = 0; slot < 64; ++slot) {
    bench.scene->add(slot, 100 + slot * 11, length);
    bench.run({{slot, 100 + slot * 11}});
    for (int i = 0; i < 40; ++i) {
      if (i % 8 == 0) bench.scene->add(++next, 64, 30 + i);
      bench.run(i % 8 == 0 ? std::vector<DriftScene::Chunk>{{next, 64}} : std::vector<DriftScene::Chunk>{});
    }
  }
  bench.run_until_idle();
  double sum = 0.0;
  for (Slot slot = 32; slot < 64; ++slot) sum += bench.outcomes[slot].back().pairwise;
  return sum / 32.0;
}

TEST(drift_tracker, same_gpu_pairs_diverge_as_measured) {
  for (const std::int64_t length : {600, 1000, 2000}) {
    const double share = mean_pairwise({}, length);
    EXPECT_GE(share, 0.06) << length;
    EXPECT_LE(share, 0.25) << length;
  }
  for (const double rho : {0.06, 0.17}) {
    drift::FlipLaw law;
    law.margin_density = drift::PerNat(rho);
    const double share = mean_pairwise(law, 1000);
    EXPECT_GE(share, 0.06) << rho;
    EXPECT_LE(share, 0.25) << rho;
  }
}

TEST(drift_tracker, fp32_drifts_a_thousand_times_less) {
  drift::FlipLaw fp32;
  fp32.delta_median = drift::delta_median_of(drift::Arithmetic::fp32);
  // At the hazards themselves the ratio is 2475; over many tokens BF16 saturates, so a short stream is compared.
  EXPECT_GE(mean_pairwise({}, 60), 1000.0 * mean_pairwise(fp32, 60));
}

TEST(order_agreement, is_the_share_of_equal_pairs_within_groups) {
  OrderAgreement agreement;
  EXPECT_EQ(agreement.share(), 1.0);
  agreement.observe(1, 10);
  EXPECT_EQ(agreement.share(), 1.0);
  agreement.observe(2, 20);
  agreement.observe(1, 10);
  EXPECT_EQ(agreement.share(), 1.0) << "other groups are not compared";
  agreement.observe(1, 11);
  EXPECT_DOUBLE_EQ(agreement.share(), 1.0 / 3.0);
  agreement.observe(1, 11);
  EXPECT_DOUBLE_EQ(agreement.share(), 2.0 / 6.0);
  agreement.observe_unrepeatable(1);
  EXPECT_DOUBLE_EQ(agreement.share(), 2.0 / 10.0);
  agreement.observe_unrepeatable(2);
  EXPECT_DOUBLE_EQ(agreement.share(), 2.0 / 11.0);
}

TEST(order_agreement, memory_is_bounded) {
  OrderAgreement agreement;
  for (std::uint64_t i = 0; i < 1000; ++i) agreement.observe(0, 0);
  const auto first = 1000.0 * 999.0 / 2.0;
  for (std::uint64_t i = 0; i < 3 * OrderAgreement::keys_max; ++i) agreement.observe(1, i);
  const auto many = 3.0 * static_cast<double>(OrderAgreement::keys_max);
  EXPECT_DOUBLE_EQ(agreement.share(), first / (first + many * (many - 1.0) / 2.0));
  agreement.observe(0, 0);  // known keys go on being counted
  EXPECT_DOUBLE_EQ(agreement.share(), (first + 1000.0) / (first + 1000.0 + many * (many - 1.0) / 2.0));
}

}  // namespace
}  // namespace brink::testing
