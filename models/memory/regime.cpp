#include "models/memory/regime.h"

namespace brink::memory {

const char* name(Regime regime) {
  constexpr std::array<const char*, regime_count> names = {"isolation_strict", "memory_evaporation", "paging",
                                                           "memory_pressured", "queue_degraded",     "normal"};
  return names.at(static_cast<std::size_t>(regime));
}

RegimeState classify(const RegimeInputs& inputs, const RegimeThresholds& thresholds) {
  const std::array<bool, regime_count - 1> holds = {
      inputs.isolation_strict, inputs.effective_free_ratio < thresholds.evaporation_ratio, inputs.paging,
      inputs.effective_free < thresholds.pressured, inputs.queue_p95 > thresholds.queue_p95};
  RegimeState state;
  for (std::size_t i = holds.size(); i-- > 0;) {
    if (!holds[i]) continue;
    state.bits = static_cast<std::uint8_t>(state.bits | 1U << i);
    state.label = static_cast<Regime>(i);
  }
  return state;
}

}  // namespace brink::memory
