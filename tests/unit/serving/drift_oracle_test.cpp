// The tracker against the oracle that follows every token of every request, on random runs: joins, block crossings,
// changes of the split rule and of the token operators, chunked prefills, preemptions, steps that are not repeatable.
#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "models/base/random.h"
#include "tests/support/drift_scene.h"
#include "tests/support/naive_drift.h"

namespace brink::testing {
namespace {

using serving::DriftOutcome;
using serving::IReferencePlan;
using serving::Slot;

struct Counts {
  std::uint64_t finished = 0, exposed = 0, partly = 0, clean = 0, paired = 0, preempted = 0, crossed = 0;
};

class RandomRun {
 public:
  explicit RandomRun(std::uint64_t seed) : random_(seed, "drift_run") {}

  void compare(Counts& counts) {
    setup();
    for (int batch = 0; batch < 1000; ++batch) {
      if (live() < most_ && draw(4) == 0) join();
      if (draw(preempt_one_in_) == 0) preempt(counts);
      const std::vector<DriftScene::Chunk> chunks = choose_chunks();
      const IReferencePlan::Order odd{draw(3), draw(2) == 0};
      scene_->run(chunks, [&](Slot slot, std::int64_t tokens) { end(slot, tokens, counts); },
                  draw(odd_one_in_) == 0 ? &odd : nullptr);
    }
    EXPECT_EQ(agreements_->prefill.share(), naive_->prefill_share());
    EXPECT_EQ(agreements_->decode.share(), naive_->decode_share());
  }

 private:
  std::uint64_t draw(std::uint64_t n) { return random_.below(n, {next_++}); }

  void setup() {
    plan::AttentionHardware hardware;
    hardware.kv_heads = std::int64_t{1} << draw(4);
    hardware.q_heads = hardware.kv_heads * 4;
    plan::AttentionOptions attention;
    constexpr plan::AttentionBackend backends[] = {plan::AttentionBackend::fa2, plan::AttentionBackend::fa3_static,
                                                   plan::AttentionBackend::fa3_dynamic, plan::AttentionBackend::flashinfer};
    attention.backend = backends[draw(4)];
    attention.batch_invariant = draw(4) == 0;
    // Token operators change their order at these many tokens; some runs never do.
    const std::int64_t first = draw(3) == 0 ? 1 << 30 : 1 + static_cast<std::int64_t>(draw(6));
    const std::int64_t second = first * 8;
    auto order = [first, second](std::int64_t tokens) {
      return IReferencePlan::Order{tokens <= first ? 0ULL : tokens <= second ? 1ULL : 2ULL, true};
    };
    reference_ = std::make_shared<SceneReference>(order, hardware, attention);
    serving::DriftOptions options;
    options.law.changed_share = 1.0;
    options.law.delta_median = drift::Nats(draw(2) == 0 ? 0.063 : 3.0);
    options.batch_invariant = draw(4) == 0;
    // Long contexts are cut by their tokens where FlashInfer cuts them; short ones by whole blocks.
    prompt_max_ = draw(3) == 0 ? 12'000 : 700;
    options.chunk_max = (64 + static_cast<std::int64_t>(draw(200))) * static_cast<std::int64_t>(prompt_max_ / 700);
    chunk_max_ = options.chunk_max;
    most_ = 1 + draw(12);
    preempt_one_in_ = draw(3) == 0 ? 1'000'000 : 10 + draw(300);
    odd_one_in_ = draw(3) == 0 ? 1'000'000 : 5 + draw(100);
    agreements_ = std::make_shared<serving::OrderAgreements>();
    tracker_ = std::make_unique<serving::DriftTracker>(options, reference_, agreements_);
    naive_ = std::make_unique<NaiveDrift>(options, reference_);
    scene_ = std::make_unique<DriftScene>(reference_);
    scene_->trackers = {tracker_.get(), naive_.get()};
  }

  [[nodiscard]] std::size_t live() const { return scene_->live().size(); }

  void join() {
    Slot slot = 0;
    while (scene_->live().contains(slot)) ++slot;  // slots are used again
    const std::int64_t prompt = 1 + static_cast<std::int64_t>(draw(draw(2) == 0 ? 700 : prompt_max_));
    scene_->add(slot, prompt, 1 + static_cast<std::int64_t>(draw(400)), draw(5) == 0 ? prompt / 2 : 0);
  }

  void preempt(Counts& counts) {
    if (live() == 0) return;
    auto it = scene_->live().begin();
    std::advance(it, draw(live()));
    if (!it->second.decoding && it->second.prefilled == 0) return;
    counts.preempted += it->second.decoding ? 1 : 0;
    scene_->preempt(it->first);
  }

  /// Some of those that prefill get some tokens.
  std::vector<DriftScene::Chunk> choose_chunks() {
    std::vector<DriftScene::Chunk> chunks;
    for (const auto& [slot, one] : scene_->live()) {
      if (one.decoding || draw(3) == 0) continue;
      const std::int64_t left = std::min(one.prompt + one.generated - one.prefilled, chunk_max_);
      chunks.push_back({slot, draw(2) == 0 ? left : 1 + static_cast<std::int64_t>(draw(static_cast<std::uint64_t>(left)))});
    }
    return chunks;
  }

  void end(Slot slot, std::int64_t tokens, Counts& counts) {
    const DriftOutcome got = tracker_->on_finished(slot, scene_->last_batch(), tokens);
    const DriftOutcome want = naive_->on_finished(slot, scene_->last_batch(), tokens);
    EXPECT_EQ(got.exposed_tokens, want.exposed_tokens);
    EXPECT_NEAR(got.from_idle, want.from_idle, 1e-12);
    EXPECT_NEAR(got.pairwise, want.pairwise, 1e-12);
    EXPECT_NEAR(got.first_flip, want.first_flip, 1e-12 * static_cast<double>(tokens + 1));
    ++counts.finished;
    counts.exposed += got.exposed_tokens == tokens ? 1 : 0;
    counts.partly += got.exposed_tokens > 0 && got.exposed_tokens < tokens ? 1 : 0;
    counts.clean += got.exposed_tokens == 0 ? 1 : 0;
    counts.paired += got.pairwise > 0.0 ? 1 : 0;
    counts.crossed += tokens > 256 ? 1 : 0;
  }

  RandomStream random_;
  std::uint64_t next_ = 0, most_ = 1, preempt_one_in_ = 1, odd_one_in_ = 1;
  std::uint64_t prompt_max_ = 700;
  std::int64_t chunk_max_ = 0;
  std::shared_ptr<SceneReference> reference_;
  std::shared_ptr<serving::OrderAgreements> agreements_;
  std::unique_ptr<serving::DriftTracker> tracker_;
  std::unique_ptr<NaiveDrift> naive_;
  std::unique_ptr<DriftScene> scene_;
};

TEST(drift_tracker, is_the_oracle_on_random_runs) {
  Counts counts;
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    SCOPED_TRACE(::testing::Message() << "seed " << seed);
    RandomRun(seed).compare(counts);
    if (::testing::Test::HasFailure()) break;
  }
  // Every branch has been seen, often.
  EXPECT_GT(counts.finished, 4'000U);
  EXPECT_GT(counts.exposed, 500U);
  EXPECT_GT(counts.partly, 500U);
  EXPECT_GT(counts.clean, 250U);
  EXPECT_GT(counts.paired, 500U);
  EXPECT_GT(counts.preempted, 500U);
  EXPECT_GT(counts.crossed, 500U);
}

}  // namespace
}  // namespace brink::testing
