// What all conditions of a run together do to a step: every rank's own delays, the waits they cause at the step's
// collectives, and the condition to blame.
//
// Within a step a rank is late in three ways: once, before its first collective (stalls); in proportion to its compute
// (slow-downs, clocks), spread evenly over the collectives; and by host pacing at each of them. A collective begins
// when its last rank enters, and after it all are level again. So the step grows by
//   max_r(pause_r + late_r / n + J_1r) + sum_{k=2..n} max_r(late_r / n + J_kr)
// over its n collectives, and rank r waits for what is left of that after its own delays.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "models/base/random.h"
#include "sim/conditions/i_rank_condition.h"
#include "sim/conditions/jitter.h"
#include "sim/conditions/rank_delays.h"
#include "sim/conditions/timing_hypotheses.h"
#include "sim/serving/i_step_conditions.h"
#include "sim/world/i_ledger.h"

namespace brink::conditions {

class StepConditions final : public serving::IStepConditions {
 public:
  /// A condition on single ranks and its index in /conditions.
  struct RankPart {
    std::int32_t condition = -1;
    std::shared_ptr<const IRankCondition> acts;
  };
  struct JitterPart {
    std::int32_t condition = -1;
    JitterSettings settings;
    RandomStream stream;
  };

  /// `ledger` outlives this. At most one jitter acts on a replica at a time (the first found does).
  StepConditions(std::int64_t ranks, std::vector<RankPart> parts, std::vector<JitterPart> jitter,
                 const TimingHypotheses& hypotheses, world::ILedger& ledger);
  ~StepConditions() override;

  /// The delays depend on the query alone. A burst's root event is added with its first step.
  serving::StepEffect on_step(const serving::StepQuery& query) override;

 private:
  struct Replica;
  struct Blame;

  Replica& replica(const serving::StepQuery& query);
  void refresh(Replica& state, const serving::StepQuery& query);
  void begin_burst(Replica& state, std::size_t i, const Phase& phase, const serving::StepQuery& query);
  void add_pacing(Replica& state, const serving::StepQuery& query, double bound, Blame& blame);
  void blame_ranks(const Replica& state, double bound, Blame& blame) const;
  /// What a second of a rank's own delay comes to.
  [[nodiscard]] double spilled() const { return hypotheses_.spills ? 1.0 / (1.0 - hypotheses_.spills->gain) : 1.0; }
  void resend(const serving::StepQuery& query, Blame& blame) const;

  std::int64_t ranks_;
  std::vector<RankPart> parts_;
  std::vector<JitterPart> jitter_;
  TimingHypotheses hypotheses_;
  world::ILedger& ledger_;
  std::vector<std::unique_ptr<Replica>> replicas_;  // by id; null: no step yet
  RankDelays delays_;                               // of the step at hand
  std::vector<double> late_first_;                  // scratch
  std::vector<Seconds> wait_;
};

}  // namespace brink::conditions
