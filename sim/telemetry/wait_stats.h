// Who waited for whom in collectives: by rank, and how far apart the ranks were.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "models/base/histogram.h"
#include "models/base/json.h"
#include "sim/serving/records.h"

namespace brink::telemetry {

/// Skew of a step: longest less shortest wait of its ranks (the slowest rank waits least).
[[nodiscard]] Seconds skew_of(std::span<const Seconds> wait);

class WaitStats {
 public:
  /// Steps that start before `warmup` are left out.
  explicit WaitStats(Seconds warmup) : warmup_(warmup) {}

  /// O(ranks) for a step in which anybody waited, else a comparison.
  void add(const serving::StepRecord& record);

  /// Whether anybody ever waited.
  [[nodiscard]] bool any() const { return skew_.count() > 0; }
  /// Section "waits" of the summary. Quantiles are of all steps, those without a wait included.
  [[nodiscard]] Json json() const;

 private:
  struct Rank {
    Seconds wait;
    std::int64_t slowest = 0;  // steps in which it delayed the others most
  };

  Seconds warmup_;
  std::vector<std::vector<Rank>> ranks_;  // [replica][rank]
  LogHistogram skew_;                     // of steps with a wait
  std::int64_t steps_ = 0;                // all of them
  Seconds sync_;                          // what steps grew by
};

}  // namespace brink::telemetry
