// What a background consumer of KV blocks tells the ledger.
#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <utility>

#include "models/base/ids.h"
#include "sim/world/i_ledger.h"

namespace brink::conditions {

/// A root for every interval in which the condition acts on the replica, and below it a `pin` event for every
/// time it keeps a noticeable part of the pool from being reused.
class PinEvents {
 public:
  /// Withheld share of the pool from which on a pin is worth an event; it ends below half of it. A replica hands
  /// out single blocks all the time: without a threshold every departure would be an event.
  static constexpr double noticeable = 0.01;
  /// A pin that comes back within this goes on with the event it had.
  static constexpr Seconds pause_max{1.0};

  /// `ledger` outlives this. `condition`: index in /conditions, < 0: of a hypothesis.
  PinEvents(world::ILedger& ledger, ReplicaId replica, std::int32_t condition, std::string name)
      : ledger_(ledger), replica_(replica), condition_(condition), name_(std::move(name)) {}

  /// It acts at `now`: begins an interval, or goes on with the one under way.
  world::CauseId act(Seconds now);
  /// The interval is over: acting again begins another.
  void rest() { acting_ = false; }
  /// It keeps `held` of `total` blocks of departed requests, `more` of them since the last call.
  void hold(Seconds now, std::int64_t held, std::int64_t total, std::int64_t more);
  /// The pin under way, else the interval under way, else 0.
  [[nodiscard]] world::CauseId cause() const { return pinning_ ? pin_ : acting_ ? root_ : 0; }

 private:
  world::ILedger& ledger_;
  ReplicaId replica_;
  std::int32_t condition_;
  std::string name_;
  bool acting_ = false, pinning_ = false;
  Seconds pinned_until_{-std::numeric_limits<double>::infinity()};
  world::CauseId pinned_root_ = 0;
  world::CauseId root_ = 0, pin_ = 0;  // 0 also where the ledger keeps nothing
};

}  // namespace brink::conditions
