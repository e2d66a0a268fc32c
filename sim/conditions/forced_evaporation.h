// Hypothesis "isr_threshold_512": memory evaporates because a rate of sequences is exceeded. Evidence supports no
// such threshold (what is pinned is rate times hold time, see Replication); off unless asked for.
#pragma once

#include <cstdint>
#include <deque>

#include "sim/conditions/pin_events.h"
#include "sim/serving/i_kv_consumer.h"
#include "sim/world/i_clock.h"

namespace brink::conditions {

struct ForcedEvaporationSettings {
  double sequences_per_s = 512.0;  // finished by one replica; above it blocks are withheld
  Seconds hold{1.0};               // for this long
};

class ForcedEvaporation final : public serving::IKvConsumer, public world::EventHandler {
 public:
  /// Clock and owner outlive it. `component` orders its events among those of one instant.
  ForcedEvaporation(const ForcedEvaporationSettings& settings, world::IClock& clock, std::uint32_t component,
                    serving::IKvOwner& owner, PinEvents events)
      : settings_(settings), clock_(clock), component_(component), owner_(owner), events_(std::move(events)) {}

  void on_batch(const serving::KvView&, std::int64_t) override {}
  std::int64_t retain(const serving::KvView& view, const serving::KvDeparture& request, std::int64_t held_already) override;
  [[nodiscard]] std::int64_t pinned() const override { return held_; }
  [[nodiscard]] world::CauseId cause() const override { return held_ > 0 ? events_.cause() : 0; }
  /// `data` blocks come back.
  void on_event(std::uint32_t kind, std::uint64_t data) override;

 private:
  ForcedEvaporationSettings settings_;
  world::IClock& clock_;
  std::uint32_t component_;
  serving::IKvOwner& owner_;
  PinEvents events_;
  std::deque<Seconds> finished_;  // in the last second
  std::int64_t held_ = 0;
};

}  // namespace brink::conditions
