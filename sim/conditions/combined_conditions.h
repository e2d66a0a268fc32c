// Several sources of delay as one: each sees the step as its batch alone would make it, and what they add is summed.
#pragma once

#include <vector>

#include "sim/serving/i_step_conditions.h"

namespace brink::conditions {

class CombinedConditions final : public serving::IStepConditions {
 public:
  /// Parts outlive this. Of all replicas, or of one.
  void add(serving::IStepConditions& part) { parts_.push_back(&part); }
  void add(ReplicaId replica, serving::IStepConditions& part);
  [[nodiscard]] bool empty() const { return parts_.empty() && by_replica_.empty(); }

  /// Cause, condition and slowest rank are those of the part that adds most.
  serving::StepEffect on_step(const serving::StepQuery& query) override;

 private:
  void include(serving::StepEffect& sum, Seconds& largest, const serving::StepEffect& part);

  std::vector<serving::IStepConditions*> parts_;
  std::vector<std::vector<serving::IStepConditions*>> by_replica_;
  std::vector<Seconds> wait_;
};

}  // namespace brink::conditions
