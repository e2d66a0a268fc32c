// What each tree of the ledger did: a cascade from its root to the requests it delayed.
#pragma once

#include <cstdint>
#include <map>
#include <utility>
#include <vector>

#include "models/base/json.h"
#include "sim/serving/records.h"
#include "sim/telemetry/ledger.h"
#include "sim/telemetry/run_facts.h"

namespace brink::telemetry {

/// All events of one kind in one cascade.
struct CascadeLink {
  world::EventKind kind = world::EventKind::condition;
  std::uint32_t depth = 0;  // smallest of them
  std::int64_t events = 0, count = 0;
  Seconds delay;
  double amount = 0.0;
};

/// One tree of the ledger.
struct Cascade {
  world::CauseId root = 0;
  Seconds until;          // last moment of any of its events
  /// Added to the replica's steps where it began: the root's own delay where it states one, else that of the events
  /// it caused directly. Deeper delays are these again, seen further down, and not added.
  Seconds delay;
  Seconds request_delay;  // added to the requests it touched
  std::int64_t requests = 0, slo_violations = 0;  // whose largest delay it was
  std::vector<CascadeLink> chain;                 // by depth, the root left out

  /// Request delay over delay at the root; NaN when the root delayed nothing.
  [[nodiscard]] double amplification() const;
};

class Cascades {
 public:
  static constexpr std::size_t top_default = 10;

  /// Requests that arrive before `warmup` are left out.
  Cascades(Seconds warmup, const SloLimits& slo, std::size_t events_max = Ledger::events_max_default)
      : warmup_(warmup), slo_(slo), ledger_(events_max) {}

  [[nodiscard]] Ledger& ledger() { return ledger_; }
  [[nodiscard]] const Ledger& ledger() const { return ledger_; }

  /// A finished request; one beyond a limit of the SLO enters the ledger as an effect of its cause.
  void add(const serving::RequestRecord& record);

  /// The `count` cascades that added most delay to requests, then at their root; equal ones in order of root.
  [[nodiscard]] std::vector<Cascade> top(std::size_t count = top_default) const;
  /// Section "cascades" of the summary.
  [[nodiscard]] Json json() const;

 private:
  struct Effect {
    Seconds delay;
    std::int64_t requests = 0, slo_violations = 0;
  };

  [[nodiscard]] std::vector<Cascade> roots() const;
  void add_chains(std::vector<Cascade>& cascades) const;
  [[nodiscard]] Json by_kind() const;
  [[nodiscard]] Json cascade_json(const Cascade& cascade) const;
  [[nodiscard]] Json conditions_json(const std::vector<Cascade>& roots) const;

  Seconds warmup_;
  SloLimits slo_;
  Ledger ledger_;
  std::map<world::CauseId, Effect> effects_;  // by root
  Effect unexplained_;                        // of requests without a cause
  std::map<std::pair<world::CauseId, std::uint64_t>, world::CauseId> violations_;  // event of (cause, replica)
};

}  // namespace brink::telemetry
