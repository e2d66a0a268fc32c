// What following drift costs: nanoseconds a step of DriftTracker, by how the batch behaves.
#include <chrono>
#include <cstdio>
#include <memory>
#include <vector>

#include "sim/serving/drift_tracker.h"

namespace {

using namespace brink;

/// Alone, everything runs in one order and attention is not split.
class Reference final : public serving::IReferencePlan {
 public:
  [[nodiscard]] Order tokens(std::int64_t) const override { return {1, true}; }
  [[nodiscard]] plan::ReductionSig attention(std::int64_t context) const override {
    return plan::AttentionPlan{}.signature((context + 127) / 128);
  }
};

struct Load {
  const char* name;
  bool as_alone, tokens_change, splits_change;
};

struct Rate {
  double step_ns = 0.0, requests = 0.0;  // a step
};

/// A closed loop: `batch` sequences of `output` tokens, a newcomer for each that ends.
class ClosedLoop {
 public:
  ClosedLoop(std::int64_t batch, std::int64_t output, const Load& load)
      : output_(output), load_(load), ends_(static_cast<std::size_t>(output)) {
    rule_.blocks_per_split = 1000;
    const serving::BatchSignature first{0, 1, true, nullptr};
    tracker_.on_batch(first);
    for (std::int64_t i = 0; i < batch; ++i) join(static_cast<serving::Slot>(i), 2 + i % (output - 1), first);
  }

  Rate measure(std::uint64_t steps) {
    for (std::int64_t i = 0; i < output_; ++i) step();  // until ends are spread and tables are warm
    requests_ = 0;
    const auto begin = std::chrono::steady_clock::now();
    for (std::uint64_t i = 0; i < steps; ++i) step();
    const std::chrono::duration<double, std::nano> took = std::chrono::steady_clock::now() - begin;
    if (drift_ < 0.0) std::puts("");  // the sum is used
    return {took.count() / static_cast<double>(steps), static_cast<double>(requests_) / static_cast<double>(steps)};
  }

 private:
  void join(serving::Slot slot, std::int64_t tokens, const serving::BatchSignature& batch) {
    const auto prompt = static_cast<std::int64_t>(300 + (slot * 37U) % 700U);
    tracker_.on_chunk(slot, 0, prompt, batch);
    tracker_.on_decode_start(slot, number_, prompt);
    ends_[(number_ + static_cast<std::uint64_t>(tokens) - 1) % ends_.size()].push_back(slot);
  }

  void step() {
    ++number_;
    const plan::ReductionSig tokens = load_.as_alone ? 1 : load_.tokens_change ? 2 + number_ % 5 : 2;
    if (load_.splits_change) {
      rule_.cap = 32;
      rule_.blocks_per_split = 8 + static_cast<std::int64_t>(number_ % 5);
    }
    const serving::BatchSignature batch{number_, tokens, true, &rule_};
    tracker_.on_batch(batch);
    std::vector<serving::Slot>& ending = ends_[number_ % ends_.size()];
    const std::size_t count = ending.size();
    for (std::size_t i = 0; i < count; ++i) {
      drift_ += tracker_.on_finished(ending[i], number_, output_).pairwise;
      join(ending[i], output_, batch);
    }
    ending.erase(ending.begin(), ending.begin() + static_cast<std::ptrdiff_t>(count));
    requests_ += count;
  }

  std::int64_t output_;
  Load load_;
  std::vector<std::vector<serving::Slot>> ends_;  // by batch, modulo the length of an answer
  serving::DriftTracker tracker_{{}, std::make_shared<Reference>(), std::make_shared<serving::OrderAgreements>()};
  plan::AttentionPlan rule_;
  std::uint64_t number_ = 0, requests_ = 0;
  double drift_ = 0.0;
};

}  // namespace

int main() {
  std::printf("batch  output  load                              ns/step  requests/step\n");
  for (const std::int64_t output : {200, 4000}) {
    for (const std::int64_t batch : {1, 16, 128, 512}) {
      for (const Load& load : {Load{"as alone (batch invariant)", true, false, false}, Load{"one other order", false, false, false},
                               Load{"token operators change", false, true, false}, Load{"both change every step", false, true, true}}) {
        const Rate rate = ClosedLoop(batch, output, load).measure(1'000'000);
        std::printf("%5lld  %6lld  %-32s  %7.0f  %13.3f\n", static_cast<long long>(batch), static_cast<long long>(output), load.name,
                    rate.step_ns, rate.requests);
      }
    }
  }
  return 0;
}
