// What replication costs the steps of its replica while it runs: copies share memory bandwidth and launch time.
#pragma once

#include <vector>

#include "sim/conditions/replication.h"
#include "sim/serving/i_step_conditions.h"

namespace brink::conditions {

/// Makes every step of a replicated replica longer by a share of its GPU time. All ranks send, so none is late.
class ReplicationOverhead final : public serving::IStepConditions {
 public:
  /// `replication` runs on `replica` and outlives this.
  void add(ReplicaId replica, Replication& replication);
  serving::StepEffect on_step(const serving::StepQuery& query) override;

 private:
  std::vector<std::vector<Replication*>> by_replica_;
};

}  // namespace brink::conditions
