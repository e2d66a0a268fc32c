// What the steps of one replica mean: in which regime they ran, when plans switched, which cause delayed whom.
// It listens; the mechanism never asks it anything.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "models/memory/regime.h"
#include "models/plan/execution_plan.h"
#include "sim/serving/i_step_conditions.h"
#include "sim/serving/records.h"
#include "sim/serving/regime_tracker.h"
#include "sim/serving/sequence.h"
#include "sim/world/i_ledger.h"

namespace brink::serving {

class Journal {
 public:
  struct Settings {
    ReplicaId replica;
    RegimeTracker::Settings regime;
    bool regimes = true;
    std::size_t conditions = 0;  // of the scenario
  };

  /// `ledger` outlives the journal.
  Journal(const Settings& settings, world::ILedger& ledger);

  // The life of a request.
  void on_enqueued(Sequence& s) const {
    if (last_wait_ != nullptr) s.marks.delays = delays_;  // else nothing was delayed yet
  }
  void on_scheduled(Sequence& s, std::uint64_t step);
  /// Its KV came from another replica: it decodes here.
  void on_joined(Sequence& s, std::uint64_t step) const;
  /// Its last batch is handled: fills in what its record says of the time it ran.
  void on_departed(Sequence& s) const;

  /// It was changed at the door: what runs is not what was sent.
  void on_shaped(const Sequence& s, Seconds now);

  // The life of a step, in this order.
  /// `pins`: event of the consumer that keeps blocks back, or 0.
  void on_preempted(Seconds now, world::CauseId pins);
  void on_effect(const StepEffect& effect, Seconds at);
  void on_limits(std::int64_t seats_before, std::int64_t seats, std::int64_t full, Seconds now);
  /// The step is over: adds regime, switches and causes to its record.
  void describe(StepRecord& record, const RegimeSample& sample, Seconds gpu);

 private:
  /// An event that grows while the same goes on.
  struct Open {
    world::CauseId root = 0, event = 0;
    Seconds until;
  };

  world::CauseId grow(Open& open, const world::LedgerEvent& event);
  [[nodiscard]] world::CauseId explain(Seconds now);
  world::CauseId offered_load(Seconds now);
  [[nodiscard]] bool recent(const Open& open, Seconds now) const { return open.event != 0 && now - open.until <= memory_; }
  void note_switch(StepRecord& record);
  void note_regime(StepRecord& record, const RegimeSample& sample);
  [[nodiscard]] world::CauseId cause_of(const RegimeTransition& change);

  Settings settings_;
  world::ILedger& ledger_;
  RegimeTracker regimes_;
  Seconds memory_;                       // how long a cause is taken to act on
  std::vector<Seconds> delays_;          // by condition, of all steps so far; the last: of none in the list
  std::vector<world::CauseId> roots_;    // by condition, its last root event
  std::vector<Open> waits_;              // by condition
  Open load_, preemption_, cut_, switches_, fallbacks_, shaped_;
  Open* last_wait_ = nullptr;
  world::CauseId regime_event_ = 0;
  memory::RegimeState regime_;
  std::vector<std::uint64_t> held_at_;   // by predicate, the step after the last in which it held
  Seconds gpu_clock_;
  std::uint64_t steps_ = 0;
  std::int64_t plan_switches_ = 0;
  plan::ExecutionPlan last_plan_;
};

}  // namespace brink::serving
