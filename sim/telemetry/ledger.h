// The causal ledger of a run: an event table in which every event names the one that caused it, so that its events
// form trees. Memory is O(non-routine events): what goes on is one event that grows (extend()), and a limit bounds
// the rest.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>

#include "sim/world/i_ledger.h"

namespace brink::telemetry {

/// A ledger event as it stands.
struct LedgerEntry {
  world::LedgerEvent event;  // delay and amount: totals, extensions included
  Seconds until;             // of the last extension; `event.at` without any
  std::int64_t count = 1;    // of the coalesced happenings
  world::CauseId root = 0;   // of its tree; itself for a root
  std::uint32_t depth = 0;   // causes between it and the root, the root included; 0: a root
};

class Ledger final : public world::ILedger {
 public:
  static constexpr std::size_t events_max_default = 1'000'000;

  explicit Ledger(std::size_t events_max = events_max_default) : events_max_(events_max) {}

  /// Throws Error for a cause that is no event: a cause is always the smaller number. Past the limit the event is
  /// counted as dropped and 0 returned, so what it causes is without a cause.
  world::CauseId add(const world::LedgerEvent& event) override;
  /// `until` never moves back.
  void extend(world::CauseId event, Seconds until, Seconds delay, double amount = 0.0, std::int64_t count = 1) override;

  [[nodiscard]] std::size_t size() const { return entries_.size(); }
  /// Events that were not kept because the ledger was full.
  [[nodiscard]] std::int64_t dropped() const { return dropped_; }
  /// Delay they came with; what they would have grown to is not known.
  [[nodiscard]] Seconds dropped_delay() const { return dropped_delay_; }
  /// 1 <= id <= size().
  [[nodiscard]] const LedgerEntry& operator[](world::CauseId id) const { return entries_[id - 1]; }
  /// Root of the event's tree; 0 for 0.
  [[nodiscard]] world::CauseId root(world::CauseId id) const { return id == 0 ? 0 : entries_[id - 1].root; }

  /// ledger.jsonl: one line an event, numbers ascending.
  [[nodiscard]] std::string jsonl() const;

 private:
  std::size_t events_max_;
  std::deque<LedgerEntry> entries_;
  std::int64_t dropped_ = 0;
  Seconds dropped_delay_;
};

}  // namespace brink::telemetry
