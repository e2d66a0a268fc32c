// The causal ledger as the mechanisms see it: every non-routine event names the event that caused it.
#pragma once

#include <cstdint>
#include <string>

#include "models/base/ids.h"
#include "models/base/units.h"

namespace brink::world {

/// Number of a ledger event; 0: routine, no cause.
using CauseId = std::uint32_t;

enum class EventKind : std::uint8_t {
  condition,        // the root of most chains: a part of /conditions began to act
  offered_load,     // root: more arrived than the cluster can serve
  attestation,      // start-up of a confidential machine
  throttle,         // clocks fell
  collective_wait,  // ranks waited for the slowest one
  slow_step,        // a step took longer than its batch needs
  fallback,         // an operator could not run as it would unconstrained
  plan_switch,      // the plan of a shape class changed
  batch_cut,        // a controller lowered the batch limit
  batch_recovery,   // and raised it to the full one again
  shaping,          // a request was cut or changed before it was admitted
  pin,              // KV blocks were withheld by a background consumer
  preemption,
  regime_change,
  slo_violation,
  failure,          // a rank, link or node
};
[[nodiscard]] const char* name(EventKind kind);

struct LedgerEvent {
  EventKind kind = EventKind::condition;
  Seconds at;
  ReplicaId replica;
  std::int64_t rank = -1;      // -1: not of one rank
  CauseId cause = 0;           // the event that caused this one
  Seconds delay{0.0};          // added to the replica's steps by it
  double amount = 0.0;         // by kind: blocks pinned, seats cut, tokens truncated ...
  std::int32_t condition = -1; // index in /conditions, of roots
  std::string detail;          // short: "sequential", "memory_pressured -> paging"
};

class ILedger {
 public:
  virtual ~ILedger() = default;
  /// Returns the event's number (> 0), or 0 when nothing is kept.
  virtual CauseId add(const LedgerEvent& event) = 0;
  /// The event went on: `count` more of the same until `until`, adding `delay` and `amount`. Ignored for 0.
  virtual void extend(CauseId event, Seconds until, Seconds delay, double amount = 0.0, std::int64_t count = 1) = 0;
};

}  // namespace brink::world
