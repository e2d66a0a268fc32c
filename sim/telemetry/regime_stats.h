// How long each replica was in each regime, and which regime followed which.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "models/base/json.h"
#include "models/memory/regime.h"
#include "sim/serving/records.h"

namespace brink::telemetry {

/// Counts from change to change (StepRecord::regime_changes); what changes after a replica's last step is not seen.
/// Before the first change its regime is normal. Time before the warm-up ends is left out.
class RegimeStats {
 public:
  RegimeStats(Seconds warmup, std::size_t replicas) : warmup_(warmup), replicas_(replicas) {}

  void add(const serving::StepRecord& record);

  /// Section "regimes" of the summary; the run ends at `end`.
  [[nodiscard]] Json json(Seconds end) const;
  /// regimes.csv: one row a replica and regime, first of all replicas together.
  [[nodiscard]] std::string csv(Seconds end) const;

 private:
  static constexpr std::size_t regimes = memory::regime_count;

  struct Totals {
    std::array<Seconds, regimes> label{};    // by label
    std::array<Seconds, regimes> holds{};    // by predicate; normal: none holds
    std::array<std::array<std::int64_t, regimes>, regimes> transitions{};  // [from][to]
  };
  struct Replica {
    Totals totals;
    memory::RegimeState now;
    Seconds since;
  };

  void change(Replica& replica, const memory::RegimeChange& to) const;
  static void spend(Totals& totals, const memory::RegimeState& state, Seconds time);
  /// Totals with the time from the last step to `end`, for each replica; the last entry is their sum.
  [[nodiscard]] std::vector<Totals> totals(Seconds end) const;

  Seconds warmup_;
  std::vector<Replica> replicas_;
};

}  // namespace brink::telemetry
