// Hypothesis "kv_evicted_mid_collective": a preempted sequence's KV vanishes from one rank while a collective runs,
// that rank recomputes it alone and the others wait. Engines evict between steps, from all ranks at once, so
// evidence does not support it; off unless asked for.
#pragma once

#include <cstdint>
#include <vector>

#include "models/base/random.h"
#include "sim/conditions/pin_events.h"
#include "sim/serving/i_kv_consumer.h"
#include "sim/serving/i_step_conditions.h"

namespace brink::conditions {

struct MidCollectiveEvictionSettings {
  /// 8192 tokens of a 30B model in 3.5 s (Llumnix, OSDI 2024, on recomputing what was preempted).
  Seconds per_token{3.5 / 8192.0};
  std::uint64_t seed = 0;
};

/// Of one replica: hears of evictions as a consumer that keeps nothing, and delays the next step that has
/// collectives by what one rank, drawn for (replica, step), takes to recompute them.
class MidCollectiveEviction final : public serving::IKvConsumer, public serving::IStepConditions {
 public:
  MidCollectiveEviction(const MidCollectiveEvictionSettings& settings, PinEvents events)
      : settings_(settings), random_(settings.seed, "kv_evicted_mid_collective"), events_(std::move(events)) {}

  void on_batch(const serving::KvView&, std::int64_t) override {}
  std::int64_t retain(const serving::KvView&, const serving::KvDeparture& request, std::int64_t) override {
    if (request.preempted) evicted_ += request.tokens;
    return 0;
  }
  [[nodiscard]] std::int64_t pinned() const override { return 0; }
  [[nodiscard]] world::CauseId cause() const override { return 0; }

  serving::StepEffect on_step(const serving::StepQuery& query) override;

 private:
  MidCollectiveEvictionSettings settings_;
  RandomStream random_;
  PinEvents events_;
  std::int64_t evicted_ = 0;  // tokens, since the last step with collectives
  std::vector<Seconds> wait_;
};

}  // namespace brink::conditions
