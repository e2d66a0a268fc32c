// Role: what goes wrong with single GPUs of a replica. Answers are functions of (replica, rank, time) alone.
#pragma once

#include <cstdint>
#include <string>

#include "models/base/ids.h"
#include "models/base/units.h"
#include "sim/conditions/schedule.h"
#include "sim/world/i_ledger.h"

namespace brink::conditions {

/// What one condition does to one rank's step.
struct RankLoad {
  double slowdown = 0.0;     // added to the step's compute, as a share of it
  double clock = 1.0;        // of the SMs, as a fraction of the highest; slows what follows the clock
  double clock_bound = -1.0; // share of compute that follows it; < 0: what the step says of itself
  Seconds pause{0.0};        // once a step, before its first collective
};

class IRankCondition {
 public:
  virtual ~IRankCondition() = default;
  /// Whether it acts on some rank of `replica` at `time`; load() does not change until Phase::until.
  [[nodiscard]] virtual Phase phase(ReplicaId replica, Seconds time) const = 0;
  /// The change instants of phase(), cut finer where the load moves within one burst: load() stays until then.
  [[nodiscard]] virtual Seconds steady_until(Seconds time, const Phase& phase) const {
    (void)time;
    return phase.until;
  }
  /// Asked only while it acts.
  [[nodiscard]] virtual RankLoad load(ReplicaId replica, std::int64_t rank, Seconds time) const = 0;
  /// The rank it is about; -1: several.
  [[nodiscard]] virtual std::int64_t rank() const = 0;
  /// What its beginning is in the ledger besides a `condition`: a `throttle`, or only that.
  [[nodiscard]] virtual world::EventKind kind() const { return world::EventKind::condition; }
  /// A few words for the ledger: "rank 5 slower by 20 %".
  [[nodiscard]] virtual std::string describe() const = 0;
};

}  // namespace brink::conditions
