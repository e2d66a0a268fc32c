// How far the answers of a run drifted: in all, by regime, by plan switches, by length, by token, in the tail, early.
#pragma once

#include <array>
#include <cstdint>

#include "models/base/json.h"
#include "models/base/units.h"
#include "models/drift/flip_law.h"
#include "models/memory/regime.h"
#include "sim/serving/records.h"
#include "sim/telemetry/drift_early.h"
#include "sim/telemetry/drift_tail.h"
#include "sim/telemetry/drift_tally.h"

namespace brink::telemetry {

struct DriftFacts {
  drift::FlipLaw law;
  EarlyBudget early;
};

/// Counts completed requests that arrive after the warm-up. A request whose input was cut is another request than the
/// one that was sent: it is counted apart and nowhere else. Memory does not grow with the number of requests.
class DriftStats {
 public:
  DriftStats(Seconds warmup, const DriftFacts& facts)
      : warmup_(warmup), law_(facts.law), hazard_(facts.law.hazard()), early_(facts.law, facts.early) {}

  void add(const serving::RequestRecord& record);

  /// Section "drift" of the summary.
  [[nodiscard]] Json json() const;

 private:
  static constexpr std::size_t powers = 40;  // of two: token counts and plan switches
  struct Position {
    std::int64_t tokens = 0, exposed = 0;
    double first_flips = 0.0;                // expected
  };

  void add_positions(const serving::DriftOutcome& drift, std::int64_t output_tokens);
  [[nodiscard]] Json law_json() const;
  [[nodiscard]] Json regimes_json() const;
  [[nodiscard]] Json positions_json() const;

  Seconds warmup_;
  drift::FlipLaw law_;
  double hazard_;
  DriftTally all_, other_input_;
  std::array<DriftTally, memory::regime_count> by_regime_;  // every predicate that held counts; normal: none did
  std::array<DriftTally, powers> by_switches_;              // 0, 1, 2, 3-4, 5-8 ...
  std::array<DriftTally, powers> by_length_;                // 1, 2, 3-4, 5-8 ... output tokens
  std::array<Position, powers> by_position_;                // likewise
  DriftTail tail_;
  DriftEarly early_;
};

}  // namespace brink::telemetry
